"""Golos (OpenSLR 114), Russian, and other manifests of its form.

Unpacked, it has ``train`` and ``test``, or ``train_opus`` and ``test_opus``. Their manifests have
a JSON object on each line; audio is relative to the manifest, and Golos names no speakers::

    {"id": "5a1c", "audio_filepath": "crowd/0/5a1c.wav", "text": "включи музыку", "duration": 2.1}
    {"id": "77e0", "audio_filepath": "crowd/0/77e0.wav", "text": "какая погода", "duration": 1.6}
    {"id": "c903", "audio_filepath": "farfield/c903.wav", "text": "дальше", "duration": 1.2}

``hash_id`` may stand in place of ``id``. NeMo's ``offset`` names a part of a recording, and its
``speaker`` is used.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders, text_files

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
    """Yield the utterances in the order of their manifest.

    Raises `UserError` if the manifest is missing or empty, or a line has another form.
    """
    manifest = find(request)
    root, empty = folders.RelativeTo(manifest.parent, _exists), True
    for number, line in text_files.lines(manifest):
        try:
            row = json.loads(line)
            path = Path(row["audio_filepath"])
            text, speaker = row["text"] or "", row.get("speaker")
            name = str(row.get("hash_id") or row.get("id") or path.stem)
            start, end = 0.0, None
            if row.get("offset") is not None:
                start = float(row["offset"])
                end = round(start + float(row["duration"]), 6)
                name = f"{name}-{round(1000 * start):07d}"
            if not isinstance(text, str):
                raise TypeError
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            missing = f" It lacks {error}." if isinstance(error, KeyError) else ""
            raise UserError(
                f"{manifest}, line {number} is not a JSON object with 'audio_filepath' and"
                f" 'text'.{missing}"
            ) from None
        empty = False
        audio, who = _either(root.path(path)), "" if speaker is None else str(speaker)
        yield Utterance(id=name, audio=audio, text=text, speaker=who, start=start, end=end)
    if empty:
        raise UserError(f"{manifest} is empty. It must have a JSON object for each recording.")


def lists(request: CorpusRequest) -> list[Path]:
    """The manifest."""
    return [find(request)]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the path is a manifest, has one, or has those of Golos."""
    path = folders.named(request)
    for file in (path, path / "manifest.jsonl"):
        if file.is_file():
            return Detection(f"{file.name}, of Golos' form") if _manifest(file) else None
    there = [part for part in PARTS if _manifest(_place(path, part))]
    parts = {
        "train": tuple(part for part in there if part == "train"),
        "test": tuple(part for part in there if part.startswith("test")),
    }
    parts = {role: names for role, names in parts.items() if names}
    return Detection(f"Golos: it has {', '.join(there)}", parts) if parts else None


def find(request: CorpusRequest) -> Path:
    """The manifest of the part, or the one that ``path`` is or has; raises `UserError`."""
    path = request.path
    if path is not None and path.is_file():
        if request.part:
            raise UserError(f"{path} is one manifest. For 'part: {request.part}' name its folder.")
        return path
    what = "its folder, which has train and test, or a manifest"
    path = folders.existing("golos", path, what, SOURCE)
    if request.part is None and (path / "manifest.jsonl").is_file():
        return path / "manifest.jsonl"
    part = request.part or "train"
    if manifest := _place(path, part):
        return manifest
    top, rest = MANIFESTS[part].split("/", 1)
    subfolders = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
    raise UserError(
        f"{path} has neither {MANIFESTS[part]} nor {top}_opus/{rest}; its folders:"
        f" {folders.names(subfolders)}. Name the folder of Golos, or a manifest."
    )


def _manifest(path: Path | None) -> bool:
    """Whether a file's first line has the form of a manifest's."""
    if path is None or path.suffix != ".jsonl" or not path.is_file():
        return False
    try:
        _, line = next(text_files.lines(path), (0, ""))
        return {"audio_filepath", "text"} <= set(json.loads(line))
    except (ValueError, TypeError):
        return False


def _place(path: Path, part: str) -> Path | None:
    """The manifest of a part below ``path``."""
    top, rest = MANIFESTS[part].split("/", 1)
    roots = (path, path / "golos", path / "golos_opus")
    places = [root / name / rest for root in roots for name in (top, f"{top}_opus")]
    return next((place for place in places if place.is_file()), None)


def _either(audio: Path) -> Path:
    """``audio``, or the same recording of the other release if only that exists."""
    other = audio.with_suffix(SUFFIXES.get(audio.suffix, audio.suffix))
    return audio if audio.is_file() or not other.is_file() else other


def _exists(audio: Path) -> bool:
    return _either(audio).is_file()
