"""Running text, taken apart into sentences."""

import re
from collections.abc import Iterator

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


def split(text: str) -> Iterator[str]:
    """Yields the sentences of a text whose line breaks mean nothing.

    Markup is taken out; a sentence with variables or other things that nobody reads
    aloud is left out as a whole.
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
