"""The phones of a language and how frequent each is, from the best source that is there.

Counting needs no training: where stage 1 has not run, words are pronounced here by the same
rule (`cascade.text.lexicon`). Every inventory names its source.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe_checks import NAME
from cascade.config.sections import Language
from cascade.corpora.corpus import CorpusRequest
from cascade.runtime.errors import UserError
from cascade.runtime.files import read_lines, read_text_table
from cascade.runtime.lock import turn
from cascade.text import alphabet
from cascade.text import words as text
from cascade.text.lexicon import look_up, read_lexicon

log = logging.getLogger("cascade")
RARE = 1 / 10_000  # of the running phones; rarer ones are from foreign names or errors
SENTENCES = 2_000  # of free text, evenly spread: about 25,000 words, seconds of espeak-ng
DICTIONARY = 1_000  # words; a shorter lexicon file is a list of exceptions


@dataclass(frozen=True)
class Inventory:
    """The phones of a language: how often each appears in the ``source``, which is printed."""

    language: str
    counts: Mapping[str, int]
    source: str

    @property
    def total(self) -> int:
        """The number of running phones."""
        return sum(self.counts.values())

    @property
    def phones(self) -> set[str]:
        """The phones that the language has: those that are not `RARE`."""
        return {phone for phone, count in self.counts.items() if count >= RARE * self.total}

    @property
    def rare(self) -> list[str]:
        """The rare phones, sorted."""
        return sorted(set(self.counts) - self.phones)


def recipe_inventories(experiment: Experiment) -> list[Inventory]:
    """Return the inventories of the recipe's languages, the target first.

    The source is the first of these that is there: transcripts of the training speech in
    phones (stage 1), the same in words (stage 0), the language's texts, its lexicon file if
    that is a dictionary. Raises `UserError`, which names the stage to run, for a language
    without any of them.
    """
    names = sorted(experiment.recipe.languages, key=lambda name: name != experiment.recipe.target)
    counters = [_counter(experiment, name) for name in names]  # all sources, before any work
    return [count() for count in counters]


def candidate_inventory(voice: str, file: Path | None, layout: Layout) -> Inventory:
    """Return the inventory of a language outside the recipe, by espeak-ng's ``voice``.

    Its words are from ``file``, any text, or else from ``local/texts/free_texts.py``. Raises
    `UserError` where there is no text, and for a voice that espeak-ng does not have.
    """
    if not NAME.fullmatch(voice):
        raise UserError(f"'{voice}' is not a voice of espeak-ng. Voices look like 'cs' or 'pt-br'.")
    lines, source = read_lines(file) if file else [], f"words of {file}"
    if file is None:
        lines, source = _free_text(voice, layout), "free texts"
    if not lines:
        raise UserError(f"There is no free text in '{voice}'. Give a text: --with {voice}=FILE.")
    letters = alphabet.letters(alphabet.count(lines, voice).lines)
    return _of_text(voice, lines, Language(letters, voice), source)


def _counter(experiment: Experiment, name: str) -> Callable[[], Inventory]:
    """Choose the source of a language of the recipe; return the function that counts its phones."""
    recipe, layout = experiment.recipe, experiment.layout
    role = "train" if name == recipe.target else "train_ext"
    keys = [experiment.dataset_key(d) for d in recipe.role(role) if d.language == name]
    language = recipe.languages[name]
    read: Callable[[], Iterable[str]]
    if keys and all(layout.text(key, "phones").is_file() for key in keys):
        return lambda: _of_phones(name, [layout.text(key, "phones") for key in keys], keys)
    if keys and all(layout.cuts(key).is_file() for key in keys):
        read, source = lambda: _transcripts(map(layout.cuts, keys)), f"stage 0: {', '.join(keys)}"
    elif language.texts:
        read, source = lambda: _texts(language.texts, layout), f"texts: {', '.join(language.texts)}"
    elif len(words := list(read_lexicon(language))) >= DICTIONARY:
        read, source = lambda: words, f"{language.lexicon}, each word once"
    else:
        raise UserError(
            f"There are no transcripts and no texts in '{name}' yet, so its phones cannot be"
            f" counted. Run stage 0: ./run.sh --recipe {recipe.name} --stop-stage 0"
        )
    return lambda: _of_text(name, read(), language, source)


def _of_phones(name: str, paths: Sequence[Path], keys: Sequence[str]) -> Inventory:
    """Count phones in transcripts of stage 1."""
    counts: Counter[str] = Counter()
    for path in paths:
        for phones in read_text_table(path).values():
            counts.update(phones)
    return Inventory(name, counts, f"stage 1: {', '.join(keys)}")


def _transcripts(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the transcripts of the cuts of stage 0."""
    from lhotse import CutSet  # takes seconds, and most calls have transcripts of stage 1

    for path in paths:
        for cut in CutSet.from_jsonl_lazy(path):
            yield cut.supervisions[0].text


def _texts(sources: Iterable[str], layout: Layout) -> Iterator[str]:
    """Yield the lines of a language's texts."""
    from cascade.text import vocabulary  # imports what reads dictionaries

    for source in sources:
        yield from vocabulary.lines(source, CorpusRequest(layout.downloads, layout.data))


def _free_text(voice: str, layout: Layout) -> list[str]:
    """Return at most `SENTENCES` sentences of free text, evenly spread."""
    from local.texts import free_texts

    log.info("Licence of the free texts in '%s': %s", voice, free_texts.LICENCE)
    with turn(layout.data):
        sentences = list(free_texts.sentences(CorpusRequest(layout.downloads, layout.data), voice))
    return sentences[:: -(-len(sentences) // SENTENCES) or 1]


def _of_text(name: str, lines: Iterable[str], language: Language, source: str) -> Inventory:
    """Count phones in running text; sentences with letters of other languages are left out."""
    cut = [text.words_of(line, language) for line in lines]
    words = Counter(w for line in cut if not text.foreign(line, language.letters) for w in line)
    counts: Counter[str] = Counter()
    for word, phones in look_up(words, language).items():
        for phone in phones:
            counts[phone] += words[word]
    if not counts:
        raise UserError(f"No word in '{name}' has a pronunciation: {source}.")
    return Inventory(name, counts, f"{source}, {words.total()} words by espeak-ng")
