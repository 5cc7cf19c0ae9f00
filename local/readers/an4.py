"""AN4, the Census database of CMU.

``etc/an4_train.fileids`` names the recordings below ``wav/``, without their suffix::

    an4_clstk/fabc/an301-fabc-b
    an4_clstk/fabc/an302-fabc-b
    an4_clstk/mdef/an77-mdef-b

``etc/an4_train.transcription`` has their texts in the same order; those of the test part have
no ``<s>``::

    <s> ENTER TWO SIX </s> (an301-fabc-b)
    <s> M A R Y </s> (an302-fabc-b)
    <s> STOP </s> (an77-mdef-b)

Audio is ``.sph``, ``.wav`` or ``.raw`` (16 kHz, 16 bits, no header, either byte order). Raw files
are copied into wav files, with a header.
"""

import hashlib
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np
import soundfile

from cascade.corpora.corpus import CorpusRequest, Detection, Excluded, Utterance
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path
from cascade.runtime.lock import turn
from local.helpers import folders, text_files

LICENCE = "an4: the CMU Census database, free for research and commercial use."
PARTS = ("train", "test")
LOOKS_FOR = "etc/an4_train.fileids and wav"

RATE = 16000  # Hz, of the raw files
LINE = re.compile(r"(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\(([^()\s]+)\)")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the utterances of ``request.part``, or of all parts.

    Raises `UserError` if a list is missing or empty, or the two do not match.
    """
    root = find(request)
    for part in [request.part] if request.part else PARTS:
        fileids, transcription = _lists(root, part)
        empty = True
        for listed, line in zip_longest(text_files.lines(fileids), text_files.lines(transcription)):
            empty = False
            fileid = listed[1].strip() if listed else ""
            name = Path(fileid).name
            match = LINE.fullmatch(line[1].strip()) if line else None
            if match is None or match[2] != name:
                number, _ = line or listed or (0, "")
                raise UserError(
                    f"{transcription}, line {number} is not 'WORDS ({name or 'name'})': the two"
                    f" lists in {root / 'etc'} must name the same recordings in the same order."
                )
            words = match[1].replace("<sil>", " ")
            audio = _audio(root / "wav" / fileid, request)
            yield Utterance(id=name, audio=audio, text=words, speaker=_speaker(name))
        if empty:
            raise UserError(f"{fileids} is empty. It must name the recordings, one a line.")


def lists(request: CorpusRequest) -> list[Path]:
    """The lists of the parts that are asked for, and the raw files that are copied."""
    root = find(request)
    parts = [request.part] if request.part else PARTS
    files = [path for part in parts for path in _lists(root, part)]
    return [*files, *(file for file in folders.files(root / "wav") if file.suffix == ".raw")]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder, or ``an4`` in it, has a list of recordings."""
    path = folders.named(request)
    for folder in (path, path / "an4"):
        fileids = {p: folder / "etc" / f"an4_{p}.fileids" for p in PARTS}
        there = {part: file for part, file in fileids.items() if file.is_file()}
        if there:
            names = ", ".join(f"{folder.name}/etc/{file.name}" for file in there.values())
            return Detection(f"AN4: it has {names}", {part: (part,) for part in there})
    return None


def find(request: CorpusRequest) -> Path:
    """The folder with ``etc`` and ``wav``; raises `UserError`."""
    path = folders.existing("an4", request.path, "its folder, which has etc and wav")
    for folder in (path, path / "an4"):
        if (folder / "etc").is_dir() and (folder / "wav").is_dir():
            return folder
    raise UserError(f"{path} is not AN4: it must have the folders etc and wav.")


def _lists(root: Path, part: str) -> tuple[Path, Path]:
    fileids = root / "etc" / f"an4_{part}.fileids"
    transcription = fileids.with_suffix(".transcription")
    for path in (fileids, transcription):
        if not path.is_file():
            raise UserError(f"{path}, a list of AN4, is missing. Unpack AN4 again.")
    return fileids, transcription


def _speaker(name: str) -> str:
    """``fabc`` of ``an301-fabc-b``."""
    parts = name.split("-")
    return parts[1] if len(parts) == 3 else "unknown"


def _audio(stem: Path, request: CorpusRequest) -> Path:
    for suffix in (".sph", ".wav", ".flac"):
        if (audio := stem.with_name(stem.name + suffix)).is_file():
            return audio
    raw = stem.with_name(f"{stem.name}.raw")
    return _with_header(raw, request) if raw.is_file() else stem.with_name(f"{stem.name}.sph")


def _with_header(raw: Path, request: CorpusRequest) -> Path:
    """A wav of the same samples in ``request.data``; its name is a hash of its contents."""
    content = raw.read_bytes()
    name = f"{raw.stem}-{hashlib.sha256(content).hexdigest()[:16]}.wav"
    wav = request.data / "an4" / "wav" / name
    if not wav.is_file():
        even = content[: len(content) // 2 * 2]
        samples = [np.frombuffer(even, order) for order in ("<i2", ">i2")]
        # Speech is smooth; in the other byte order it is noise.
        rough = [np.abs(np.diff(s.astype(np.int64))).sum() for s in samples]
        smooth = samples[int(np.argmin(rough))].astype(np.int16)
        with turn(request.data), replacing_path(wav) as beside:
            soundfile.write(beside, smooth, RATE, format="WAV")
    return wav
