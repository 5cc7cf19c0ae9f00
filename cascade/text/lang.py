"""Stage 1, words: transcripts, pronunciations, phones, and sentences for language models."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lhotse import CutSet

from cascade.config.experiment import Experiment
from cascade.config.recipe import Recipe
from cascade.corpora import corpus
from cascade.runtime.files import read_lines, write_text, write_text_table
from cascade.runtime.stage import JobFiles
from cascade.text import dictionary
from cascade.text import words as text
from cascade.text.lexicon import alternatives, look_up, pronounce, unwritable
from cascade.text.phones import write_phones, write_sharing

log = logging.getLogger("cascade")
Sentence = tuple[str, ...]
Transcripts = Mapping[str, Mapping[str, list[str]]]  # data set, utterance, words
Pronunciations = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class SentenceSet:
    """The sentences of one text for the language model; ``left_out`` counts others by reason."""

    name: str
    sentences: list[Sentence]
    left_out: dict[str, int]


def build(experiment: Experiment, jobs: int) -> JobFiles:
    """Write transcripts, lexicons, phones and sentences; return the text files that were read.

    Raises `UserError` if a word of a transcript has no pronunciation.
    """
    recipe, layout = experiment.recipe, experiment.layout
    transcripts = _transcripts(experiment)
    lexicons = {}
    for name, language in recipe.languages.items():
        words = {
            w for d in _of_language(experiment, name) for t in transcripts[d].values() for w in t
        }
        lexicons[name] = pronounce(words, language)
        if odd := unwritable(language):
            log.warning(
                "warning: %s: %d words cannot be in a transcript of '%s', such as '%s'.",
                *(language.lexicon, len(odd), name, odd[0]),
            )
        write_text_table(layout.lang / f"lexicon_{name}.txt", lexicons[name])
    counts = _write_phone_texts(experiment, transcripts, lexicons)
    write_phones(layout.phones, counts)
    write_sharing(layout.lang / "sharing.tsv", counts)
    _log_sharing(recipe, counts)

    request = corpus.CorpusRequest(layout.downloads, layout.data, jobs=jobs)
    sources = _sources(experiment, transcripts, request)
    read = _write_vocabulary(experiment, sources, set(counts[recipe.target]), request)
    texts = recipe.target_language.texts
    return JobFiles(inputs=[*(Path(text) for text in texts if Path(text).is_file()), *read])


def _transcripts(experiment: Experiment) -> dict[str, dict[str, list[str]]]:
    """Read the words of every utterance from the cuts; write them as Kaldi's text."""
    layout = experiment.layout
    transcripts = {}
    for dataset in experiment.recipe.datasets:
        key = experiment.dataset_key(dataset)
        cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
        transcripts[key] = {cut.id: cut.supervisions[0].text.split() for cut in cuts}
        write_text_table(layout.text(key, "words"), transcripts[key])
        speakers = {cut.id: [cut.supervisions[0].speaker] for cut in cuts}
        write_text_table(layout.text(key, "speakers"), speakers)
    return transcripts


def _of_language(experiment: Experiment, name: str) -> list[str]:
    return [experiment.dataset_key(d) for d in experiment.recipe.datasets if d.language == name]


def _sources(
    experiment: Experiment, transcripts: Transcripts, request: corpus.CorpusRequest
) -> list[SentenceSet]:
    """Return the training transcripts and each of the target's texts as sentences.

    Sentences of the valid and test sets are left out, and those that the language cannot write
    (digits, other letters).
    """
    recipe = experiment.recipe
    language = recipe.target_language

    def of_roles(*roles: str) -> list[Sentence]:
        keys = [experiment.dataset_key(d) for d in recipe.datasets if d.role in roles]
        return [tuple(words) for key in keys for words in transcripts[key].values()]

    held_out = set(of_roles("valid", "test"))
    sentence_sets = []
    for name in ("transcripts", *language.texts):
        left_out = {"digits, other letters, or empty": 0, "in valid or test": 0}
        kept = []
        sentences: Iterable[Sequence[str]] = of_roles("train")
        if name != "transcripts":
            raw = lines(name, request)
            sentences = (text.words_of(line, language.letters) for line in raw)
        for words in sentences:
            if not words or text.foreign(list(words), language.letters):
                left_out["digits, other letters, or empty"] += 1
            elif tuple(words) in held_out:
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


def _write_phone_texts(
    experiment: Experiment,
    transcripts: Transcripts,
    lexicons: Mapping[str, Pronunciations],
) -> dict[str, Counter[str]]:
    """Write every transcript in phones; return the counts of phones by language."""
    recipe = experiment.recipe
    counts = {name: Counter[str]() for name in recipe.languages}
    for dataset in recipe.datasets:
        key = experiment.dataset_key(dataset)
        lexicon = lexicons[dataset.language]
        table = {
            name: [phone for word in words for phone in lexicon[word]]
            for name, words in transcripts[key].items()
        }
        for phones in table.values():
            counts[dataset.language].update(phones)
        write_text_table(experiment.layout.text(key, "phones"), table)
    return {name: counter for name, counter in counts.items() if counter}


def _log_sharing(recipe: Recipe, counts: Mapping[str, Counter[str]]) -> None:
    target = counts[recipe.target]
    running = sum(target.values())
    log.info("%s: %d phones", recipe.target, len(target))
    for name in recipe.ext_languages:
        shared = set(target) & set(counts[name])
        covered = 100 * sum(target[phone] for phone in shared) / running
        log.info(
            "%s: %d phones, %d shared with %s: %.1f %% of its running phones",
            name,
            len(counts[name]),
            len(shared),
            recipe.target,
            covered,
        )


def _write_vocabulary(
    experiment: Experiment,
    sources: Sequence[SentenceSet],
    phones: set[str],
    request: corpus.CorpusRequest,
) -> list[Path]:
    """Write the vocabulary with its pronunciations, and the sentences; return dictionary files.

    The vocabulary has all words of transcripts and texts, then the likeliest of the
    dictionaries up to the recipe's ``words``; none because it is in a test. A word with a
    phone that no recording has is left out, and so are the sentences that contain it.
    """
    recipe, layout = experiment.recipe, experiment.layout
    language = recipe.target_language
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
    return read


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
