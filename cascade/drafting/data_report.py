"""The report of ``new-recipe``: how much data there is, what was guessed, and warnings."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cascade.config.recipe import Recipe
from cascade.config.sections import Language
from cascade.drafting.corpus_summary import DatasetSummary
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.report import aligned, table
from cascade.inventory.sharing import compare_phones
from cascade.text.alphabet import LetterCounts
from cascade.text.lexicon import look_up
from cascade.text.respelling import not_read
from cascade.text.words import DIGITS

LITTLE = 10  # minutes of the target's training speech
FEW_WORDS = 500  # of a test set: one per cent is five of them
LONG_WORDS = 12  # letters a word on average; no language that separates words has so many
NOTED = 0.04  # a share of utterances that fail; stage 0 stops at 0.05
SHOWN = 5  # reasons of a data set
COLUMNS = ("utterances", "speakers", "words", "different", "left out", "")


class Guesses(NamedTuple):
    """What the transcripts of a language say about it.

    Attributes:
        letters: Counts of the characters of the transcripts.
        unsure: Those that are left out of the letters.
        capitals: Words that are read as espeak-ng reads capitals.
        in_english: Words that espeak-ng reads as English.
    """

    letters: LetterCounts
    unsure: Sequence[str]
    capitals: Sequence[str]
    in_english: Sequence[str]


def report(
    recipe: Recipe,
    summaries: Sequence[DatasetSummary],
    guesses: Mapping[str, Guesses],
    origins: Mapping[str, str],
) -> str:
    """Return the text to print. ``guesses`` and ``origins`` of the data are by language."""
    languages = (
        _guesses(recipe, name, summaries, guesses[name], origins[name]) for name in recipe.languages
    )
    parts = [_data(summaries), "\n".join(languages), _phones(recipe, summaries)]
    parts += [
        f"borrowed voices: stage 0 makes {dataset.minutes:g} minutes of speech. A processor core"
        " makes 1 to 2 seconds of it a second."
        for dataset in recipe.role("train_ext")
        if dataset.voices
    ]
    warnings = list(_warnings(recipe, summaries))
    if warnings:
        parts.append("\n".join(f"warning: {warning}." for warning in warnings))
    return "\n\n".join(part for part in parts if part)


def _data(summaries: Sequence[DatasetSummary]) -> str:
    short = max(s.hours for s in summaries) < 1
    rows: list[tuple[str, ...]] = [("", "", "minutes" if short else "hours", *COLUMNS)]
    for s in summaries:
        d = s.dataset
        split = ""
        if d.split:
            split = "{:g} to {:g} of 100".format(*d.split.between) + f" by {d.split.by}"
        length = f"{s.hours * (60 if short else 1):.2f}"
        speakers = f"{len(s.speakers):,}" if s.speakers else "not known"
        words = f"{s.words.total():,}", f"{len(s.words):,}"
        counts = f"{len(s.usable):,}", speakers, *words, f"{len(s.excluded):,}"
        rows.append((f"{d.role} {d.language}", d.name, length, *counts, split))
    lines = aligned(rows, left=(0, 1, 8))
    for s in summaries:
        reasons = s.reasons()
        for count, reason in reasons[:SHOWN]:
            lines.append(f"  {s.dataset.role} {s.dataset.language}: left out {count}, as {reason}")
        if len(reasons) > SHOWN:
            lines.append(f"  and {len(reasons) - SHOWN} more reasons")
    return "\n".join(lines)


def _guesses(
    recipe: Recipe, name: str, summaries: Sequence[DatasetSummary], guesses: Guesses, origin: str
) -> str:
    """Return the lines of a language."""
    language, counts, unsure = recipe.languages[name], guesses.letters, guesses.unsure
    own = [s for s in summaries if s.dataset.language == name]
    lines = [
        f"{name}: {origin}; pronounced by espeak-ng's voice '{language.voice}'.",
        f"  letters: {language.letters}",
    ]
    for char in unsure[:SHOWN]:
        times = counts.words[char]
        lines.append(
            f"  not taken: {char} (U+{ord(char):04X}), in {times} word{'s' * (times > 1)} such"
            f" as '{counts.examples[char]}'; if it is a letter of the language, add it to"
            " 'letters'"
        )
    if rest := unsure[SHOWN:]:
        lines.append(f"  not taken, either: {_counted(rest, counts.lines)}")
    other = [char for char in counts.lines if char not in {*language.letters, *unsure}]
    if other:
        lines.append(f"  not taken, because of another script: {_counted(other, counts.lines)}")
    if words := guesses.capitals:
        more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
        lines.append(
            f"  read as capitals: {', '.join(words[:SHOWN])}{more}; if they are words, remove"
            " 'capitals' from 'hints'"
        )
    if fixed := [f"{s.dataset.role} {s.dataset.name}" for s in own if s.dataset.confusables]:
        lines.append(
            f"  confusables: fix, since letters of another script look like those of words:"
            f" {', '.join(fixed)}"
        )
    lines += _numbers(own)
    lines += _voice(language, guesses.in_english)
    if rates := sum((s.rates for s in own), Counter[int]()):
        each = ", ".join(f"{rate} Hz ({n:,})" for rate, n in rates.most_common())
        lines.append(f"  recordings: {each}; resampled to {recipe.features.rate} Hz")
    return "\n".join(lines)


def _numbers(summaries: Sequence[DatasetSummary]) -> list[str]:
    """Say where numbers become words, and that the references of a test are not changed."""
    changed = [s.dataset for s in summaries if s.dataset.numbers]
    if not changed:
        return []
    where = ", ".join(f"{dataset.role} {dataset.name}" for dataset in changed)
    lines = [f"  numbers: words, since transcripts have digits: {where}"]
    if any(dataset.role == "test" for dataset in changed):
        lines.append("  numbers: most references of the test have digits, so they are changed, too")
    elif any(
        s.dataset.role == "test" and any(f"{DIGITS} in" in item.reason for item in s.excluded)
        for s in summaries
    ):
        lines.append("  numbers: not in the test; add it there if its references may be changed")
    return lines


def _voice(language: Language, in_english: Sequence[str]) -> list[str]:
    """Say what espeak-ng reads wrongly, and how to give pronunciations."""
    faults = []
    if in_english:
        faults.append(f"words such as {', '.join(in_english[:SHOWN])} as if they were English")
    if fault := not_read(language.voice):
        faults.append(fault)
    if not faults:
        return []
    return [
        f"  espeak-ng's voice '{language.voice}' reads {' and '.join(faults)}: write their"
        " pronunciations in a file, a line 'word phone phone ...' for each, and name it as"
        " 'lexicon' of the language"
    ]


def _counted(chars: Sequence[str], counts: Mapping[str, int]) -> str:
    most = sorted(chars, key=lambda char: (-counts[char], char))
    rest = f" and {len(most) - 20} more" if len(most) > 20 else ""
    return ", ".join(f"{char} in {counts[char]:,}" for char in most[:20]) + rest


def _phones(recipe: Recipe, summaries: Sequence[DatasetSummary]) -> str:
    """Compare the phones of the languages' training speech."""
    inventories = {}
    for name, language in recipe.languages.items():
        role = "train" if name == recipe.target else "train_ext"
        own = [s for s in summaries if s.dataset.language == name and s.dataset.role == role]
        words = sum((s.words for s in own), Counter[str]())
        counts: Counter[str] = Counter()
        for word, phones in look_up(words, language).items():
            for phone in phones:
                counts[phone] += words[word]
        inventories[name] = Inventory(name, counts, "training transcripts")
    target = inventories.pop(recipe.target)
    if not inventories:
        return f"{recipe.target}: {len(target.phones)} phones: {' '.join(sorted(target.phones))}"
    return table([compare_phones(target, other) for other in inventories.values()], 1.0)


