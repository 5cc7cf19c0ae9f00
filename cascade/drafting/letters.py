"""The letters of the languages of a new recipe; transcripts with other letters, or with digits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cascade.config.sections import HINTS, Dataset, Language
from cascade.corpora.corpus import CorpusRequest
from cascade.drafting.corpus_summary import transcripts
from cascade.drafting.recipe_text import ExistingSettings
from cascade.text import alphabet, voices
from cascade.text.alphabet import LetterCounts
from cascade.text.characters import CONFUSABLES, VOWEL_MARKS
from cascade.text.numbers import in_words
from cascade.text.words import words_of
from cascade.text.written import acronyms, forms, in_capitals, pronunciations

FEW_LINES = 1 / 20
FEW_WORDS = 3 / 10_000
MANY = 200  # letters: they are characters of Chinese or Japanese


def doubtful(voice: str, counts: LetterCounts, known: str = "") -> list[str]:
    """Return letters that are perhaps of names or of another language, most frequent first.

    They are in few words, or the voice of the language does not read them. Of a language whose
    letters are ``known``, all others in few lines are doubtful.
    """
    own = [
        c for c in alphabet.letters({**dict.fromkeys(known, 1), **counts.lines}) if c not in known
    ]
    if len(own) > MANY:
        return []
    few = {c for c in own if counts.lines[c] <= FEW_LINES * counts.line_count}
    rare = {c for c in few if known or counts.words[c] < FEW_WORDS * counts.word_count}
    examples = {c: counts.examples[c] for c in own if c in few - rare and c.isalpha()}
    rare |= set(voices.unread(voice, examples))
    return sorted(rare, key=lambda c: (-counts.words[c], c))


def language_of(
    voice: str, counts: LetterCounts, existing: ExistingSettings | None, unsure: Sequence[str]
) -> Language:
    """Set up a language. Its letters are those of another recipe and of the transcripts.

    Those of the transcripts that are ``unsure`` are left out.

    The rest comes from the other recipe only if that has all languages of the new one: a phone
    map renames phones to be like those of another language.
    """
    sure = {char: times for char, times in counts.lines.items() if char not in unsure}
    if existing is None:
        return Language(alphabet.letters(sure), voice)
    letters = existing.language.letters
    merged = alphabet.letters({**dict.fromkeys(letters, 1), **sure})
    letters += "".join(char for char in merged if char not in letters)
    if not existing.together:
        return Language(letters, voice)
    return replace(existing.language, letters=letters, texts=(), dictionaries=())


def hints_in(lines: Iterable[str], language: Language) -> tuple[tuple[str, ...], list[str]]:
    """Return the hints in transcripts on how words are read, and the words in capitals."""
    every = replace(language, hints=HINTS)
    found: Counter[str] = Counter()
    short: Counter[str] = Counter()  # in lines all in capitals
    ordinary: set[str] = set()
    upper = lower = 0  # lines
    for line in lines:
        as_written = forms(line, every)
        all_capitals = in_capitals(line)
        upper, lower = upper + all_capitals, lower + any(map(str.islower, line))
        (short if all_capitals else found).update(as_written.values())
        words = enumerate(words_of(line, language))
        ordinary |= {word for place, word in words if place not in as_written}
    if upper < lower:  # else all transcripts are in capitals
        found += short
    read = pronunciations(acronyms(found, language, ordinary), language, ordinary)
    capitals = set(read)  # those that espeak-ng does not read as words
    marked = {form for form in found if not form.isupper()}
    vowels = {form for form in marked if VOWEL_MARKS.search(form)}
    kinds = zip(HINTS, (capitals, marked - vowels, vowels), strict=True)
    most = sorted(capitals, key=lambda form: (-found[form], form))
    return tuple(hint for hint, words in kinds if words), most


def confusable(
    dataset: Dataset,
    language: Language,
    letters: Mapping[str, LetterCounts],
    request: CorpusRequest,
) -> bool:
    """Say whether words of a data set have letters that only look like those of the language."""
    if letters[dataset.language].lines.keys() <= set(language.letters):
        return False
    changes: Counter[str] = Counter()
    for line in transcripts(dataset, request, language):
        words_of(line, language, changes, fix=True)
    return changes[CONFUSABLES] > 0


def numbered(dataset: Dataset, language: Language, request: CorpusRequest) -> bool:
    """Say whether transcripts of a data set have numbers that can be written as words."""
    changes: Counter[str] = Counter()
    return any(
        in_words(line, language, changes) and changes
        for line in transcripts(dataset, request, language)
    )
