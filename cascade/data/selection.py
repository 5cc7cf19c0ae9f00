"""The last steps of a data set in stage 0: choose utterances, write them, judge the result.

They go on from the `UsableDataset` of `cascade.data.dataset_checks`.
"""

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cascade.corpora.corpus import Excluded
from cascade.data.dataset_checks import UsableDataset
from cascade.data.ledger import SHOWN
from cascade.data.overlap import Fingerprints, short_digest
from cascade.data.utterance_checks import CheckedUtterance
from cascade.text.written import CAPITALS, acronyms

log = logging.getLogger("cascade")


@dataclass(frozen=True)
class SelectedDataset:
    """A data set that is written.

    ``fingerprints`` and ``seconds`` are of the chosen utterances. ``mixed`` counts those
    whose channels are averaged without the recipe saying so, by their number of channels.
    """

    usable: UsableDataset
    fingerprints: Fingerprints
    seconds: float
    mixed: Counter[int]


def limit_speakers(usable: UsableDataset) -> UsableDataset:
    """Return the data set with at most ``max_minutes_per_speaker`` of each speaker.

    What is taken out goes to the ledger. A hash of the ids decides, and not the seed: a smaller
    limit keeps a part of what a larger one keeps. An unknown speaker may be several, and has no
    limit.
    """
    listed = usable.listed
    minutes = listed.dataset.max_minutes_per_speaker
    if minutes is None:
        return usable
    places, speakers, ranks = array("Q"), array("Q"), array("Q")
    wanted = set(usable.numbers.tolist())
    for number, item in enumerate(usable.utterances):
        if number in wanted and item.speaker != "unknown":
            places.append(number)
            speakers.append(short_digest(item.speaker))
            ranks.append(short_digest(item.id))
    known = np.isin(usable.numbers, np.array(places, np.uint64))
    used: Counter[int] = Counter()  # milliseconds by speaker
    full = set()  # speakers whose next utterance was too much
    taken_out = set()
    lengths = np.rint(1000 * usable.seconds[known]).astype(int)
    for i in np.lexsort((np.array(places), np.array(ranks))).tolist():
        speaker = speakers[i]
        if speaker in full or used[speaker] + lengths[i] > 60_000 * minutes:
            full.add(speaker)
            taken_out.add(places[i])
        else:
            used[speaker] += int(lengths[i])
    return _without(usable, taken_out, f"beyond max_minutes_per_speaker: {minutes:g}")


def leave_out_heard(usable: UsableDataset, others: Iterable[Fingerprints]) -> UsableDataset:
    """Return untranscribed speech without recordings of ``others``, the other data sets."""
    fingerprints = Fingerprints(usable.listed.language)
    for number, item in enumerate(usable.utterances):
        fingerprints.add(number, item)
    heard = set(fingerprints.heard_in(others))
    return _without(usable, heard, "its recording is in another data set")


def _without(usable: UsableDataset, taken_out: Collection[int], reason: str) -> UsableDataset:
    """Return the data set without the numbers ``taken_out``, which go to the ledger."""
    for number, item in enumerate(usable.utterances if taken_out else ()):
        if number in taken_out:
            excluded = Excluded(item.id, reason, item.seconds, selection=True)
            usable.listed.exclusions.add(excluded)
    kept = ~np.isin(usable.numbers, np.array(sorted(taken_out), np.uint64))
    return replace(
        usable,
        numbers=usable.numbers[kept],
        ranks=usable.ranks[kept],
        seconds=usable.seconds[kept],
    )


def choose_minutes(training: Sequence[UsableDataset], minutes: str) -> list[np.ndarray]:
    """Choose ``minutes`` of the target's training speech, from all its data sets together.

    Only the seed and the ids decide the order in which utterances are taken, so a smaller
    choice is always inside a larger one. Returns the numbers of the chosen utterances of each
    data set, in rising order.
    """
    numbers = [usable.numbers for usable in training]
    if minutes == "all" or not sum(map(len, numbers)):
        return numbers
    order = np.argsort(np.concatenate([usable.ranks for usable in training]), kind="stable")
    total = np.cumsum(np.concatenate([usable.seconds for usable in training])[order])
    if total[-1] < float(minutes) * 60:
        log.warning(
            "target_minutes: %s, but there are only %.1f minutes; all are used.",
            minutes,
            total[-1] / 60,
        )
    count = np.searchsorted(np.append(0.0, total), float(minutes) * 60)
    chosen = np.zeros(len(order), bool)
    chosen[order[:count]] = True
    ends = np.cumsum([len(some) for some in numbers])
    masks = np.split(chosen, ends[:-1])
    return [some[mask] for some, mask in zip(numbers, masks, strict=True)]


def acronyms_in(name: str, datasets: Iterable[UsableDataset]) -> set[str]:
    """Return the words in capitals of the language ``name`` that are read by their letters.

    All that is usable decides, not only what ``target_minutes`` leaves: the phones of a test must
    not depend on the seed that draws the training speech.
    """
    found: set[str] = set()
    ordinary: set[str] = set()
    language = None
    for usable in datasets:
        if usable.listed.dataset.language != name or CAPITALS not in usable.listed.language.hints:
            continue
        language = usable.listed.language
        for item in usable.utterances:
            forms = {int(place): form for place, form in item.written.items() if form.isupper()}
            found |= set(forms.values())
            ordinary |= {word for place, word in enumerate(item.words) if place not in forms}
    return acronyms(found, language, ordinary) if language else set()


