"""Russian read by one man: the recordings behind a voice of Festival, 100 minutes.

Debian package ``festvox-ru``. The recordings are complete sentences of a novel.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cascade.corpora.corpus import CorpusRequest, Excluded, Utterance
from local.helpers import cached_folder, debian, resampling

LICENCE = "festvox-ru: BSD-like licence of the voice's authors; see its copyright file."
PARTS = ("train", "valid", "test")

PACKAGE = debian.Package(
    "festvox-ru",
    "0.5+dfsg-6",
    {"all": "21ef3f0f2978ecf2e2eddb367cb0ff4a72572196d28dc69feb84f4177af5e6c4"},
)
VOICE = "usr/share/festival/voices/russian/msu_ru_nsh_clunits"
RATE = 16000  # Hz, of its recordings
SPEAKER = "festvox_ru"
LINE = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)')


def utterances(request: CorpusRequest) -> Iterator[Utterance | Excluded]:
    """Yield the sentences of ``request.part``, or all, in the order of the list."""
    prefixes = (f"{VOICE}/wav/", f"{VOICE}/etc/", f"{VOICE}/dict/", "usr/share/doc/")
    voice = debian.unpack([PACKAGE], request, "festvox_ru", prefixes) / VOICE
    texts = list(parse(voice / "etc" / "txt.done.data"))
    wavs = voice / "wav"
    if request.rate != RATE:
        wavs = resampling.folder(
            {key: wavs / f"{key}.wav" for key, _ in texts},
            request.data / f"festvox_ru_{request.rate}",
            PACKAGE.line,
            request.rate,
            request.jobs,
        )
    for index, (key, text) in enumerate(texts):
        if request.part in (None, part(index)):
            yield Utterance(key, wavs / f"{key}.wav", text, SPEAKER)


def part(index: int) -> str:
    """The part of the sentence at 0-based ``index`` of the list."""
    return {8: "valid", 9: "test"}.get(index % 10, "train")


def parse(path: Path) -> Iterator[tuple[str, str]]:
    """Yield identifier and text of each line; a ``+``, the mark of stress, is taken out.

    ::

        ( ru_0001 "Сег+одня ут+ром шёл д+ождь." )
        ( ru_0002 "М+ы ост+ались д+ома." )
        ( ru_0003 "К в+ечеру проясн+илось." )

    Raises `UserError` for a line of another form.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise cached_folder.damaged(path, f", line {number} is not '( id \"text\" )'")
        yield match[1], match[2].replace("+", "")
