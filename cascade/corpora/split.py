"""One corpus as several data sets: a part for training, one for validation, one for test.

An utterance's place, from 0 to 100, is a hash of its speaker's name or of its own, and a
part is what lies between two of them. Nothing but names decides: an utterance that is added
later moves no other one into another part.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping

from cascade.config.sections import Split
from cascade.corpora.corpus import Excluded, Utterance

TRIES = 100_000  # hashes, at most about, to find a seed
NEAR = 1.1  # times what is wanted: near enough to look no further


def place(name: str, seed: int) -> float:
    """A number from 0 to 100, evenly spread over names."""
    digest = hashlib.sha256(f"{seed} {name}".encode("utf-8", "surrogateescape")).digest()
    return 100 * int.from_bytes(digest[:6]) / 2**48


def group(utterance: str, speaker: str, by: str) -> str:
    """What an utterance is placed by: where a speaker is not known, always by its own name."""
    known = by == "speaker" and speaker != "unknown"
    return f"speaker {speaker}" if known else f"utterance {utterance}"


def part(
    items: Iterable[Utterance | Excluded], split: Split | None
) -> Iterator[Utterance | Excluded]:
    """Yields those of ``items`` that are in a part, all without one.

    What its corpus has excluded is in one part, too, by its id.
    """
    for item in items:
        speaker = item.speaker if isinstance(item, Utterance) else "unknown"
        if split is None or within(group(item.id, speaker, split.by), split):
            yield item


def within(name: str, split: Split) -> bool:
    """Whether what is placed by ``name`` is in a part."""
    first, last = split.between
    return first <= place(name, split.seed) < last


def choose(seconds: Mapping[str, float], wanted: Mapping[str, float], by: str) -> dict[str, Split]:
    """The parts whose amounts of speech come nearest to the ``wanted`` per cents.

    ``seconds`` holds the speech of each group; the order of ``wanted`` is that of the parts
    from 0 to 100. A seed is looked for: of three speakers, most seeds would leave a part
    without any.
    """
    best: tuple[float, dict[str, Split]] = (math.inf, {})
    for seed in range(max(10, min(1000, TRIES // max(1, len(seconds))))):
        parts, at = {}, 0.0
        for role, share in wanted.items():
            parts[role] = Split((round(at, 4), round(at + share, 4)), by, seed)
            at += share
        total = dict.fromkeys(wanted, 0.0)
        for name, length in seconds.items():
            total[next(r for r in parts if within(name, parts[r]))] += length
        everything = sum(total.values()) or 1.0
        found = {r: 100 * total[r] / everything for r in wanted}
        worst = max(abs(math.log(found[r] / wanted[r])) if found[r] else 1e9 for r in wanted)
        if worst < best[0] or not best[1]:
            best = (worst, parts)
        if worst <= math.log(NEAR):
            break
    return best[1]
