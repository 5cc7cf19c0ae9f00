"""Lhotse cuts, ``.jsonl`` or ``.jsonl.gz``, or a Shar folder.

Each supervision of a cut is an utterance. Three cuts, shortened; their recordings have sources
such as ``{"type": "file", "channels": [0], "source": "wav/tape1.flac"}``::

    {"id": "c1", "start": 0.0, "duration": 2.3, "channel": 0, "supervisions": [{"id": "u1", ...
    {"id": "c2", "start": 2.8, "duration": 2.3, "channel": 0, "supervisions": [{"id": "u2", ...
    {"id": "c3", "start": 0.4, "duration": 4.0, "channel": 0, "supervisions": [{"id": "u3", ...

Relative paths of recordings are looked for from the manifest's folder and from those above it:
recipes write them from where they run. Audio that is not in its own file (in memory, or in the
tars of a Shar) is written to the project's ``data`` folder.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing
from cascade.runtime.lock import turn
from local.helpers import folders

LICENCE = "lhotse: your own Lhotse cuts, under whatever licence they have."
PARTS = ()
LOOKS_FOR = "*cuts*.jsonl.gz, or cuts.000000.jsonl.gz of a Shar"

SHARD = re.compile(r"cuts\.[0-9]+\.jsonl(\.gz)?")
ROUNDED = 0.1  # seconds by which the times of cuts and supervisions may differ

# Lhotse has no types of its own.
Cut = Any
Supervision = Any


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the supervisions of the cuts in their order.

    Raises `UserError` for what is not a manifest of cuts, and if it is empty.
    """
    path = find(request)
    root = folders.RelativeTo(path if path.is_dir() else path.parent)
    empty = True
    for cut in _cuts(path):
        empty = False
        name = str(cut.id)
        kind = type(cut).__name__
        if kind not in ("MonoCut", "MultiCut"):
            yield Excluded(name, f"it is a {kind}: store its audio, and make cuts of that")
            continue
        if not cut.has_recording:
            reason = "the cut has no recording: for features only, name Kaldi's data folder"
            yield Excluded(name, reason)
            continue
        changes = [t for t in cut.recording.transforms or [] if _kind(t) != "Resample"]
        if changes:
            reason = f"its recording is changed ({_kind(changes[0])}): name the unchanged cuts"
            yield Excluded(name, reason, cut.duration, selection=True)
            continue
        if not cut.supervisions:
            yield Excluded(name, "the cut has no supervision", cut.duration, selection=True)
        for supervision in cut.supervisions:
            if len(cut.supervisions) > 1:
                name = str(supervision.id)
            outside = max(-supervision.start, supervision.end - cut.duration)
            place = _audio(cut, supervision, root, request)
            if outside > ROUNDED:  # another cut may have all of it
                name = f"{cut.id}-{supervision.id}"
                place = f"{outside:.2f} s of it are outside of its cut: cut where nobody speaks"
            if isinstance(place, str):
                yield Excluded(name, place, supervision.duration)
                continue
            audio, channel = place
            start = cut.start + max(0.0, supervision.start)
            yield Utterance(
                id=name,
                audio=audio,
                text=_text(supervision.text),
                speaker=_text(supervision.speaker),
                start=round(start, 6),
                end=round(min(cut.end, cut.start + supervision.end), 6),
                channel=channel,
            )
    if empty:
        raise UserError(f"{path} has no cuts. Name a manifest that has some.")


def _text(value: object) -> str:
    """A value as text: some manifests have numbers as names."""
    return "" if value is None else str(value)


def lists(request: CorpusRequest) -> list[Path]:
    """The manifest, or the files of the Shar."""
    path = find(request)
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether a file has the name of a manifest of cuts; what is in it is not looked at."""
    path = folders.named(request)
    files = folders.visible(path.glob("*cuts*.jsonl*")) if path.is_dir() else [path]
    names = [file.name for file in files if "cuts" in file.name and ".jsonl" in file.suffixes]
    return Detection(f"Lhotse cuts: {', '.join(names[:3])}") if names else None


def advice(path: Path) -> str | None:
    """How to make cuts of the recordings and supervisions that ``lhotse prepare`` writes."""
    recordings, supervisions = (
        folders.visible(path.glob(f"*{kind}*.jsonl*")) for kind in ("recordings", "supervisions")
    )
    if not recordings or not supervisions:
        return None
    return (
        "it contains Lhotse manifests, but no cuts. Make them: lhotse cut simple"
        f" -r {recordings[0].name} -s {supervisions[0].name} cuts.jsonl.gz"
    )


def find(request: CorpusRequest) -> Path:
    """The manifest, or the Shar folder; raises `UserError`."""
    path = request.path
    if path is not None and path.is_file():
        return path
    path = folders.existing("lhotse", path, "a manifest of Lhotse cuts, or a Shar folder")
    if any(SHARD.fullmatch(file.name) for file in path.iterdir()):
        return path
    manifests = folders.visible(path.glob("*cuts*.jsonl*"))
    if len(manifests) != 1:
        raise UserError(
            f"{path} must contain one manifest of cuts, *cuts*.jsonl.gz, or a Shar; its manifests:"
            f" {folders.names(manifests)}. Name the file itself in place of its folder. `lhotse cut"
            " simple` makes cuts of recordings and supervisions."
        )
    return manifests[0]


def _cuts(path: Path) -> Iterator[Cut]:
    from lhotse import CutSet  # takes a second to import

    try:
        if path.is_dir():
            yield from CutSet.from_shar(in_dir=path)
        else:
            yield from CutSet.from_jsonl_lazy(path)
    except Exception as error:  # Lhotse lets through whatever a damaged line causes
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} cannot be read as Lhotse cuts ({what}).") from None


def _kind(transform: Any) -> str:
    return transform["name"] if isinstance(transform, dict) else type(transform).__name__


def _audio(
    cut: Cut, supervision: Supervision, root: folders.RelativeTo, request: CorpusRequest
) -> tuple[Path, int | None] | str:
    """The audio file of a supervision and the channel in it, or what is wrong."""
    channels = (
        supervision.channel if isinstance(supervision.channel, list) else [supervision.channel]
    )
    sources = [s for s in cut.recording.sources if set(channels) <= set(s.channels)]
    if not sources and len(channels) > 1:
        return f"its channels {channels} are not in one file: make cuts of one of them"
    if not sources:
        return f"no source of its recording has channel {channels[0]}"
    source = sources[0]
    if 1 < len(channels) < len(source.channels):
        return f"it has channels {channels} of {len(source.channels)}: make cuts of one, or of all"
    inside = source.channels.index(channels[0]) if len(source.channels) > 1 else None
    channel = inside if len(channels) == 1 else None
    if source.type == "memory":
        return _kept(source.source, request), channel
    if source.type != "file":
        return f"its audio has the type '{source.type}', and only files are read"
    return root.path(Path(source.source)), channel


def _kept(content: bytes, request: CorpusRequest) -> Path:
    """The file in ``data`` with ``content``; its name is a hash of its contents."""
    name = hashlib.sha256(content).hexdigest()
    audio = request.data / "lhotse" / name[:2] / name
    if not audio.is_file():
        with turn(request.data), replacing(audio) as stream:
            stream.write(content)
    return audio