def _warnings(recipe: Recipe, summaries: Sequence[DatasetSummary]) -> Iterator[str]:
    """Yield what may harm the training or make its figures unreliable."""
    by_role: dict[str, list[DatasetSummary]] = {}
    for s in summaries:
        by_role.setdefault(s.dataset.role, []).append(s)
    training = by_role["train"]
    hours = sum(s.hours for s in training)
    if hours * 60 < LITTLE:
        yield f"only {60 * hours:.1f} minutes to train on: the figures will be unreliable"
    for language in recipe.ext_languages:
        other = sum(s.hours for s in by_role["train_ext"] if s.dataset.language == language)
        if other < hours:
            yield (
                f"'{language}' has less speech ({60 * other:.1f} min) than the target"
                f" ({60 * hours:.1f} min), so it may help little"
            )
    training_words = sum((s.words for s in training), Counter[str]())
    sentences = {item.words for s in training for item in s.usable}
    speakers = set[str]().union(*(s.speakers for s in training))
    held_out = (*by_role["valid"], *by_role["test"])
    cut = [s for s in held_out if s.dataset.split and s.dataset.split.by != "speaker"]
    if cut:
        names = " and ".join(dict.fromkeys(s.dataset.role for s in cut))
        if len(speakers) == 1:
            why = "there is only one speaker"
        else:
            why = "speakers are not known, or too few"
        by = " and ".join(dict.fromkeys(s.dataset.split.by for s in cut if s.dataset.split))
        yield f"{names}: split by {by}, because {why}: the training has the same voices"
    for s in held_out:
        key = f"{s.dataset.role} {s.dataset.name}"
        total = s.words.total()
        if s.dataset.role == "test" and total < FEW_WORDS:
            share = 100 / max(1, total)
            yield f"{key} has only {total} words: one word error is {share:.1f} % WER"
        shared = sorted(s.speakers & speakers)
        if shared and s not in cut:
            count = f"{len(shared)} of {len(s.speakers)} speakers"
            yield f"{key}: {count} are also in the training, such as {shared[0]}"
        if repeated := sum(item.words in sentences for item in s.usable):
            yield f"{key}: {repeated} of {len(s.usable)} sentences are also in the training"
        unknown = sum(n for word, n in s.words.items() if word not in training_words)
        texts = recipe.languages[s.dataset.language].texts
        if s.dataset.role == "test" and total and unknown > 0.1 * total and not texts:
            is_open = recipe.language_model.open
            fate = "must be spelt from pieces" if is_open else "will all be errors"
            yield (
                f"{key}: {100 * unknown / total:.0f} % of the running words are not in the"
                f" training transcripts and {fate}. Add text for the language model:"
                f" --languages.{s.dataset.language}.texts '[sentences.txt]'"
            )
    yield from _of_each(recipe, summaries)


