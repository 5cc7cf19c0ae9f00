"""The target's speech as three data sets: one to train on, one for valid, one for test."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cascade.corpora import split
from cascade.drafting.corpus_summary import DatasetSummary, UsableUtterance
from cascade.runtime.errors import UserError

# Of the speech, for validation and for test each: per cent, and hours at most.
SHARE, VALID_HOURS, TEST_HOURS = 10.0, 0.5, 1.0
FEWEST = 3  # usable utterances
# With fewer sentences they are commands or digits: a training that lacks some would be no use.
MANY_SENTENCES = 50


def divided(summaries: Sequence[DatasetSummary]) -> list[DatasetSummary]:
    """Return the target's data sets with all three roles; split off the roles that are missing.

    A missing validation set comes from the training set. So does a missing test set, unless
    there is a validation set to split. They are split by speaker, or with few speakers by
    utterance; if sentences repeat, by sentence, so that those of the test are not in the training.
    Raises `UserError` where there are too few utterances.
    """
    roles_there = {s.dataset.role for s in summaries}
    if "valid" in roles_there and "test" not in roles_there:
        source, roles = "valid", ["valid", "test"]
    else:
        source, roles = "train", ["train", *(r for r in ("valid", "test") if r not in roles_there)]
    kept = [s for s in summaries if s.dataset.role != source or len(roles) == 1]
    pool = [s for s in summaries if s not in kept]
    if not pool:
        return kept
    usable = [item for s in pool for item in s.usable]
    if len(usable) < FEWEST:
        raise UserError(
            f"{pool[0].dataset.path} has {len(usable)} usable utterances{pool[0].left_out()}."
            f" Training, validation and test need at least {FEWEST}."
        )
    wanted = _wanted(roles, sum(s.hours for s in pool))
    sentences = {split.group(i.id, i.speaker, i.text, "sentence") for i in usable}
    repeated = MANY_SENTENCES <= len(sentences) < len(usable)
    apart = "sentence" if repeated else "utterance"
    by = "speaker" if len(set().union(*(s.speakers for s in pool))) >= len(roles) else apart
    seconds = _lengths(usable, by)
    parts = split.choose(seconds, wanted, by)
    if not all(any(split.contains(part, name) for name in seconds) for part in parts.values()):
        # Each of a few speakers has more speech than valid or test get.
        parts = split.choose(_lengths(usable, apart), wanted, apart)
    parted = [
        s.part(replace(s.dataset, role=role, split=parts[role])) for role in roles for s in pool
    ]
    order = ("train", "valid", "test")
    return sorted([*parted, *kept], key=lambda s: order.index(s.dataset.role))


def _lengths(usable: Iterable[UsableUtterance], by: str) -> dict[str, float]:
    """Return the seconds of each group that stays together."""
    seconds: dict[str, float] = {}
    for item in usable:
        name = split.group(item.id, item.speaker, item.text, by)
        seconds[name] = seconds.get(name, 0.0) + item.seconds
    return seconds


def _wanted(roles: Sequence[str], hours: float) -> dict[str, float]:
    """Return the per cent of the speech for each role, with one decimal."""
    if roles[0] == "valid":
        return {"valid": 50.0, "test": 50.0}
    most = {"valid": VALID_HOURS, "test": TEST_HOURS}
    share = {r: max(0.1, round(min(SHARE, 100 * most[r] / hours), 1)) for r in roles[1:]}
    return {"train": round(100 - sum(share.values()), 1), **share}
