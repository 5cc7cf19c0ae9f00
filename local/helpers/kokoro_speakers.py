"""Speakers of Kokoro for a language: its own or borrowed voices, and mixtures of two."""

import hashlib

from cascade.runtime.errors import UserError
from local.helpers.kokoro import LANGUAGES, VOICES, Speaker

FEW = 8  # fewer voices of a group are mixed with any voice, not only with each other
SHARES = (51, 80)  # per cent that the first voice of a mixture may have


def usual(language: str) -> str:
    """The group for a language, espeak-ng's ``en-us`` or ``ru``: its own voices if it has some."""
    return "own" if _members(language, "own") else "borrowed"


def draw_speakers(language: str, group: str, number: int) -> list[Speaker]:
    """Return ``number`` speakers: voices of a group, then mixtures, in an order by hash.

    The ``group`` is ``own`` or ``borrowed``. The first voice of a mixture is of it. Raises
    `UserError` for ``own`` where Kokoro has no voice of the language.
    """
    members = _members(language, group)
    if not members:
        raise UserError(
            f"Kokoro has no voice of the language '{language}'. Use 'voices: borrowed': voices of"
            " other languages read it."
        )
    others = members if len(members) >= FEW else VOICES
    singles = sorted((Speaker(name) for name in members), key=_rank)
    speakers = {speaker.name: speaker for speaker in singles[:number]}
    draws = 0
    while len(speakers) < number:
        draws += 1
        first = members[int(draw(group, draws, "first") * len(members))]
        second = others[int(draw(group, draws, "second") * len(others))]
        share = SHARES[0] + int(draw(group, draws, "share") * (1 + SHARES[1] - SHARES[0]))
        if first != second:
            speaker = Speaker(first, second, share)
            speakers.setdefault(speaker.name, speaker)
    return sorted(speakers.values(), key=_rank)


def draw(*what: object) -> float:
    """A number from 0 to below 1 that is always the same for the same ``what``.

    >>> draw("speed", 1) == draw("speed", 1) != draw("speed", 2)
    True
    """
    digest = hashlib.sha256("\0".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _members(language: str, group: str) -> tuple[str, ...]:
    """The voices of a language, or those of all others."""
    own = language.partition("-")[0]
    return tuple(name for name in VOICES if (LANGUAGES[name[0]] == own) == (group == "own"))


def _rank(speaker: Speaker) -> float:
    return draw("rank", speaker.name)