def _of_each(recipe: Recipe, summaries: Sequence[DatasetSummary]) -> Iterator[str]:
    """Yield warnings about single data sets."""
    limits = recipe.limits
    for s in summaries:
        key = f"{s.dataset.role} {s.dataset.name}"
        lengths = [item.seconds or 1.0 for item in s.excluded if not item.selection]
        long = sum(seconds > limits.max_seconds for seconds in lengths)
        short = sum(seconds < limits.min_seconds for seconds in lengths)
        for count, what, name in (
            (long, "longer", "max_seconds"),
            (short, "shorter", "min_seconds"),
        ):
            if count:
                limit = getattr(limits, name)
                yield f"{key}: left out {count}, as {what} than limits.{name}, {limit:g} s"
        share = f"{100 * s.excluded_share:.0f} %"
        if s.excluded_share > limits.excluded_share:
            text = f"; perhaps the language is not '{s.dataset.language}'"
            yield (
                f"{key}: {share} of the utterances fail the checks, so stage 0 will stop. Fix them"
                + text * s.dataset.transcribed
            )
        elif s.excluded_share > NOTED:
            yield (
                f"{key}: {share} of the utterances fail the checks; the recipe's"
                f" limits.max_excluded allows this"
            )
        if s.words.total() and sum(map(len, s.words.elements())) > LONG_WORDS * s.words.total():
            yield f"{key}: few spaces separate words, so the scores count phrases, not words"
        low = sum(n for rate, n in s.rates.items() if rate < recipe.features.rate)
        if low > s.rates.total() / 2:
            yield (
                f"{key}: {low} recordings have less than {recipe.features.rate} Hz, so their upper"
                f" filters are empty; --features.rate 8000 resamples all to telephone quality"
            )
