"""Stage 4: decodes test sets to phones (greedily) and to words (through the graph)."""

import dataclasses
import json
import logging
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import kaldi_decoder
import kaldifst
import numpy as np
import torch
from tqdm import tqdm

from cascade import model, workers
from cascade.batches import UtteranceSet
from cascade.cmn import read_cms_init
from cascade.errors import UserError
from cascade.files import write_json, write_text_table
from cascade.graph import read_graph, read_words
from cascade.greedy import greedy
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.phones import read_phones
from cascade.recipe import Dataset, Decode, Recipe

log = logging.getLogger("cascade")
TUNED = ("acoustic_scale", "blank_penalty", "word_penalty")
BATCH_SECONDS = 60.0  # fixed, and batches never split, so that --nj changes no figure


class Decoder:
    """A model with its graph: utterances in, phones and words out."""

    def __init__(self, recipe: Recipe, layout: Layout, system: str, dataset: Dataset):
        self.acoustic = AcousticModel(recipe, layout, system, [dataset_key(recipe, dataset)])
        self.data, self.phones = self.acoustic.data, self.acoustic.phones
        self.words = read_words(layout.words)
        self.search = WordSearch(layout.graph, search_settings(recipe, layout, system))

    def __call__(self, indices: Sequence[int]) -> list[tuple[str, list[str], list[str]]]:
        """Decodes a batch: ``(utterance, phones, words)`` of each."""
        found = []
        for name, log_probs in self.acoustic(indices):
            (labels,) = greedy(torch.from_numpy(log_probs[None]), [len(log_probs)])
            words = [self.words[i] for i in self.search(log_probs)]
            found.append((name, [self.phones[i] for i in labels], words))
        return found


class AcousticModel:
    """A trained network and the utterances of some data sets."""

    def __init__(self, recipe: Recipe, layout: Layout, system: str, keys: Sequence[str]):
        self.network, config = model.load(layout.system(system))
        self.language = config.language
        self.phones = read_phones(layout.system(system) / "phones.txt")
        mean = read_cms_init(layout.cms_init)
        self.data = UtteranceSet(layout, keys, self.phones, recipe.features, mean, whole=True)

    @torch.inference_mode()
    def __call__(self, indices: Sequence[int]) -> list[tuple[str, np.ndarray]]:
        """The utterances of a batch, each with its log-probabilities (T, phones)."""
        batch = self.data.batch(list(indices))
        inputs = {self.language: torch.from_numpy(batch.inputs)}
        log_probs = self.network(inputs)[0].numpy()  # (N, T, phones)
        rows = zip(batch.ids, log_probs, batch.lengths, strict=True)
        return [(name, row[:length]) for name, row, length in rows]


def search_settings(recipe: Recipe, layout: Layout, system: str) -> Decode:
    """The recipe's settings of the search with those that were found for ``system``."""
    path = layout.search(system)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["found"]
        return dataclasses.replace(recipe.decode, **{key: float(found[key]) for key in TUNED})
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} does not read. Run stage 4 again with --force.") from None


class WordSearch:
    """Viterbi beam search through the decoding graph (Kaldi's FasterDecoder)."""

    def __init__(self, graph: Path, settings: Decode):
        self.graph = read_graph(graph, settings.word_penalty)
        self.settings = settings

    def __call__(self, log_probs: np.ndarray, settings: Decode | None = None) -> list[int]:
        """Word numbers for the log-probabilities (T, phones) of one utterance.

        Where no path comes to the end of a word, the best one that does not is taken.
        Other ``settings`` than the object's need have the same word penalty.
        """
        settings = settings or self.settings
        scores = np.maximum(log_probs, -1e4) * settings.acoustic_scale
        scores[:, 0] -= settings.blank_penalty
        options = kaldi_decoder.FasterDecoderOptions(
            beam=settings.beam, max_active=settings.max_active
        )
        decoder = kaldi_decoder.FasterDecoder(self.graph, options)
        decoder.decode(kaldi_decoder.DecodableCtc(np.ascontiguousarray(scores, dtype=np.float32)))
        found, path = decoder.get_best_path()
        if not found:
            return []
        return kaldifst.get_linear_symbol_sequence(path)[2]


_decoder: Decoder | None = None


def _decode_batch(indices: Sequence[int]) -> tuple[list[tuple[str, list[str], list[str]]], int]:
    """In a worker process: a decoded batch, and the process's peak memory so far in KB."""
    assert _decoder is not None
    return _decoder(indices), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def decode(recipe: Recipe, layout: Layout, system: str, dataset: Dataset, jobs: int) -> None:
    """Decodes one test set with one system into ``SYSTEM/decode_TEST/``."""
    global _decoder  # workers are forked: they share the graph's memory
    torch.set_num_threads(1)
    test = dataset_name(dataset)
    folder = layout.decode(system, test)
    started = time.monotonic()
    _decoder = Decoder(recipe, layout, system, dataset)
    data = _decoder.data
    batches = list(data.in_order(BATCH_SECONDS))
    phones, words, memory = {}, {}, 0
    with workers.pool(jobs) as pool:
        bar = tqdm(
            total=len(data), desc=f"  {system} {test}", unit="utt", disable=None, leave=False
        )
        for results, peak in pool.map(_decode_batch, batches):
            memory = max(memory, peak)
            for name, spoken, written in results:
                phones[name], words[name] = spoken, written
            bar.update(len(results))
        bar.close()
    _decoder = None
    write_text_table(folder / "phones.txt", {name: phones[name] for name in sorted(phones)})
    write_text_table(folder / "words.txt", {name: words[name] for name in sorted(words)})
    seconds = time.monotonic() - started
    write_json(folder / "decode.json", {"memory_mb": memory // 1024, "seconds": round(seconds, 1)})
    log.info("%s, %s: %d utterances in %.1f s", system, test, len(data), seconds)
