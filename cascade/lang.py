"""Stage 1: pronunciations, the union phone set, the language model, the decoding graph."""

import importlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from lhotse import CutSet

from cascade import corpus, graph, ngram, text
from cascade.errors import UserError
from cascade.files import write_json, write_text_table
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.lexicon import pronounce
from cascade.phones import write_phones, write_sharing
from cascade.recipe import Recipe
from cascade.stage import Found

log = logging.getLogger("cascade")
Transcripts = Mapping[str, Mapping[str, list[str]]]  # data set, utterance, words
Pronunciations = Mapping[str, tuple[str, ...]]


def build(recipe: Recipe, layout: Layout, jobs: int) -> Found:
    """Writes everything below ``lang/``; returns the text files that went into it.

    Raises `UserError` for a word of a transcript that has no pronunciation.
    """
    transcripts = _transcripts(recipe, layout)
    sentences, left_out = _sentences(recipe, layout, transcripts, jobs)
    lexicons = {}
    for name, language in recipe.languages.items():
        words = {w for d in _of_language(recipe, name) for t in transcripts[d].values() for w in t}
        if name == recipe.target:
            words.update(word for sentence in sentences for word in sentence)
        lexicons[name] = pronounce(words, language)
        write_text_table(layout.lang / f"lexicon_{name}.txt", lexicons[name])

    counts = _write_phone_texts(recipe, layout, transcripts, lexicons)
    phones = write_phones(layout.phones, counts)
    write_sharing(layout.lang / "sharing.tsv", counts)
    _log_sharing(recipe, counts)
    _build_graph(recipe, layout, transcripts, sentences, left_out, lexicons, counts, phones)
    texts = recipe.languages[recipe.target].texts
    return Found(inputs=[Path(text) for text in texts if Path(text).is_file()])


def _transcripts(recipe: Recipe, layout: Layout) -> dict[str, dict[str, list[str]]]:
    """Reads the words of every utterance from the cuts, and writes them as Kaldi's text."""
    transcripts = {}
    for dataset in recipe.datasets:
        key = dataset_key(recipe, dataset)
        cuts = CutSet.from_jsonl_lazy(layout.cuts(key))
        transcripts[key] = {cut.id: cut.supervisions[0].text.split() for cut in cuts}
        write_text_table(layout.text(key, "words"), transcripts[key])
        speakers = {cut.id: [cut.supervisions[0].speaker] for cut in cuts}
        write_text_table(layout.text(key, "speakers"), speakers)
    return transcripts


def _of_language(recipe: Recipe, name: str) -> list[str]:
    return [dataset_key(recipe, d) for d in recipe.datasets if d.language == name]


def _sentences(
    recipe: Recipe, layout: Layout, transcripts: Transcripts, jobs: int
) -> tuple[list[tuple[str, ...]], int]:
    """The language model's sentences, none of them a test's; and how many were left out.

    Transcripts of the training part first, then the recipe's free texts. A sentence that
    the language cannot write (digits, other letters) is no use to the model.
    """
    language = recipe.languages[recipe.target]
    held_out = {
        tuple(words)
        for role in ("valid", "test")
        for dataset in recipe.role(role)
        for words in transcripts[dataset_key(recipe, dataset)].values()
    }
    found = [
        tuple(words)
        for dataset in recipe.role("train")
        for words in transcripts[dataset_key(recipe, dataset)].values()
    ]
    for source in language.texts:
        unusable = 0
        for line in lines(source, layout, jobs):
            words = text.words_of(line, language.letters)
            if not words or text.foreign(words, language.letters):
                unusable += 1
            else:
                found.append(tuple(words))
        log.info("%s: %d sentences left out (digits, other letters, empty)", source, unusable)
    kept = [sentence for sentence in found if sentence not in held_out]
    return kept, len(found) - len(kept)


def lines(source: str, layout: Layout, jobs: int) -> Iterable[str]:
    """The sentences of a text file, or of a module of ``local/`` that fetches texts."""
    if Path(source).is_file():
        return Path(source).read_text(encoding="utf-8").splitlines()
    if not (corpus.LOCAL / f"{source}.py").is_file() or not source.startswith("texts_"):
        raise UserError(f"There is no text '{source}': neither a file nor local/{source}.py.")
    module = importlib.import_module(f"local.{source}")
    log.info("Licence of %s: %s", source, module.LICENCE)
    return module.sentences(corpus.Request(layout.downloads, layout.data, jobs=jobs))


def _write_phone_texts(
    recipe: Recipe,
    layout: Layout,
    transcripts: Transcripts,
    lexicons: Mapping[str, Pronunciations],
) -> dict[str, Counter]:
    """Writes every transcript in phones; returns each language's counts of its phones."""
    counts = {name: Counter() for name in recipe.languages}
    for dataset in recipe.datasets:
        key = dataset_key(recipe, dataset)
        lexicon = lexicons[dataset.language]
        table = {
            name: [phone for word in words for phone in lexicon[word]]
            for name, words in transcripts[key].items()
        }
        for phones in table.values():
            counts[dataset.language].update(phones)
        write_text_table(layout.text(key, "phones"), table)
    return {name: counter for name, counter in counts.items() if counter}


def _log_sharing(recipe: Recipe, counts: Mapping[str, Counter]) -> None:
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


def _build_graph(
    recipe, layout, transcripts, sentences, left_out, lexicons, counts, phones
) -> None:
    """The language model and the graph over the words that the target's phones can spell."""
    started = time.monotonic()
    lexicon = lexicons[recipe.target]
    spoken = set(counts[recipe.target])
    speakable = {word for word, pron in lexicon.items() if spoken.issuperset(pron)}
    usable = [sentence for sentence in sentences if speakable.issuperset(sentence)]
    if len(usable) < len(sentences):
        log.info(
            "%d sentences left out: a word has a phone that no recording has",
            len(sentences) - len(usable),
        )
    vocabulary = {word: lexicon[word] for word in sorted({w for s in usable for w in s})}
    arpa = layout.lang / "lm.arpa"
    ngram.train(usable, recipe.language_model, arpa)
    size = graph.build(vocabulary, phones, arpa, layout.graph, layout.words)
    model = ngram.read(arpa)
    summary = {
        "words": len(vocabulary),
        "ngrams": ngram.count(arpa),
        "sentences": len(usable),
        "sentences_left_out_as_held_out": left_out,
        "graph_mb": round(size / 2**20, 1),
        "build_s": round(time.monotonic() - started, 1),
        "oov": {},
        "perplexity": {},
    }
    log.info(
        "lexicon %d words; language model %d n-grams from %d sentences;"
        " graph %.1f MB, built in %.0f s",
        *(summary[k] for k in ("words", "ngrams", "sentences", "graph_mb", "build_s")),
    )
    for dataset in recipe.role("test"):
        name = dataset_name(dataset)
        lines = list(transcripts[dataset_key(recipe, dataset)].values())
        words = [word for line in lines for word in line]
        unknown = sum(word not in vocabulary for word in words)
        summary["oov"][name] = round(100 * unknown / len(words), 4)
        summary["perplexity"][name] = round(ngram.perplexity(model, lines), 2)
        log.info(
            "%s: %.2f %% of the running words unknown, perplexity %.0f",
            name,
            summary["oov"][name],
            summary["perplexity"][name],
        )
    write_json(layout.lang / "summary.json", summary)
