"""What ``new-recipe`` tells of the data: how much there is, what was guessed, what to mind."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cascade.config.recipe import Recipe
from cascade.drafting.corpus_summary import Survey
from cascade.inventory.phone_counts import Inventory
from cascade.inventory.report import aligned, table
from cascade.inventory.sharing import compare_phones
from cascade.text.lexicon import look_up
from cascade.text.words import DROPPED

LITTLE = 10  # minutes of the target's training speech
FEW_WORDS = 500  # of a test set: a per cent is five of them
LONG_WORDS = 12  # letters a word on average; no language parted by spaces has so many
RARE = 1 / 1000  # of the transcripts; a letter that comes in fewer may be a name's
NOTED = 0.04  # a share of utterances that fail; near what stage 0 stops at
SHOWN = 5
COLUMNS = ("utterances", "speakers", "words", "different", "left out", "")


def report(
    recipe: Recipe,
    surveys: Sequence[Survey],
    letters: Mapping[str, Mapping[str, int]],
    found: Mapping[str, str],
) -> str:
    """The text to print.

    ``letters`` counts transcripts by letter, ``found`` says what was recognised, both by
    language.
    """
    parts = [_data(surveys), _guesses(recipe, surveys, letters, found), _phones(recipe, surveys)]
    warnings = list(_warnings(recipe, surveys))
    if warnings:
        parts.append("\n".join(f"warning: {warning}." for warning in warnings))
    return "\n\n".join(part for part in parts if part)


def _data(surveys: Sequence[Survey]) -> str:
    short = max(s.hours for s in surveys) < 1
    rows = [("", "", "minutes" if short else "hours", *COLUMNS)]
    for s in surveys:
        d = s.dataset
        split = ""
        if d.split:
            split = "{:g} to {:g} of 100".format(*d.split.between) + f" by {d.split.by}"
        numbers = (len(s.rows), len(s.speakers) or "not known", s.words.total(), len(s.words))
        texts = [f"{n:,}" if isinstance(n, int) else n for n in (*numbers, len(s.faults))]
        length = f"{s.hours * (60 if short else 1):.2f}"
        rows.append((f"{d.role} {d.language}", d.name, length, *texts, split))
    lines = aligned(rows, left=(0, 1, 8))
    for s in surveys:
        reasons = s.reasons()
        for count, reason in reasons[:SHOWN]:
            lines.append(f"  {s.dataset.role} {s.dataset.language}: left out {count}, as {reason}")
        if len(reasons) > SHOWN:
            lines.append(f"  and {len(reasons) - SHOWN} more reasons")
    return "\n".join(lines)


def _guesses(
    recipe: Recipe,
    surveys: Sequence[Survey],
    letters: Mapping[str, Mapping[str, int]],
    found: Mapping[str, str],
) -> str:
    lines = []
    for name, language in recipe.languages.items():
        counts = letters[name]
        mine = [s for s in surveys if s.dataset.language == name]
        texts = sum(len(s.rows) + len(s.faults) for s in mine)
        lines.append(f"{name}: {found[name]}; pronounced by espeak-ng's voice '{language.voice}'.")
        lines.append(f"  letters: {language.letters}")
        rare = [c for c in language.letters if 0 < counts.get(c, 0) < RARE * texts]
        if rare:
            lines.append(f"  rare among them: {_counted(rare, counts)}; names, perhaps")
        other = [c for c in counts if c not in language.letters and ord(c) not in DROPPED]
        if other:
            lines.append(f"  not taken, of another script: {_counted(other, counts)}")
        rates = sum((s.rates for s in mine), Counter())
        if rates:
            each = ", ".join(f"{rate} Hz ({n:,})" for rate, n in rates.most_common())
            lines.append(f"  recordings: {each}; brought to {recipe.features.rate} Hz")
    return "\n".join(lines)


def _counted(chars: Sequence[str], counts: Mapping[str, int]) -> str:
    most = sorted(chars, key=lambda char: (-counts[char], char))
    more = f" and {len(most) - 20} more" if len(most) > 20 else ""
    return ", ".join(f"{char} in {counts[char]:,}" for char in most[:20]) + more


def _phones(recipe: Recipe, surveys: Sequence[Survey]) -> str:
    """The phones of the languages' training speech, and which the target's are shared."""
    found = {}
    for name, language in recipe.languages.items():
        roles = ("train",) if name == recipe.target else ("train_ext",)
        mine = [s for s in surveys if s.dataset.language == name and s.dataset.role in roles]
        words: Counter[str] = sum((s.words for s in mine), Counter())
        phones: Counter[str] = Counter()
        for word, said in look_up(words, language).items():
            for phone in said:
                phones[phone] += words[word]
        found[name] = Inventory(name, phones, "training transcripts")
    target = found.pop(recipe.target)
    if not found:
        return f"{recipe.target}: {len(target.phones)} phones: {' '.join(sorted(target.phones))}"
    return table([compare_phones(target, other) for other in found.values()], 1.0)


def _warnings(recipe: Recipe, surveys: Sequence[Survey]) -> Iterator[str]:
    """What may spoil the training or its figures."""
    by_role: dict[str, list[Survey]] = {}
    for s in surveys:
        by_role.setdefault(s.dataset.role, []).append(s)
    training = by_role["train"]
    hours = sum(s.hours for s in training)
    if hours * 60 < LITTLE:
        yield f"{60 * hours:.1f} minutes to train on are little: the figures will say little"
    for language in recipe.ext_languages:
        other = sum(s.hours for s in by_role["train_ext"] if s.dataset.language == language)
        if other < hours:
            yield (
                f"there is less speech in '{language}' ({60 * other:.1f} min) than in the target"
                f" ({60 * hours:.1f} min), which it is to help"
            )
    said = sum((s.words for s in training), Counter())
    sentences = {row.words for s in training for row in s.rows}
    speakers = set().union(*(s.speakers for s in training))
    judging = (*by_role["valid"], *by_role["test"])
    cut = [s for s in judging if s.dataset.split and s.dataset.split.by == "utterance"]
    if cut:
        names = " and ".join(dict.fromkeys(s.dataset.role for s in cut))
        who = "one speaker" if len(speakers) == 1 else "speakers are not known, or too few"
        yield f"{names}: split by utterance, as {who}: the training has their voices, too"
    for s in judging:
        key = f"{s.dataset.role} {s.dataset.name}"
        total = s.words.total()
        if s.dataset.role == "test" and total < FEW_WORDS:
            yield f"{key} has {total} words: each is {100 / max(1, total):.1f} % of its word errors"
        shared = sorted(s.speakers & speakers)
        if shared and s not in cut:
            yield f"{key}: speakers who are in the training, too: {len(shared)} ({shared[0]})"
        if again := sum(row.words in sentences for row in s.rows):
            yield f"{key}: {again} of {len(s.rows)} sentences are said in the training, too"
        unknown = sum(n for word, n in s.words.items() if word not in said)
        known = recipe.languages[s.dataset.language].texts
        if s.dataset.role == "test" and total and unknown > 0.1 * total and not known:
            fate = "spelt from pieces" if recipe.language_model.open else "errors for sure"
            yield (
                f"{key}: {100 * unknown / total:.0f} % of the running words never come in the"
                f" training, and are {fate} without more text for the language model:"
                f" --languages.{s.dataset.language}.texts '[sentences.txt]'"
            )
    yield from _of_each(recipe, surveys)


def _of_each(recipe: Recipe, surveys: Sequence[Survey]) -> Iterator[str]:
    """What to mind of single data sets."""
    limits = recipe.limits
    for s in surveys:
        key = f"{s.dataset.role} {s.dataset.name}"
        lengths = [fault.seconds or 1.0 for fault in s.faults if not fault.selection]
        long = sum(seconds > limits.max_seconds for seconds in lengths)
        short = sum(seconds < limits.min_seconds for seconds in lengths)
        for count, what, name in (
            (long, "longer", "max_seconds"),
            (short, "shorter", "min_seconds"),
        ):
            if count:
                limit = getattr(limits, name)
                yield f"{key}: left out as {what} than limits.{name}, {limit:g} s: {count}"
        if s.excluded_share > limits.excluded_share:
            yield (
                f"{key}: {100 * s.excluded_share:.0f} % fail the checks, so stage 0 will stop:"
                f" mend them, if '{s.dataset.language}' is its language"
            )
        elif s.excluded_share > NOTED:
            yield (
                f"{key}: {100 * s.excluded_share:.0f} % fail the checks; the recipe's"
                f" limits.max_excluded lets them pass"
            )
        if s.words.total() and sum(map(len, s.words.elements())) > LONG_WORDS * s.words.total():
            yield f"{key}: words are hardly parted by spaces: what is scored are phrases"
        low = sum(n for rate, n in s.rates.items() if rate < recipe.features.rate)
        if low > s.rates.total() / 2:
            yield (
                f"{key}: {low} recordings have less than {recipe.features.rate} Hz: their upper"
                f" filters are empty; --features.rate 8000 takes all as they are on a telephone"
            )
