"""The target's speech as three data sets: one to train on, one for valid, one for test."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cascade.config.sections import Split
from cascade.corpora import split
from cascade.drafting.corpus_summary import DatasetSummary, UsableUtterance
from cascade.runtime.errors import UserError

WAYS = ("speaker", "sentence", "utterance")  # of splitting; the first that suits is taken
# Of the speech, for validation and for test each: per cent, and hours at most.
SHARE, VALID_HOURS, TEST_HOURS = 10.0, 0.5, 1.0
FEWEST = 3  # usable utterances
KNOWN = 0.5  # share of the words of valid and test that training must have, if split by sentence


def divided(summaries: Sequence[DatasetSummary]) -> list[DatasetSummary]:
    """Return the target's data sets with all three roles; split off the roles that are missing.

    A missing validation set comes from the training set. So does a missing test set, unless
    there is a validation set to split. They are split by speaker. With too few speakers they are
    split by sentence if sentences repeat, so that none is in two parts, else by utterance.
    Commands and digits are split by utterance, too: by sentence, the training would lack some.
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
    speakers = set[str]().union(*(s.speakers for s in pool))
    for by in WAYS if len(speakers) >= len(roles) else WAYS[1:]:
        parts = _parts(usable, wanted, by)
        if parts:
            break
    parted = [
        s.part(replace(s.dataset, role=role, split=parts[role])) for role in roles for s in pool
    ]
    order = ("train", "valid", "test")
    there = [s for s in parted if s.usable]  # one of several sets may have no part of a role
    return sorted([*there, *kept], key=lambda s: order.index(s.dataset.role))


def _parts(
    usable: Sequence[UsableUtterance], wanted: Mapping[str, float], by: str
) -> dict[str, Split]:
    """Return the split of each role; none if ``by`` does not suit these utterances."""
    groups = [split.group(i.id, i.speaker, i.text, by) for i in usable]
    seconds = dict.fromkeys(groups, 0.0)
    for name, item in zip(groups, usable, strict=True):
        seconds[name] += item.seconds
    if by == "sentence" and len(seconds) == len(usable):
        return {}
    parts = split.choose(seconds, wanted, by)
    if by == "utterance":
        return parts
    words = [Counter[str]() for _ in parts]
    for name, item in zip(groups, usable, strict=True):
        place = next(k for k, part in enumerate(parts.values()) if split.contains(part, name))
        words[place].update(item.words)
    # Each of a few speakers may have more speech than valid or test get.
    suits = all(words)
    if by == "sentence":
        suits &= all(
            sum(count for word, count in some.items() if word in words[0]) >= KNOWN * some.total()
            for some in words[1:]
        )
    return parts if suits else {}


def _wanted(roles: Sequence[str], hours: float) -> dict[str, float]:
    """Return the per cent of the speech for each role, with one decimal."""
    if roles[0] == "valid":
        return {"valid": 50.0, "test": 50.0}
    most = {"valid": VALID_HOURS, "test": TEST_HOURS}
    share = {r: max(0.1, round(min(SHARE, 100 * most[r] / hours), 1)) for r in roles[1:]}
    return {"train": round(100 - sum(share.values()), 1), **share}
