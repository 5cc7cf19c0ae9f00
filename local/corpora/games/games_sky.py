"""Beneath a Steel Sky: 1.9 hours of some 45 characters, 8 bits a sample at 11,025 Hz.

Debian package ``beneath-a-steel-sky``. The game's scripts tell which character says a text. It
is not known which actors played them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from local.corpora.games import rnc
from local.corpora.games.game_lines import Line
from local.corpora.games.sky_files import HEADER, archive, names, texts
from local.corpora.games.sky_scripts import PARTNER, RUNNING, Call, calls
from local.helpers import debian

PACKAGE = debian.Package(
    "beneath-a-steel-sky",
    "0.0372-8",
    {"all": "e2a25c880220c26a4dfd42904b878cc655afa1c72895f9c932befbd078622934"},
)
FOLDER = "usr/share/scummvm/beneath-a-steel-sky/"
RATE = 11025  # Hz, of its recordings

SPEECH = range(50000, 59494)  # files with speech; those behind are the intro, without texts
SECTIONS = (0, 600, 1100, 2430, 3380, 4530, 5080, 5230)  # first file of each, from 50000 on
SCRIPTS = range(60400, 60407)
HERO = "foster"

# The partner of each conversation, by script. Read off the lines; where they do not tell, a name
# is npc and the script's number.
PARTNERS = {
    0x0040: "vincent",
    0x0041: "gardener",
    0x0042: "blunt",
    0x0043: "colston",
    0x0044: "gallagher",
    0x0045: "judge",
    0x005D: "lamb",
    0x10A9: "hobbins",
    0x10AB: "joey",
    0x209A: "lamb",
    0x2105: "anita",
    0x2106: "lamb",
    0x210F: "joey",
    0x3139: "burke",
    0x313B: "joey",
    0x313C: "anchor",
    0x313D: "trevor",
    0x313E: "hologram",
    0x4001: "danielle",
    0x4002: "henri",
    0x4004: "jukebox",
    0x4006: "babs",
    0x5002: "medic",
    0x5003: "ken",
    0x5004: "father",
}
# Scripts in which the running character is not the hero, after text and voice. None: not known.
RUNNERS = {
    0x100C: None,
    0x1010: None,
    0x1074: None,
    0x108E: "hobbins",
    0x2055: "npc2109",
    0x206C: "joey",
    0x207A: "lamb",
    0x20BC: None,
    0x30B8: "joey",
    0x30BD: "joey",
    0x4012: "danielle",
    0x4018: "danielle",
    0x401C: "danielle",
    0x40C9: "colston",
    0x508C: "npc5001",
    0x5129: None,
    0x5133: "ken",
    0x5178: "ken",
    0x517C: None,
}
SAME = {  # names of one character
    "hologram_b": "hologram",
    "holo": "hologram",
    "medi": "medic",
    "sc31_guard": "guard",
    "sc36_gallagher": "gallagher",
    "sc42_clerk": "clerk",
    "sc42_jobsworth": "jobsworth",
    "sc42_prosecution": "prosecution",
}
# A mumbling partner: the script, and how his lines begin ("Mmf mgh gog MMPHG!", "M'n ooh mmpf").
GAGGED, MUMBLED = 0x210F, re.compile("M(m|n|gh|')")


def lines(folder: Path) -> Iterator[Line]:
    """Yield every speech file that has a text, in the order of their numbers.

    ``folder`` is where the package is unpacked. Raises `UserError` for files of other contents.
    """
    game = archive(folder / FOLDER)
    objects = names(folder / FOLDER / "sky.cpt")
    by_text = defaultdict(list)
    for module, number in enumerate(SCRIPTS):
        for call in calls(game.plain(number), module):
            by_text[call.text].append(call)
    for section, first in enumerate(SECTIONS):
        after = (*SECTIONS, len(SPEECH))[section + 1]
        numbers = range(SPEECH.start + first, SPEECH.start + after)
        wanted = {number - numbers.start for number in numbers if number in game.files}
        for index, text in sorted(texts(game, section, wanted).items()):
            number = numbers.start + index
            text_calls = by_text[section << 12 | index]
            gagged = MUMBLED.match(text) and any(call.script == GAGGED for call in text_calls)
            problem = "somebody who is gagged" if gagged else None
            name = speaker(text_calls, objects)
            yield Line(str(number), text, name and f"sky_{name}", game.stored(number), problem)


def speaker(text_calls: list[Call], objects: dict[int, str]) -> str | None:
    """Who says a text in most of the calls, the first of several; None if it is not known."""
    who = Counter(_character(call, objects) for call in text_calls)
    return who.most_common(1)[0][0] if who else None


def _character(call: Call, objects: dict[int, str]) -> str | None:
    if call.variable == PARTNER:
        return PARTNERS.get(call.script, f"npc{call.script:04x}")
    if call.variable == RUNNING:
        return RUNNERS.get(call.script, HERO)
    if call.variable is not None:
        return None
    name = HERO if call.object is None else objects.get(call.object)
    return SAME.get(name, name) if name else None


def samples(line: Line) -> np.ndarray:
    """Unpack the sound of a line, floats of +-1, (N,) at `RATE`.

    Raises `ValueError` for a sound that is damaged.
    """
    return np.frombuffer(rnc.unpack(line.sound[HEADER:]), np.uint8) / 128 - 1
