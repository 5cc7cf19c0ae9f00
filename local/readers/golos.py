"""Golos (OpenSLR 114), Russian, in the folder that the recipe names.

Unpacked, it has ``train`` and ``test``, or ``train_opus`` and ``test_opus``: manifests of a
JSON object a line with ``audio_filepath``, ``text``, ``duration``, and a ``hash_id`` or
``id``, and NeMo's ``offset``. Audio is relative to its manifest. Golos does not say who speaks.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text

LICENCE = "golos: Golos by Sber, its own licence, close to CC-BY-SA-4.0 (en_us.pdf beside it)."
SOURCE = "https://www.openslr.org/114"
MANIFESTS = {
    "train": "train/manifest.jsonl",
    "train_10min": "train/10min.jsonl",
    "train_1hour": "train/1hour.jsonl",
    "train_10hours": "train/10hours.jsonl",
    "train_100hours": "train/100hours.jsonl",
    "test_crowd": "test/crowd/manifest.jsonl",
    "test_farfield": "test/farfield/manifest.jsonl",
}
PARTS = tuple(MANIFESTS)
LOOKS_FOR = "train/manifest.jsonl with audio_filepath and text"

SUFFIXES = {".wav": ".opus", ".opus": ".wav"}  # a manifest may name those of the other release


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the utterances in the order of their manifest; raises `UserError`."""
    manifest = find(request)
    above, empty = text.Above(manifest.parent, _there), True
    for number, line in text.lines(manifest):
        try:
            row = json.loads(line)
            path = Path(row["audio_filepath"])
            said = row["text"] or ""
            name = str(row.get("hash_id") or row.get("id") or path.stem)
            start, end = 0.0, None
            if row.get("offset") is not None:  # NeMo's way to list parts of a recording
                start = float(row["offset"])
                end = round(start + float(row["duration"]), 6)
                name = f"{name}-{round(1000 * start):07d}"
            if not isinstance(said, str):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            missing = f" It lacks {error}." if isinstance(error, KeyError) else ""
            raise UserError(
                f"{manifest}, line {number} is no JSON object with 'audio_filepath' and"
                f" 'text'.{missing}"
            ) from None
        empty = False
        yield Utterance(id=name, audio=_existing(above.path(path)), text=said, start=start, end=end)
    if empty:
        raise UserError(f"{manifest} is empty.")


def lists(request: CorpusRequest) -> list[Path]:
    return [find(request)]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder has Golos' manifests, or one of that form; or is one."""
    path = request.path
    for alone in (path, path / "manifest.jsonl"):
        if alone.is_file():
            return Detection(f"{alone.name}, of Golos' form") if _manifest(alone) else None
    there = [part for part in PARTS if _manifest(_place(path, part))]
    parts = {
        "train": tuple(part for part in there if part == "train"),
        "test": tuple(part for part in there if part.startswith("test")),
    }
    parts = {role: names for role, names in parts.items() if names}
    return Detection(f"Golos: it has {', '.join(there)}", parts) if parts else None


def _manifest(path: Path | None) -> bool:
    """Whether a file's first line is of a manifest's form."""
    if path is None or path.suffix != ".jsonl" or not path.is_file():
        return False
    try:
        _, line = next(text.lines(path), (0, ""))
        return {"audio_filepath", "text"} <= set(json.loads(line))
    except (ValueError, TypeError):
        return False


def find(request: CorpusRequest) -> Path:
    """The manifest of the part, or that which ``path`` is or has; raises `UserError`."""
    path = request.path
    if path is not None and path.is_file():
        if request.part:
            raise UserError(f"{path} is one manifest. For 'part: {request.part}' name its folder.")
        return path
    path = text.folder("golos", path, "its folder, which has train and test, or a manifest", SOURCE)
    if request.part is None and (path / "manifest.jsonl").is_file():
        return path / "manifest.jsonl"
    part = request.part or "train"
    if manifest := _place(path, part):
        return manifest
    top, rest = MANIFESTS[part].split("/", 1)
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
    raise UserError(
        f"{path} has neither {MANIFESTS[part]} nor {top}_opus/{rest}; of folders it has"
        f" {text.among(inside)}."
    )


def _place(path: Path, part: str) -> Path | None:
    """The manifest of a part below ``path``."""
    top, rest = MANIFESTS[part].split("/", 1)
    roots = (path, path / "golos", path / "golos_opus")
    places = [root / name / rest for root in roots for name in (top, f"{top}_opus")]
    return next((place for place in places if place.is_file()), None)


def _existing(audio: Path) -> Path:
    other = audio.with_suffix(SUFFIXES.get(audio.suffix, audio.suffix))
    return audio if audio.is_file() or not other.is_file() else other


def _there(audio: Path) -> bool:
    return _existing(audio).is_file()
