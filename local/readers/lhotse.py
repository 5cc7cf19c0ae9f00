"""Lhotse cuts, ``.jsonl`` or ``.jsonl.gz``, or a Shar folder, that the recipe names.

Each supervision of a cut is an utterance. Relative paths of recordings are looked for from the
folder of the manifest, and from those above it: recipes write them from where they run. Audio
that is not in files of its own (in memory, or in the tars of a Shar) is written to the
project's ``data`` folder.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing
from cascade.runtime.lock import turn
from local.helpers import lists as text

LICENCE = "lhotse: your own Lhotse cuts, under whatever licence they have."
PARTS = ()
LOOKS_FOR = "*cuts*.jsonl.gz, or cuts.000000.jsonl.gz of a Shar"

SHARD = re.compile(r"cuts\.[0-9]+\.jsonl(\.gz)?")
ROUNDED = 0.1  # seconds: what the times of cuts and supervisions may differ by


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the supervisions of the cuts, in their order; raises `UserError`."""
    path = find(request)
    above = text.Above(path if path.is_dir() else path.parent)
    empty = True
    for cut in _cuts(path):
        empty = False
        kind = type(cut).__name__
        if kind not in ("MonoCut", "MultiCut"):
            yield Excluded(cut.id, f"a {kind}: store its audio, and make cuts of that")
            continue
        if not cut.has_recording:
            reason = "a cut without a recording: of features alone, name Kaldi's data folder"
            yield Excluded(cut.id, reason)
            continue
        changes = [t for t in cut.recording.transforms or [] if _kind(t) != "Resample"]
        if changes:
            reason = f"its recording is changed ({_kind(changes[0])}): unchanged cuts are taken"
            yield Excluded(cut.id, reason, cut.duration, selection=True)
            continue
        if not cut.supervisions:
            yield Excluded(cut.id, "a cut without a supervision", cut.duration, selection=True)
        for supervision in cut.supervisions:
            name = cut.id if len(cut.supervisions) == 1 else supervision.id
            outside = max(-supervision.start, supervision.end - cut.duration)
            found = _audio(cut, supervision, above, request)
            if outside > ROUNDED:  # of what another cut may have the whole
                name = f"{cut.id}-{supervision.id}"
                found = f"{outside:.2f} s of it are outside of its cut: cut where nobody speaks"
            if isinstance(found, str):
                yield Excluded(name, found, supervision.duration)
                continue
            audio, channel = found
            start = cut.start + max(0.0, supervision.start)
            yield Utterance(
                id=name,
                audio=audio,
                text=supervision.text or "",
                speaker=supervision.speaker or "",
                start=round(start, 6),
                end=round(min(cut.end, cut.start + supervision.end), 6),
                channel=channel,
            )
    if empty:
        raise UserError(f"{path} has no cuts.")


def lists(request: CorpusRequest) -> list[Path]:
    path = find(request)
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether there are cuts by their name; whether they can be read is seen as they are."""
    path = request.path
    found = text.shown(path.glob("*cuts*.jsonl*")) if path.is_dir() else [path]
    named = [file.name for file in found if "cuts" in file.name and ".jsonl" in file.suffixes]
    return Detection(f"Lhotse cuts: {', '.join(named[:3])}") if named else None


def advice(path: Path) -> str | None:
    """How to make cuts where ``lhotse prepare`` has left recordings and supervisions."""
    recordings, supervisions = (
        text.shown(path.glob(f"*{kind}*.jsonl*")) for kind in ("recordings", "supervisions")
    )
    if not recordings or not supervisions:
        return None
    return (
        "of Lhotse's manifests it has no cuts. Make them: lhotse cut simple"
        f" -r {recordings[0].name} -s {supervisions[0].name} cuts.jsonl.gz"
    )


def find(request: CorpusRequest) -> Path:
    """The manifest, or the Shar folder; raises `UserError`."""
    path = request.path
    if path is not None and path.is_file():
        return path
    path = text.folder("lhotse", path, "a manifest of Lhotse cuts, or a Shar folder")
    if any(SHARD.fullmatch(file.name) for file in path.iterdir()):
        return path
    found = text.shown(path.glob("*cuts*.jsonl*"))
    if len(found) != 1:
        raise UserError(
            f"{path} must hold one manifest of cuts, *cuts*.jsonl.gz, or a Shar; it has"
            f" {text.among(found)}. Name the file itself in place of its folder; of recordings"
            f" and supervisions `lhotse cut simple` makes cuts."
        )
    return found[0]


def _cuts(path: Path) -> Iterator:
    from lhotse import CutSet  # takes a second to import

    try:
        if path.is_dir():
            yield from CutSet.from_shar(in_dir=path)
        else:
            yield from CutSet.from_jsonl_lazy(path)
    except UserError:
        raise
    except Exception as error:  # Lhotse raises what it meets in a damaged line
        what = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path} does not read as Lhotse cuts ({what}).") from None


def _kind(transform) -> str:
    return transform["name"] if isinstance(transform, dict) else type(transform).__name__


def _audio(
    cut, supervision, above: text.Above, request: CorpusRequest
) -> tuple[Path, int | None] | str:
    """The audio file of a supervision, and the channel in it; or what is wrong."""
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
        return f"its audio is of type '{source.type}', and only files are read"
    return above.path(Path(source.source)), channel


def _kept(content: bytes, request: CorpusRequest) -> Path:
    """The file in ``data`` that holds ``content``; its name is that of its contents."""
    name = hashlib.sha256(content).hexdigest()
    audio = request.data / "lhotse" / name[:2] / name
    if not audio.is_file():
        with turn(request.data), replacing(audio) as stream:
            stream.write(content)
    return audio
