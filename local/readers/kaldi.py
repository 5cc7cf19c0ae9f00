"""Any Kaldi data folder: ``wav.scp``, ``text``, ``utt2spk``, perhaps ``segments``.

One with ``feats.scp`` and no ``wav.scp`` has features in place of audio: they are used as
they are. A relative path is looked for from the folder, and from those above it: Kaldi
takes it from where a recipe runs. Commands (``sph2pipe ... |``) are not run.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from local.helpers import lists as text

LICENCE = "kaldi: your own data folder, under whatever licence it has."
PARTS = ()
LOOKS_FOR = "text, and wav.scp or feats.scp"

SCP = ("wav.scp", "feats.scp")
FILES = (*SCP, "segments", "text", "utt2spk")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the utterances in the order of ``segments``, else of the scp file.

    Raises `UserError` for a folder that lacks a file, or a line that cannot be understood.
    """
    folder = find(request)
    texts = text.Lookup(folder / "text")
    speakers = text.Lookup(folder / "utt2spk") if (folder / "utt2spk").is_file() else None
    if (folder / "wav.scp").is_file():
        listed = _segments(folder) if (folder / "segments").is_file() else _recordings(folder)
    else:
        listed = _features(folder)
    empty = True
    for name, found in listed:
        empty = False
        said = texts.get(name)
        speaker = (speakers.get(name) if speakers else None) or ""
        if isinstance(found, str):
            yield Excluded(name, found)
        elif said is None:
            yield Excluded(name, "no line of 'text' is about it", selection=True)
        else:
            yield Utterance(id=name, text=said, speaker=speaker, **found)
    if empty:
        raise UserError(f"{folder} lists no utterances: its scp file or segments are empty.")
    for name in texts.left():
        yield Excluded(name, "there is a text, and no audio or features of it")


def lists(request: CorpusRequest) -> list[Path]:
    folder = find(request)
    return [folder / name for name in FILES if (folder / name).is_file()]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder has what `find` wants."""
    if not _enough(request.path):
        return None
    names = [name for name in FILES if (request.path / name).is_file()]
    return Detection(f"a Kaldi data folder: it has {', '.join(names)}")


def advice(path: Path) -> str | None:
    """Which folders below are data folders: a recipe's ``data`` has several."""
    folders = sorted(path.iterdir()) if path.is_dir() else []
    found = [folder for folder in folders if _enough(folder)]
    return (
        f"of Kaldi's data folders it has {text.among(found)}: name one of them" if found else None
    )


def _enough(folder: Path) -> bool:
    return (folder / "text").is_file() and any((folder / scp).is_file() for scp in SCP)


def find(request: CorpusRequest) -> Path:
    """The data folder, once it has what it must; raises `UserError`."""
    folder = text.folder("kaldi", request.path, "a Kaldi data folder, such as data/train")
    if not (folder / "text").is_file():
        raise UserError(f"{folder} is no Kaldi data folder for training: it has no file 'text'.")
    if not _enough(folder):
        raise UserError(f"{folder} has neither wav.scp nor feats.scp.")
    return folder


def _recordings(folder: Path) -> Iterator[tuple[str, dict | str]]:
    """Utterances that are whole recordings: their name, and where their audio is."""
    scp = folder / "wav.scp"
    above = text.Above(folder)
    for number, name, where in text.pairs(scp):
        path = _path(scp, f"line {number}", where)
        yield name, {"audio": above.path(path)}


def _segments(folder: Path) -> Iterator[tuple[str, dict | str]]:
    """Utterances that are parts of recordings: name, and where, or what is wrong."""
    segments, scp = folder / "segments", folder / "wav.scp"
    recordings = text.Lookup(scp, keep=True)
    above = text.Above(folder)
    for number, name, rest in text.pairs(segments):
        fields = rest.split()
        try:
            recording, (start, end) = fields[0], map(float, fields[1:3])
            channel = int(fields[3]) if len(fields) > 3 else None
        except (ValueError, IndexError):
            raise UserError(
                f"{segments}, line {number} is not 'utterance recording start end'."
            ) from None
        where = recordings.get(recording)
        if where is None:
            yield name, f"its recording '{recording}' is not in wav.scp"
            continue
        path = _path(scp, f"'{recording}'", where)
        until = None if end == -1 else end  # Kaldi's way to say: to its end
        yield name, {"audio": above.path(path), "start": start, "end": until, "channel": channel}


def _features(folder: Path) -> Iterator[tuple[str, dict | str]]:
    """Utterances of which there are features: name, and where in which archive."""
    scp = folder / "feats.scp"
    above = text.Above(folder)
    for number, name, where in text.pairs(scp):
        place = re.fullmatch(r"([^|]+):([0-9]+(?:\[[0-9:,]*\])?)", where)
        if not place:
            raise UserError(
                f"{scp}, line {number}: '{where}' is no place in an archive, such as"
                f" raw_mfcc.1.ark:57. Copy the features: copy-feats scp:{scp} ark,scp:..."
            )
        ark = above.path(Path(place[1]))
        yield name, {"audio": ark, "features": f"{ark}:{place[2]}"}


def _path(scp: Path, line: str, where: str) -> Path:
    if where.endswith("|") or where.startswith("|"):
        raise UserError(
            f"{scp}, {line}: '{where}' is a command, and commands are not run. Name audio files:"
            f" sph, flac, mp3, opus and m4a are read as they are. (In a folder without wav.scp,"
            f" the features of feats.scp are used.)"
        )
    if re.search(r"\.ark:[0-9]+$", where):
        raise UserError(f"{scp}, {line}: '{where}' is in an archive. Name audio files.")
    if not where:
        raise UserError(f"{scp}, {line}: there is no path.")
    return Path(where)
