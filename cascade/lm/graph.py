"""The decoding graph: phones with CTC's blanks in, words out.

It is T o min(det(L o G)): L spells words in phones, G is the language model, T lets a phone
last several frames and puts blanks between (Miao et al. 2015, arXiv:1507.08240).
`cascade.lm.prefix_trees` makes the part over phones, `cascade.lm.ctc_topology` adds the
blanks, `cascade.lm.const_fst` writes the file.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cascade.config.experiment import Experiment
from cascade.lm import ngram, spelling
from cascade.lm.const_fst import change_inputs, write_graph
from cascade.lm.ctc_topology import with_blanks
from cascade.lm.ngram import Model
from cascade.lm.prefix_trees import grow
from cascade.runtime.errors import UserError
from cascade.runtime.files import replacing_path, write_json, write_text
from cascade.text.phones import read_phones

log = logging.getLogger("cascade")
EPSILON = "<eps>"


def make_word_graph(experiment: Experiment) -> None:
    """Write the graph of words of a recipe, its word table, and ``lang/summary.json``."""
    recipe, layout = experiment.recipe, experiment.layout
    started = time.monotonic()
    lexicon = read_lexicon(layout.lexicon)
    phones = read_phones(layout.phones)
    model, unknown = ngram.read(layout.arpa), None
    if recipe.language_model.open:
        share = spelling.unknown_share(experiment, lexicon)
        log.info("open vocabulary: an unknown word has the probability %.3f", share)
        unknown = UnknownWords(ngram.read(layout.spelling_arpa), share)
    size = build(lexicon, phones, model, layout.graph, layout.words, unknown)
    of_model = json.loads(layout.lm_summary.read_text(encoding="utf-8"))
    oov: dict[str, float] = {}
    summary = {
        "words": len(lexicon),
        "ngrams": of_model["ngrams"],
        "graph_mb": round(size / 2**20, 1),
        "build_s": round(time.monotonic() - started, 1),
        "oov": oov,
        **of_model,
    }
    log.info(
        "%d words, %d n-grams; graph %.1f MB, built in %.0f s",
        *(summary[key] for key in ("words", "ngrams", "graph_mb", "build_s")),
    )
    for dataset in recipe.role("test"):
        name = dataset.label
        count, total = spelling.count_unknown(experiment, experiment.dataset_key(dataset), lexicon)
        oov[name] = round(100 * count / total, 4)
        log.info("%s: %.2f %% of the running words unknown", name, oov[name])
    write_json(layout.lang_summary, summary)


def read_lexicon(path: Path) -> dict[str, list[list[str]]]:
    """Read a lexicon: ``word phone phone ...`` on each line. A word may be on several lines.

    ::

        а a
        авось a v o sʲ
    """
    lexicon: dict[str, list[list[str]]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split()
            lexicon.setdefault(word, []).append(phones)
    return lexicon


@dataclass(frozen=True)
class UnknownWords:
    """The n-gram of pieces that spells unknown words (`cascade.lm.spelling`), and their share."""

    model: Model
    share: float

    def spellings(self) -> dict[str, list[str]]:
        """Return the phones of each piece, without ``<s>`` and ``</s>``."""
        phones = {name: spelling.phones_of(name) for (name,) in self.model.grams[0]}
        return {name: some for name, some in phones.items() if some}


def build(
    lexicon: Mapping[str, Sequence[Sequence[str]]],
    phones: Sequence[str],
    model: Model,
    graph: Path,
    words: Path,
    unknown: UnknownWords | None = None,
) -> int:
    """Write ``graph`` and the word table ``words``; return the graph's size in bytes.

    ``lexicon`` has the pronunciations of each word. Input label k of the graph is output k - 1
    of the network, so the blank is 1. Output labels are numbers of the table, in which words
    and last pieces of words come before other pieces::

        <eps> 0
        а 1
        авось 2
    """
    _check_number(phones)
    spellings = unknown.spellings() if unknown else {}
    pieces = sorted(spellings)
    pieces.sort(key=spelling.ends_word, reverse=True)
    table = [EPSILON, *sorted(lexicon), *pieces]
    write_text(words, "".join(f"{word} {i}\n" for i, word in enumerate(table)))
    numbers = {word: i for i, word in enumerate(table)}
    labels = {phone: i for i, phone in enumerate(phones)}
    spelled = [
        (numbers[word], bytes(labels[phone] for phone in pronunciation))
        for word, pronunciations in lexicon.items()
        for pronunciation in pronunciations
    ]
    spelled += [(numbers[p], bytes(labels[phone] for phone in spellings[p])) for p in pieces]
    history = model.states(numbers)
    if unknown:
        last = {numbers[piece] for piece in pieces if spelling.ends_word(piece)}
        history = ngram.with_unknown(history, unknown.model.states(numbers), last, unknown.share)
    states, arcs, start = with_blanks(grow(spelled, history.words), history)
    with replacing_path(graph) as temporary:
        write_graph(temporary, states, arcs, start)
    return graph.stat().st_size


def renumber(graph: Path, phones: Path, before: Path) -> None:
    """Give the phones of a graph the numbers of ``phones``; it has those of ``before``.

    Phones are numbered in alphabetical order, so the bytes are those that `build` gives for
    ``phones``.
    """
    old, new = read_phones(before), read_phones(phones)
    _check_number(new)
    if old != new:
        numbers = {phone: i + 1 for i, phone in enumerate(new)}
        change_inputs(graph, np.array([0, *(numbers.get(phone, -1) for phone in old)], np.int32))


def _check_number(phones: Sequence[str]) -> None:
    """Raise `UserError` for more phones than a graph can have."""
    if len(phones) > 256:
        raise UserError(
            f"The recipe has {len(phones) - 1} phones; a decoding graph can have 255. Rename"
            " some of them to others by 'phone_map'."
        )


def read_words(path: Path) -> list[str]:
    """Read a word table: the words by number, then the pieces of words (see `build`)."""
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines()]
