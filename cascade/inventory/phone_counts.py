"""The phones of a language and how often each comes, from the best source that there is.

Counting needs no training: where stage 1 has not run, words are pronounced here by its
rule (`cascade.text.lexicon`). Every inventory says where it comes from.
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
RARE = 1 / 10_000  # of the running phones; what comes less often is a name's or a slip's
SENTENCES = 2_000  # of free text, evenly spread: some 25,000 words, seconds of espeak-ng
DICTIONARY = 1_000  # words; a shorter lexicon file holds exceptions


@dataclass(frozen=True)
class Inventory:
    """``counts``: how often each phone comes in the ``source``, which a reader is told."""

    language: str
    counts: Mapping[str, int]
    source: str

    @property
    def total(self) -> int:
        """Running phones."""
        return sum(self.counts.values())

    @property
    def phones(self) -> set[str]:
        """The phones that the language has: those that are not `RARE`."""
        return {phone for phone, count in self.counts.items() if count >= RARE * self.total}

    @property
    def rare(self) -> list[str]:
        """The others, sorted."""
        return sorted(set(self.counts) - self.phones)


def of_recipe(experiment: Experiment) -> list[Inventory]:
    """The recipe's languages, the target first, each from the first of these that there is:

    the transcripts of its training speech in phones (stage 1) or in words (stage 0), its
    free texts, the words of its lexicon file if that is a whole dictionary. Raises
    `UserError`, which names the stage to run, where a language has none of them.
    """
    names = sorted(experiment.recipe.languages, key=lambda name: name != experiment.recipe.target)
    counting = [_counting(experiment, name) for name in names]  # all, before any work
    return [count() for count in counting]


def of_candidate(voice: str, file: Path | None, layout: Layout) -> Inventory:
    """A language that no recipe has, by espeak-ng's ``voice`` and without a ``phone_map``.

    Its words are those of ``file``, any text, or else of ``local/texts/free_texts.py``. Raises
    `UserError` where there is no text, and for a voice that espeak-ng does not have.
    """
    if not NAME.fullmatch(voice):
        raise UserError(f"'{voice}' is no voice of espeak-ng's: they look like 'cs' or 'pt-br'.")
    lines, source = read_lines(file) if file else [], f"words of {file}"
    if file is None:
        lines, source = _free(voice, layout), "free texts"
    if not lines:
        raise UserError(f"There is no free text in '{voice}': name one, --with {voice}=FILE.")
    return _of_text(voice, lines, Language(alphabet.letters(alphabet.count(lines)), voice), source)


def _counting(experiment: Experiment, name: str) -> Callable[[], Inventory]:
    """What counts the phones of a language of the recipe."""
    recipe, layout = experiment.recipe, experiment.layout
    role = "train" if name == recipe.target else "train_ext"
    keys = [experiment.dataset_key(d) for d in recipe.role(role) if d.language == name]
    language = recipe.languages[name]
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
            f"There are no transcripts and no texts in '{name}' yet to take its phones from."
            f" Run stage 0: ./run.sh --recipe {recipe.name} --stop-stage 0"
        )
    return lambda: _of_text(name, read(), language, source)


def _of_phones(name: str, paths: Sequence[Path], keys: Sequence[str]) -> Inventory:
    counts: Counter[str] = Counter()
    for path in paths:
        for phones in read_text_table(path).values():
            counts.update(phones)
    return Inventory(name, counts, f"stage 1: {', '.join(keys)}")


def _transcripts(paths: Iterable[Path]) -> Iterator[str]:
    from lhotse import CutSet  # seconds; most calls find transcripts in phones

    for path in paths:
        for cut in CutSet.from_jsonl_lazy(path):
            yield cut.supervisions[0].text


def _texts(sources: Iterable[str], layout: Layout) -> Iterator[str]:
    from cascade.text import lang  # it brings what makes graphs

    for source in sources:
        yield from lang.lines(source, CorpusRequest(layout.downloads, layout.data))


def _free(voice: str, layout: Layout) -> list[str]:
    from local.texts import free_texts

    log.info("Licence of the free texts in '%s': %s", voice, free_texts.LICENCE)
    with turn(layout.data):
        found = list(free_texts.sentences(CorpusRequest(layout.downloads, layout.data), voice))
    return found[:: -(-len(found) // SENTENCES) or 1]


def _of_text(name: str, lines: Iterable[str], language: Language, source: str) -> Inventory:
    """Pronounces running text; sentences that the language cannot write are left out."""
    cut = [text.words_of(line, language.letters) for line in lines]
    words = Counter(w for line in cut if not text.foreign(line, language.letters) for w in line)
    counts: Counter[str] = Counter()
    for word, phones in look_up(words, language).items():
        for phone in phones:
            counts[phone] += words[word]
    if not counts:
        raise UserError(f"No word in '{name}' has a pronunciation: {source}.")
    return Inventory(name, counts, f"{source}, {words.total()} words by espeak-ng")
