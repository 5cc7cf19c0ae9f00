"""Running text, split into sentences."""

import re
from collections.abc import Iterable, Iterator

# After a stop and what closes with it, before what may begin a sentence.
END = re.compile(r"(?<=[.!?…])(?:[\"»”’')\]]*)\s+(?=[\"«“‘'(\[—–-]*\s*[^\W\d_])")
MARKUP = re.compile(r"<[^<>]*>")
# What no sentence has: variables, markup and paths that remain, tables.
STRANGE = re.compile(r"[<>$|{}=\\@#%&_/~^*]")
SPACE = re.compile(r"\s+")
# A stop after one of these, or after one letter, ends no sentence.
ABBREVIATION = re.compile(
    r"(?:^|[\s(«\"])(?:[^\W\d_]|mr|mrs|ms|dr|st|etc|vs|т\.\s?[деп]|др|пр|им|см|ср|гг|вв|проч|руб|тыс|млн)\.$",
    re.IGNORECASE,
)


def unique(texts: Iterable[str]) -> Iterator[str]:
    """Yield the sentences of texts in their order, each once."""
    seen = set()
    for text in texts:
        for sentence in split(text):
            if sentence not in seen:
                seen.add(sentence)
                yield sentence


def split(text: str) -> Iterator[str]:
    """Yield the sentences of a text whose line breaks mean nothing.

    Markup is taken out. A sentence with variables or other marks that nobody reads aloud is left
    out.

    >>> list(split("He came with <i>Mr. Gray</i>. Where is $name? Here!"))
    ['He came with Mr. Gray .', 'Here!']
    """
    pending = ""
    for piece in END.split(SPACE.sub(" ", MARKUP.sub(" ", text)).strip()):
        pending = f"{pending} {piece}".strip()
        if ABBREVIATION.search(pending):
            continue
        if _readable(pending):
            yield pending
        pending = ""
    if _readable(pending):
        yield pending


def _readable(sentence: str) -> bool:
    return any(char.isalpha() for char in sentence) and not STRANGE.search(sentence)
