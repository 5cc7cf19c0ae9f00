"""Lines that characters of a game speak: which are taken, and why the others are not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

FEWEST_WORDS = 2
SLOWEST, FASTEST = 5, 25  # letters a second; beyond are effects, songs and other texts
WORD = re.compile(r"[A-Za-z']*[A-Za-z][A-Za-z']*")
ODD = re.compile(r"""[^A-Za-z\s.,:;!?'"`()-]""")  # such as <gulp>


@dataclass(frozen=True)
class Line:
    """A line of a game: the ``name`` of its sound, its text, its speaker, the sound's bytes.

    A ``speaker`` of None is not known. ``problem`` says why the game's own module leaves the line
    out, if it does.
    """

    name: str
    text: str
    speaker: str | None
    sound: bytes
    problem: str | None = None


def problems(lines: Iterable[Line]) -> list[str | None]:
    """Why each line is left out whatever its length; None for a line that may be taken.

    The second line with the same sound is left out.
    """
    reasons: list[str | None] = []
    sounds = set()
    for line in lines:
        why = line.problem or problem(line.text, line.speaker)
        if why is None and line.sound in sounds:
            why = "another line has the same recording"
        if why is None:
            sounds.add(line.sound)
        reasons.append(why)
    return reasons


def problem(text: str, speaker: str | None) -> str | None:
    """Why a line is left out, or None; the first reason that holds.

    >>> problem("Never mind...", None)
    'the speaker is not known'
    """
    if len(WORD.findall(text)) < FEWEST_WORDS:
        return f"fewer than {FEWEST_WORDS} words"
    if any(char.isdigit() for char in text):
        return "digits in the text"
    if ODD.search(text):
        return "odd signs in the text"
    return "the speaker is not known" if speaker is None else None


def speed(text: str, seconds: float) -> str | None:
    """Why a text is not that of a sound of ``seconds``, or None."""
    letters = sum(map(str.isalpha, text))
    if letters < SLOWEST * seconds:
        return f"fewer than {SLOWEST} letters a second"
    if letters > FASTEST * seconds:
        return f"more than {FASTEST} letters a second"
    return None
