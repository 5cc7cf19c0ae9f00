"""Stage 1, vocabulary: words with their pronunciations, and sentences for language models."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.corpora import corpus
from cascade.runtime.files import read_lines, read_text_table, write_text
from cascade.runtime.stage import JobFiles
from cascade.text import dictionary
from cascade.text import words as text
from cascade.text.lexicon import alternatives, look_up
from cascade.text.numbers import in_words
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")
Sentence = tuple[str, ...]


@dataclass(frozen=True)
class SentenceSet:
    """The sentences of one text for the language model; ``left_out`` counts others by reason."""

    name: str
    sentences: list[Sentence]
    left_out: dict[str, int]


def build(experiment: Experiment, jobs: int) -> JobFiles:
    """Write the vocabulary with its pronunciations, and the sentences; return files it read.

    The vocabulary has all words of transcripts and texts, then the likeliest of the
    dictionaries up to the recipe's ``words``; none because it is in a test. A word with a
    phone that no recording has is left out, and so are the sentences that contain it.
    """
    recipe, layout = experiment.recipe, experiment.layout
    language = recipe.target_language
    phones = set(read_phones(layout.phones_of(recipe.target))[1:])
    request = corpus.CorpusRequest(layout.downloads, layout.data, jobs=jobs)
    sources = _sources(experiment, request)
    seen = Counter(w for source in sources for sentence in source.sentences for w in sentence)
    listed, read = _dictionary_words(recipe, seen, request)
    cache = layout.data / "g2p"
    lexicon = {
        word: [(*pron,)]
        for part in (set(seen), set(listed) - set(seen))  # so a changed text needs few new words
        for word, pron in look_up(part, language, request.jobs, cache).items()
    }
    for word, prons in alternatives(language).items():
        if word in lexicon:
            lexicon[word] += prons
    for form, pron in read_text_table(layout.as_written).items():
        for word in text.words_of(form, language):
            if word in lexicon and (*pron,) not in lexicon[word]:
                lexicon[word].append((*pron,))
    spoken = {}
    for word in sorted(lexicon):
        prons = [pron for pron in lexicon[word] if pron and phones.issuperset(pron)]
        if prons:
            spoken[word] = prons
    log.info(
        "vocabulary: %d words, %d of them in transcripts and texts; %d left out, without a"
        " pronunciation or with a phone that no recording has",
        len(spoken),
        sum(word in spoken for word in seen),
        len(lexicon) - len(spoken),
    )
    lines = (f"{word} {' '.join(pron)}\n" for word, prons in spoken.items() for pron in prons)
    write_text(layout.lexicon, "".join(lines))
    likely = (f"{word} {p:.6g}\n" for word, p in listed.items() if word in spoken)
    write_text(layout.dictionary, "".join(likely))
    ledger = ["source\tkept\treason\tleft out\n"]
    for i, source in enumerate(sources):
        usable = [s for s in source.sentences if all(word in spoken for word in s)]
        left_out = {
            **source.left_out,
            "a word is not in the vocabulary": len(source.sentences) - len(usable),
        }
        write_text(layout.sentences(i), "".join(" ".join(s) + "\n" for s in usable))
        ledger += [f"{source.name}\t{len(usable)}\t{r}\t{n}\n" for r, n in left_out.items()]
        why = ", ".join(f"{n} {reason}" for reason, n in left_out.items() if n) or "none"
        log.info("%s: %d sentences; left out: %s", source.name, len(usable), why)
    write_text(layout.lang / "excluded.tsv", "".join(ledger))
    texts = [Path(name) for name in language.texts if Path(name).is_file()]
    return JobFiles(inputs=[*texts, *read])


def _sources(experiment: Experiment, request: corpus.CorpusRequest) -> list[SentenceSet]:
    """Return the training transcripts and each of the target's texts as sentences.

    Sentences of the valid and test sets are left out, and those that the language cannot write
    (digits, other letters).
    """
    recipe = experiment.recipe
    language = recipe.target_language

    def of_roles(*roles: str) -> list[Sentence]:
        paths = [experiment.layout.text(key, "words") for key in experiment.dataset_keys(*roles)]
        return [tuple(words) for path in paths for words in read_text_table(path).values()]

    held_out = {text.folded(words, language) for words in of_roles("valid", "test")}
    fix = any(dataset.confusables for dataset in recipe.role("train"))
    numbers = any(dataset.numbers for dataset in recipe.role("train"))
    sentence_sets = []
    for name in ("transcripts", *language.texts):
        left_out = {"digits, other letters, or empty": 0, "in valid or test": 0}
        kept = []
        sentences: Iterable[Sequence[str]] = of_roles("train")
        if name != "transcripts":
            raw = lines(name, request)
            if numbers:
                raw = (in_words(line, language, Counter()) for line in raw)
            sentences = (text.words_of(line, language, fix=fix) for line in raw)
        for words in sentences:
            if not words or text.foreign(list(words), language.letters):
                left_out["digits, other letters, or empty"] += 1
            elif text.folded(words, language) in held_out:
                left_out["in valid or test"] += 1
            else:
                kept.append(tuple(words))
        sentence_sets.append(SentenceSet(name, kept, left_out))
    if not any(one.sentences for one in sentence_sets):  # all speakers read the same prompts
        log.warning(
            "warning: every sentence for the language model is also in valid or test, so the"
            " model has only single words. Add 'texts' of '%s' to the recipe.",
            recipe.target,
        )
        words = sorted({word for sentence in of_roles("train") for word in sentence})
        sentence_sets[0] = replace(sentence_sets[0], sentences=[(word,) for word in words])
    return sentence_sets


def lines(source: str, request: corpus.CorpusRequest) -> Iterable[str]:
    """Return the sentences of a text file, or of a module of ``local/`` that fetches texts.

    Raises `UserError` for an unknown ``source``.
    """
    if Path(source).is_file():
        return read_lines(Path(source))
    corpus.check_source("text", source)
    return corpus.sentences(source, request)


def _dictionary_words(
    recipe: Recipe, seen: Mapping[str, int], request: corpus.CorpusRequest
) -> tuple[dict[str, float], list[Path]]:
    """Return the chosen words of the dictionaries with their probabilities, and the files."""
    language = recipe.target_language
    if not language.dictionaries:
        return {}, []
    total: dict[str, float] = {}
    read = []
    for name in language.dictionaries:
        file = dictionary.find(name, request)
        read += [path for path in (file.path, file.path.with_suffix(".aff")) if path.is_file()]
        share = 1 / len(language.dictionaries)
        for word, p in dictionary.probabilities(dictionary.read(file), seen, language).items():
            total[word] = total.get(word, 0.0) + share * p
    chosen = dictionary.choose(total, set(seen), recipe.language_model.words)
    log.info("dictionaries: %d forms, %d of them in the vocabulary", len(total), len(chosen))
    return chosen, read
