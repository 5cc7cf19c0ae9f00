"""One corpus as several data sets: a part for training, one for validation, one for test.

Each utterance has a position from 0 to 100: a hash of its speaker's name, of its own id, or of its
sentence. A part has the positions between two numbers. Nothing else decides, so an utterance that
is added later moves no other one into another part. If sentences decide, a corrected transcript may
move its utterance.
"""

import hashlib
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from cascade.config.sections import Split
from cascade.corpora.corpus import Excluded, Utterance

TRIES = 100_000  # hashes at most, about, to find a seed
CLOSE = 1.1  # ratio to the wanted share at which the search for a seed stops


def position(group: str, seed: int) -> float:
    """Return a number from 0 to 100; those of many groups are evenly spread.

    >>> [round(position(f"speaker s{i}", seed=0), 1) for i in range(3)]
    [12.1, 13.9, 7.7]
    """
    digest = hashlib.sha256(f"{seed} {group}".encode("utf-8", "surrogateescape")).digest()
    return 100 * int.from_bytes(digest[:6]) / 2**48


def group(utterance: str, speaker: str, text: str, by: str) -> str:
    """Name the group of utterances that an utterance stays with.

    They have the same speaker or the same sentence. One of an unknown speaker, or without a text,
    is alone. Sentences are the same if only capitals, punctuation, spaces and accents differ;
    numbers count as they are written.

    >>> group("u1", "anna", "Press 1, please.", by="speaker")
    'speaker anna'
    >>> group("u1", "unknown", "Press 1, please.", by="speaker")
    'utterance u1'
    >>> group("u1", "anna", "Press 1, please.", by="sentence")
    'sentence press1please'
    """
    if by == "speaker" and speaker != "unknown":
        return f"speaker {speaker}"
    if by == "sentence" and (sentence := _sentence(text)):
        return f"sentence {sentence}"
    return f"utterance {utterance}"


def _sentence(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text.casefold())))


def select(
    items: Iterable[Utterance | Excluded], split: Split | None
) -> Iterator[Utterance | Excluded]:
    """Yield the items that are in a part; all of them if ``split`` is None.

    What the corpus itself leaves out is placed by its id.
    """
    for item in items:
        speaker, text = "unknown", ""
        if isinstance(item, Utterance):
            speaker, text = item.speaker, item.text
        if split is None or contains(split, group(item.id, speaker, text, split.by)):
            yield item


def contains(split: Split, group: str) -> bool:
    """Say whether a group is in a part.

    >>> contains(Split((0.0, 80.0), "speaker", seed=0), "speaker s0")
    True
    """
    first, last = split.between
    return first <= position(group, split.seed) < last


def choose(seconds: Mapping[str, float], wanted: Mapping[str, float], by: str) -> dict[str, Split]:
    """Choose the seed with which the parts come nearest to the ``wanted`` percentages of speech.

    ``seconds`` has the length of each group; ``wanted`` gives the parts in the order of their
    positions. The seed matters: with most seeds, one of three speakers would be in no part.

    >>> parts = choose({"speaker a": 60, "speaker b": 60}, {"train": 50, "test": 50}, "speaker")
    >>> [contains(part, "speaker a") + contains(part, "speaker b") for part in parts.values()]
    [1, 1]
    """
    best: tuple[float, dict[str, Split]] = (math.inf, {})
    for seed in range(max(10, min(1000, TRIES // max(1, len(seconds))))):
        parts, begin = {}, 0.0
        for role, share in wanted.items():
            parts[role] = Split((round(begin, 4), round(begin + share, 4)), by, seed)
            begin += share
        total = dict.fromkeys(wanted, 0.0)
        for name, length in seconds.items():
            total[next(role for role in parts if contains(parts[role], name))] += length
        everything = sum(total.values()) or 1.0
        shares = {role: 100 * total[role] / everything for role in wanted}
        worst = max(
            abs(math.log(shares[role] / wanted[role])) if shares[role] else 1e9 for role in wanted
        )
        if worst < best[0] or not best[1]:
            best = (worst, parts)
        if worst <= math.log(CLOSE):
            break
    return best[1]