def write_selection(
    usable: UsableDataset, chosen: np.ndarray, write: Callable[[CheckedUtterance, bool], None]
) -> SelectedDataset:
    """Call ``write`` for every usable utterance, and say whether it is one of ``chosen``.

    ``chosen`` are some of ``usable.numbers``. The others go to the ledger, unless the set is
    untranscribed: then they are there already.
    """
    listed = usable.listed
    fingerprints, seconds, mixed = Fingerprints(listed.language), 0.0, Counter[int]()
    reason = f"beyond target_minutes: {listed.recipe.target_minutes}"
    coming_usable, coming_chosen = iter(usable.numbers.tolist()), iter(chosen.tolist())
    next_usable, next_chosen = next(coming_usable, None), next(coming_chosen, None)
    for number, item in enumerate(usable.utterances):
        if number != next_usable:
            continue
        next_usable = next(coming_usable, None)
        write(item, number == next_chosen)
        if number != next_chosen:
            if listed.dataset.transcribed:
                listed.exclusions.add(Excluded(item.id, reason, item.seconds, selection=True))
            continue
        next_chosen = next(coming_chosen, None)
        fingerprints.add(number, item)
        seconds += item.seconds
        if item.mixed_channels and listed.dataset.channel is None:
            mixed[item.mixed_channels] += 1
    return SelectedDataset(usable, fingerprints, seconds, mixed)


def log_contents(selected: SelectedDataset) -> None:
    """Log what a data set contains and what was left out of it."""
    listed = selected.usable.listed
    speakers = selected.fingerprints.speaker_count()
    log.info(
        "%s: %d utterance%s, %.1f min, %s (%s)",
        listed.key,
        (count := len(selected.fingerprints)),
        "" if count == 1 else "s",
        selected.seconds / 60,
        {0: "speakers not known", 1: "1 speaker"}.get(speakers, f"{speakers} speakers"),
        listed.dataset.label,
    )
    if speakers and (unknown := selected.fingerprints.unknown_speakers()):
        log.info("  %d of them by unknown speakers: limits by speaker do not count them", unknown)
    unknown, split = selected.fingerprints.unknown_speakers(), listed.dataset.split
    if unknown and split and split.by == "speaker":
        log.warning(
            "  %d of them by unknown speakers: 'split' divides them by utterance, so a speaker may"
            " be in several parts. Name the speakers in the lists of the corpus.",
            unknown,
        )
    for channels, count in sorted(selected.mixed.items()):
        log.warning(
            "  %d of %d channels: the mean of the channels is used. In the recipe's data set,"
            " 'channel: 0' takes the first channel, and 'channel: mix' confirms the mean.",
            count,
            channels,
        )
    for change, count in sorted(listed.changes.items()):
        log.info("  %d %s", count, change)
    exclusions = listed.exclusions
    for reason, count in exclusions.selections.most_common():
        log.info("  not selected: %d, %s", count, reason)
    for item in exclusions.faults:
        log.warning("  left out: %s: %s.", item.id, item.reason)
    if exclusions.fault_count > SHOWN:
        log.warning("  ... and %d more, see excluded.tsv", exclusions.fault_count - SHOWN)


def failure(selected: SelectedDataset) -> str | None:
    """Return why stage 0 must stop, such as that nothing is left; else None."""
    listed = selected.usable.listed
    key, recipe, faults = listed.key, listed.recipe, listed.exclusions.fault_count
    total = selected.usable.passed + faults
    if not len(selected.fingerprints):
        if selected.usable.passed and not listed.dataset.transcribed:
            return (
                f"{key}: no recording is left. Other data sets of the recipe have them, or"
                " max_minutes_per_speaker takes them out: see excluded.tsv. Use fewer minutes of"
                " 'train', or leave this data set out."
            )
        if selected.usable.passed and not len(selected.usable.numbers):
            limit = listed.dataset.max_minutes_per_speaker
            return (
                f"{key}: max_minutes_per_speaker: {limit:g} leaves no utterance of it. Use more"
                f" minutes."
            )
        if selected.usable.passed:
            return (
                f"{key}: target_minutes: {recipe.target_minutes} leaves no utterance of it. Use"
                f" more minutes."
            )
        return f"{key}: no utterance of corpus '{listed.dataset.corpus}' is usable."
    if listed.dataset.adapt and (unknown := selected.fingerprints.unknown_speakers()):
        return (
            f"{key}: 'adapt: speaker' needs the speaker of each utterance, and {unknown} of"
            f" {len(selected.fingerprints)} have none. Name the speakers in the lists of the"
            " corpus, or leave 'adapt' out."
        )
    if faults > recipe.limits.excluded_share * total:
        return (
            f"{key}: {faults} of {total} utterances fail the checks, more than"
            f" limits.max_excluded: {recipe.limits.max_excluded} allows."
            f" Fix them (excluded.tsv lists each), or raise the limit."
        )
    return None
