"""CMU's Census database AN4, in the folder that the recipe names.

``etc/an4_train.fileids`` names the recordings below ``wav/`` without their suffix, and
``etc/an4_train.transcription`` has ``<s> WORDS </s> (name)`` in the same order; of the test
part without ``<s>``. Audio is ``.sph``, ``.wav`` or ``.raw`` (16 kHz, 16 bits, no header, of
either byte order): raw files are written once more with a header.
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
from local.helpers import lists as text

LICENCE = "an4: the CMU Census database, free for research and commercial use."
PARTS = ("train", "test")
LOOKS_FOR = "etc/an4_train.fileids and wav"

RATE = 16000  # Hz, of the raw files
LINE = re.compile(r"(?:<s>)?\s*(.*?)\s*(?:</s>)?\s*\(([^()\s]+)\)")


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yields the utterances of the parts asked for, all without ``part:``."""
    root = find(request)
    for part in [request.part] if request.part else PARTS:
        fileids, transcription = _lists(root, part)
        empty = True
        for found, line in zip_longest(text.lines(fileids), text.lines(transcription)):
            empty = False
            match = LINE.fullmatch(line[1].strip()) if line else None
            name = Path(found[1].strip()).name if found else None
            if not match or match[2] != name:
                number = (line or found)[0]
                raise UserError(
                    f"{transcription}, line {number} is not 'WORDS ({name or 'name'})': the two"
                    f" lists in {root / 'etc'} must name the same recordings in the same order."
                )
            words = match[1].replace("<sil>", " ")
            audio = _audio(root / "wav" / found[1].strip(), request)
            yield Utterance(id=name, audio=audio, text=words, speaker=_speaker(name))
        if empty:
            raise UserError(f"{fileids} is empty.")


def lists(request: CorpusRequest) -> list[Path]:
    """The lists of the parts asked for, and what has to be written once more."""
    root = find(request)
    parts = [request.part] if request.part else PARTS
    listed = [path for part in parts for path in _lists(root, part)]
    return [*listed, *sorted((root / "wav").rglob("*.raw"))]


def detect(request: CorpusRequest) -> Detection | None:
    """Whether the folder, or ``an4`` in it, has a list of recordings."""
    for folder in (request.path, request.path / "an4"):
        there = [p for p in PARTS if (folder / "etc" / f"an4_{p}.fileids").is_file()]
        if there:
            parts = {part: (part,) for part in there}
            return Detection(f"AN4: it has {_names(folder, there)}", parts)
    return None


def find(request: CorpusRequest) -> Path:
    """The folder with ``etc`` and ``wav``; raises `UserError`."""
    path = text.folder("an4", request.path, "its folder, which has etc and wav")
    for folder in (path, path / "an4"):
        if (folder / "etc").is_dir() and (folder / "wav").is_dir():
            return folder
    raise UserError(f"{path} is not AN4: it must have the folders etc and wav.")


def _lists(root: Path, part: str) -> tuple[Path, Path]:
    found = (root / "etc" / f"an4_{part}.fileids", root / "etc" / f"an4_{part}.transcription")
    for path in found:
        if not path.is_file():
            raise UserError(f"{path} is missing.")
    return found


def _names(folder: Path, parts: list[str]) -> str:
    return ", ".join(f"{folder.name}/etc/an4_{part}.fileids" for part in parts)


def _speaker(name: str) -> str:
    """``fash`` of ``an251-fash-b``."""
    parts = name.split("-")
    return parts[1] if len(parts) == 3 else "unknown"


def _audio(stem: Path, request: CorpusRequest) -> Path:
    for suffix in (".sph", ".wav", ".flac"):
        if (audio := stem.with_name(stem.name + suffix)).is_file():
            return audio
    raw = stem.with_name(f"{stem.name}.raw")
    return _with_header(raw, request) if raw.is_file() else stem.with_name(f"{stem.name}.sph")


def _with_header(raw: Path, request: CorpusRequest) -> Path:
    """A wav of the same samples, kept in ``data``; its name is that of its contents."""
    content = raw.read_bytes()
    name = f"{raw.stem}-{hashlib.sha256(content).hexdigest()[:16]}.wav"
    wav = request.data / "an4" / "wav" / name
    if not wav.is_file():
        samples = [
            np.frombuffer(content[: len(content) // 2 * 2], order) for order in ("<i2", ">i2")
        ]
        # Speech is smooth; in the other byte order it is noise.
        rough = [np.abs(np.diff(s.astype(np.int64))).sum() for s in samples]
        with turn(request.data), replacing_path(wav) as beside:
            soundfile.write(
                beside, samples[int(np.argmin(rough))].astype(np.int16), RATE, format="WAV"
            )
    return wav
