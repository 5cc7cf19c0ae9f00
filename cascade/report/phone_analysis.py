"""In which phones a system gains: phones that languages share, errors fixed and introduced.

A phone of the target's training is *shared* if the training of another language has it, too. Else
it is the target's *own*. A phone of the test that the target's training lacks is *new*.
A substitution or deletion is an error of the reference's phone, an insertion one of the inserted
phone.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cascade.config.experiment import Experiment
from cascade.runtime.files import read_text_table
from cascade.scoring.score import EPS, Score
from cascade.scoring.significance import SystemComparison, compare

CLASSES = ("shared", "own", "new")


@dataclass(frozen=True)
class Change:
    """An error that ``system`` makes more or less often than ``reference``.

    ``ref`` or ``hyp`` is `EPS` where ``operation`` is an insertion or a deletion.
    """

    reference: str
    system: str
    operation: str
    ref: str
    hyp: str
    before: int
    after: int

    @property
    def more(self) -> int:
        """How many errors more; below 0 for fewer."""
        return self.after - self.before


def training_phones(experiment: Experiment) -> dict[str, Counter]:
    """Count the phones in the training transcripts of each language, the target first.

    Of the target only its own speech counts, not other streams of it.
    """
    recipe = experiment.recipe
    counts: dict[str, Counter] = {
        name: Counter() for name in (recipe.target, *recipe.ext_languages)
    }
    others = [d for d in recipe.role("train_ext") if d.language != recipe.target]
    for dataset in [*recipe.role("train"), *others]:
        table = read_text_table(experiment.layout.text(experiment.dataset_key(dataset), "phones"))
        for phones in table.values():
            counts[dataset.language].update(phones)
    return counts


def class_of(phone: str, training: Mapping[str, Collection[str]]) -> str:
    """Return one of `CLASSES`; ``training`` as of `training_phones`.

    >>> training = {"ru": {"a", "ɨ"}, "en": {"a", "w"}}
    >>> [class_of(phone, training) for phone in ("a", "ɨ", "w")]
    ['shared', 'own', 'new']
    """
    target, *others = training.values()
    if phone not in target:
        return "new"
    return "shared" if any(phone in other for other in others) else "own"


def by_class(
    scores: Mapping[str, Score], training: Mapping[str, Collection[str]], speakers: Sequence[str]
) -> dict[str, SystemComparison]:
    """Compare systems on the phones of each class that the test set has."""
    counted = {system: class_counts(score, training) for system, score in scores.items()}
    tokens = next(iter(counted.values()))[0]
    return {
        name: compare({system: errors[k] for system, (_, errors) in counted.items()}, row, speakers)
        for k, (name, row) in enumerate(zip(CLASSES, tokens, strict=True))
        if row.any()
    }


def class_extents(
    score: Score, training: Mapping[str, Collection[str]]
) -> dict[str, dict[str, int]]:
    """Return for each class how many different ``phones`` and how many ``tokens`` the test has."""
    spoken = Counter(phone for phones in score.ref.values() for phone in phones)
    extents = {name: {"phones": 0, "tokens": 0} for name in CLASSES}
    for phone, times in spoken.items():
        extent = extents[class_of(phone, training)]
        extent["phones"] += 1
        extent["tokens"] += times
    return extents


def class_counts(
    score: Score, training: Mapping[str, Collection[str]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return reference phones and errors, both (3, U): by class and utterance."""
    place: dict[str, int] = {}
    tokens, errors = np.zeros((2, len(CLASSES), len(score.ref)), dtype=np.int64)
    for column, utterance in enumerate(score.ref):
        for ref, hyp in score.pairs(utterance):
            phone = hyp if ref == EPS else ref
            if phone not in place:
                place[phone] = CLASSES.index(class_of(phone, training))
            tokens[place[phone], column] += ref != EPS
            errors[place[phone], column] += ref != hyp
    return tokens, errors


def changes(scores: Mapping[str, Score]) -> list[Change]:
    """Return where each other system differs from the first one, the largest change first."""
    (reference, first), *others = scores.items()
    before = _errors(first)
    changed = []
    for system, other in others:
        after = _errors(other)
        of_system = [
            Change(reference, system, operation, ref, hyp, before[error], after[error])
            for error in before | after
            for operation, ref, hyp in [error]
            if before[error] != after[error]
        ]
        changed += sorted(of_system, key=lambda c: (-abs(c.more), c.operation, c.ref, c.hyp))
    return changed


def phones_tsv(scores: Mapping[str, Score], training: Mapping[str, Counter]) -> str:
    """Return a line a phone of the test: its class, its count in each training, its errors.

    The errors of each system are substitutions, deletions, insertions, and the rate in per cent.
    """
    first = next(iter(scores.values()))
    tokens = Counter(phone for phones in first.ref.values() for phone in phones)
    errors: dict[str, Counter] = {}  # by system, then by operation and phone
    for system, score in scores.items():
        errors[system] = Counter()
        for operation, ref, hyp, times in score.ops:
            errors[system][operation, hyp if ref == EPS else ref] += times
    phones = {phone for counts in errors.values() for _, phone in counts}
    kinds = ("substitution", "deletion", "insertion")
    header = ["phone", "class", *(f"train_{language}" for language in training), "test"]
    header += [f"{system}_{kind}" for system in scores for kind in ("sub", "del", "ins", "per")]
    lines = [header]
    for phone in sorted(phones, key=lambda p: (CLASSES.index(class_of(p, training)), p)):
        line = [phone, class_of(phone, training)]
        line += [str(counts[phone]) for counts in training.values()]
        line.append(str(tokens[phone]))
        for counts in errors.values():
            each = [counts[kind, phone] for kind in kinds]
            rate = f"{100 * sum(each) / tokens[phone]:.2f}" if tokens[phone] else "n/a"
            line += [*map(str, each), rate]
        lines.append(line)
    return "".join("\t".join(line) + "\n" for line in lines)


def changes_tsv(changed: Sequence[Change], training: Mapping[str, Collection[str]]) -> str:
    """Return a line for each `Change`, with the class of its phone."""
    lines = ["reference\tsystem\toperation\tref\thyp\tclass\tbefore\tafter\tmore\n"]
    for c in changed:
        name = class_of(c.hyp if c.ref == EPS else c.ref, training)
        numbers = f"{c.before}\t{c.after}\t{c.more:+d}"
        lines.append(
            f"{c.reference}\t{c.system}\t{c.operation}\t{c.ref}\t{c.hyp}\t{name}\t{numbers}\n"
        )
    return "".join(lines)


def _errors(score: Score) -> Counter:
    """Count the errors: (operation, reference, hypothesis)."""
    return Counter({(op, r, h): n for op, r, h, n in score.ops if op != "correct"})
