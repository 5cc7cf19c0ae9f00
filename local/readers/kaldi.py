"""Any Kaldi data folder: ``wav.scp``, ``text``, ``utt2spk``, and ``segments`` if it has them.

``wav.scp`` has the audio file of each recording::

    tape1 wav/anna/tape1.flac
    tape2 wav/anna/tape2.flac
    tape3 wav/boris/tape3.flac

``segments`` has the utterances in them, with start and end in seconds; without it, each recording
is one utterance::

    anna-001 tape1 0.00 2.35
    anna-002 tape1 2.80 5.10
    boris-001 tape3 0.40 -1

``text`` has what is said, ``utt2spk`` who says it (``anna-001 anna``)::

    anna-001 добрый день
    anna-002 как пройти на вокзал
    boris-001 спасибо

Without ``wav.scp``, ``feats.scp`` says where the features of each utterance are, and they are used
as they are::

    anna-001 mfcc/raw_mfcc.1.ark:9
    anna-002 mfcc/raw_mfcc.1.ark:8204
    boris-001 mfcc/raw_mfcc.2.ark:10

Relative paths are looked for from the folder and from those above it: Kaldi takes them from where
a recipe runs. Commands (``sph2pipe ... |``) are not run.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import folders, text_files

LICENCE = "kaldi: your own data folder, under whatever licence it has."
PARTS = ()
LOOKS_FOR = "text, and wav.scp or feats.scp"

SCP = ("wav.scp", "feats.scp")
FILES = (*SCP, "segments", "text", "utt2spk")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the utterances in the order of ``segments``, or of the scp file.

    With ``utt2spk``, an utterance without a speaker is left out. Raises `UserError` for a folder
    that lacks a file, for a line that is not understood, and for an utterance that ``text`` or
    ``utt2spk`` has twice.
    """
    folder = find(request)
    texts = text_files.Lookup(folder / "text")
    utt2spk = folder / "utt2spk"
    speakers = text_files.Lookup(utt2spk) if utt2spk.is_file() else None
    if not (folder / "wav.scp").is_file():
        listed = _features(folder)
    elif (folder / "segments").is_file():
        listed = _segments(folder)
    else:
        listed = _recordings(folder)
    hashes = array("q")
    for item in listed:
        hashes.append(hash(item.id))
        text = texts.get(item.id)
        speaker = (speakers.get(item.id) if speakers else None) or ""
        if isinstance(item, Excluded):
            yield item
        elif text is None and request.transcribed:
            yield Excluded(item.id, "it has no line in 'text'", selection=True)
        elif speakers and not speaker:
            yield Excluded(item.id, "it has no line in 'utt2spk'")
        else:
            yield replace(item, text=text or "", speaker=speaker)
    if not hashes:
        raise UserError(f"{folder} lists no utterances: its scp file or segments are empty.")
    hashes = array("q", sorted(hashes))
    for lookup in filter(None, (speakers, texts)):
        for name in lookup.left():
            place = bisect_left(hashes, hash(name))
            if place < len(hashes) and hashes[place] == hash(name):
                raise UserError(f"{lookup.path}: '{name}' appears twice. Remove one of its lines.")
            if lookup is texts:
                yield Excluded(name, "it has a text, but no audio or features")


def lists(request: CorpusRequest) -> list[Path]:
    """The files of the folder that are read."""
    folder = find(request)
    return [folder / name for name in FILES if (folder / name).is_file()]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder has the files that it must have."""
    path = folders.named(request)
    if not _complete(path):
        return None
    names = [name for name in FILES if (path / name).is_file()]
    return Detection(f"a Kaldi data folder: it has {', '.join(names)}")


def advice(path: Path) -> str | None:
    """Which folders below are data folders: a recipe's ``data`` has several."""
    subfolders = sorted(path.iterdir()) if path.is_dir() else []
    data = [folder for folder in subfolders if _complete(folder)]
    return f"name one of the Kaldi data folders in it, {folders.names(data)}" if data else None


def find(request: CorpusRequest) -> Path:
    """The data folder, if it has what it must; else raises `UserError`."""
    folder = folders.existing("kaldi", request.path, "a Kaldi data folder, such as data/train")
    if not (folder / "text").is_file():
        raise UserError(f"{folder} has no file 'text', as a Kaldi data folder for training has.")
    if not _complete(folder):
        raise UserError(f"{folder} has neither wav.scp nor feats.scp. Add one of them.")
    return folder


def _complete(folder: Path) -> bool:
    return (folder / "text").is_file() and any((folder / scp).is_file() for scp in SCP)


def _recordings(folder: Path) -> Iterator[Utterance | Excluded]:
    """Complete recordings, without their texts."""
    scp = folder / "wav.scp"
    root = folders.RelativeTo(folder)
    for number, name, where in text_files.pairs(scp):
        yield Utterance(name, root.path(_path(scp, f"line {number}", where)), text="")


def _segments(folder: Path) -> Iterator[Utterance | Excluded]:
    """Parts of recordings, without their texts; and those of recordings that are not listed."""
    segments, scp = folder / "segments", folder / "wav.scp"
    recordings = text_files.Lookup(scp, keep=True)
    root = folders.RelativeTo(folder)
    for number, name, rest in text_files.pairs(segments):
        fields = rest.split()
        try:
            recording, (start, end) = fields[0], map(float, fields[1:3])
            channel = int(fields[3]) if len(fields) > 3 else None
        except (ValueError, IndexError):
            raise UserError(
                f"{segments}, line {number} is not 'utterance recording start end'. Correct it."
            ) from None
        where = recordings.get(recording)
        if where is None:
            yield Excluded(name, f"its recording '{recording}' is not in wav.scp")
            continue
        audio = root.path(_path(scp, f"'{recording}'", where))
        until = None if end == -1 else end  # in Kaldi, -1 is the end of the recording
        yield Utterance(name, audio, text="", start=start, end=until, channel=channel)


def _features(folder: Path) -> Iterator[Utterance | Excluded]:
    """Utterances with features in an archive, without their texts."""
    scp = folder / "feats.scp"
    root = folders.RelativeTo(folder)
    for number, name, where in text_files.pairs(scp):
        place = re.fullmatch(r"([^|]+):([0-9]+(?:\[[0-9:,]*\])?)", where)
        if not place:
            raise UserError(
                f"{scp}, line {number}: '{where}' is not a place in an archive, such as"
                f" raw_mfcc.1.ark:57. Copy the features: copy-feats scp:{scp} ark,scp:..."
            )
        ark = root.path(Path(place[1]))
        yield Utterance(name, ark, text="", features=f"{ark}:{place[2]}")


def _path(scp: Path, line: str, where: str) -> Path:
    if where.endswith("|") or where.startswith("|"):
        raise UserError(
            f"{scp}, {line}: '{where}' is a command, and commands are not run. Name an audio file:"
            " sph, flac, mp3, opus and m4a are read as they are. (If there is no wav.scp, the"
            " features of feats.scp are used.)"
        )
    if re.search(r"\.ark:[0-9]+$", where):
        raise UserError(f"{scp}, {line}: '{where}' is in an archive. Name an audio file.")
    if not where:
        raise UserError(f"{scp}, {line}: the path is missing. Add it, or remove the line.")
    return Path(where)
