"""The voices of espeak-ng: which languages it has, and which voice a language code means."""

import difflib
import re
from collections.abc import Mapping, Sequence

from cascade.runtime.errors import UserError
from cascade.text.lexicon import run_g2p
from cascade.text.respelling import question

# Language codes that espeak-ng does not have, and the names that it uses.
USUAL = {"en": "en-us", "fr": "fr-fr", "zh": "cmn", "no": "nb", "hy-am": "hy"}
NAME_PHONES = 4  # a letter that adds more phones to a word is spelt


def voice_names() -> dict[str, str]:
    """Return the name of the language by voice; raise `UserError` if espeak-ng fails."""
    listing = run_g2p("--voices")
    names = dict(re.findall(r"^\s*(\S+)\s*->\s*(.*?)\s*$", listing, re.MULTILINE))
    if not names:
        raise UserError("espeak-ng does not list its languages.")
    return names


def voice(code: str, voices: dict[str, str]) -> str:
    """Return the voice for a language code. A region that espeak-ng does not have is ignored.

    Raises `UserError`, which names similar voices, if there is none.

    >>> voice("en", {"en-us": "English (America)"}), voice("sv-SE", {"sv": "Swedish"})
    ('en-us', 'sv')
    """
    lower = code.lower().replace("_", "-")
    for name in (lower, lower.partition("-")[0]):
        for candidate in (name, USUAL.get(name, "")):
            if candidate in voices:
                return candidate
    names = ", ".join(f"{name} ({voices[name]})" for name in similar(lower, voices))
    raise UserError(f"espeak-ng has no language '{code}'. Similar: {names}.")


def unread(voice: str, examples: Mapping[str, str]) -> list[str]:
    """Return the letters that a voice does not read but spells by a name, in the order given.

    ``examples`` has a word for each letter. Such a name is long: *Latin small letter sharp s*.
    Raises `UserError` if espeak-ng fails.
    """
    if not examples:
        return []
    with_it = list(examples.values())
    without = [word.replace(letter, "") for letter, word in examples.items()]
    asked = [question(word, voice) for word in with_it + without]
    lines = run_g2p(voice, text="".join(f"{word}\n" for word in asked)).split("\n")
    phones = [len(line.split()) for line in lines]
    return [
        letter
        for i, (letter, word) in enumerate(examples.items())
        if phones[i] - phones[len(examples) + i] > NAME_PHONES * word.count(letter)
    ]


def in_english(voice: str, words: Sequence[str]) -> list[str]:
    """Return the words that a voice reads by the rules of English, as it lacks their letters.

    Raises `UserError` if espeak-ng fails.
    """
    if not words:
        return []
    lines = run_g2p("--flags", voice, text="".join(f"{question(w, voice)}\n" for w in words))
    return [word for word, ipa in zip(words, lines.split("\n"), strict=False) if "(" in ipa]


def similar(code: str, voices: dict[str, str]) -> list[str]:
    """Return three voices whose name or language is most like ``code``, the most similar first.

    >>> similar("german", {"de": "German", "gn": "Guarani", "ru": "Russian", "uk": "Ukrainian"})
    ['de', 'gn', 'ru']
    """

    def likeness(name: str) -> float:
        words = (name, *voices[name].lower().split())
        return max(difflib.SequenceMatcher(None, code, word).ratio() for word in words)

    return sorted(voices, key=lambda name: (-likeness(name), len(name), name))[:3]
