"""Stage 4: decodes test sets to phones (greedily) and to words (through the graph)."""

import logging
import resource
import time
from collections.abc import Sequence

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
from cascade.graph import read_words
from cascade.greedy import greedy
from cascade.layout import Layout, dataset_key, dataset_name
from cascade.phones import read_phones
from cascade.recipe import Dataset, Decode, Recipe

log = logging.getLogger("cascade")
BATCH_SECONDS = 60.0  # fixed, and batches never split, so that --nj changes no figure


class Decoder:
    """A model with its graph: utterances in, phones and words out."""

    def __init__(self, recipe: Recipe, layout: Layout, system: str, dataset: Dataset):
        self.network, config = model.load(layout.system(system))
        self.language = config.language
        self.phones = read_phones(layout.system(system) / "phones.txt")
        mean = read_cms_init(layout.cms_init)
        key = dataset_key(recipe, dataset)
        self.data = UtteranceSet(layout, [key], self.phones, recipe.features, mean, whole=True)
        self.words = read_words(layout.words)
        self.search = WordSearch(layout, recipe.decode)

    @torch.inference_mode()
    def __call__(self, indices: Sequence[int]) -> list[tuple[str, list[str], list[str]]]:
        """Decodes a batch: ``(utterance, phones, words)`` of each."""
        batch = self.data.batch(list(indices))
        inputs = {self.language: torch.from_numpy(batch.inputs)}
        log_probs = self.network(inputs)[0]  # (N, T, phones)
        spoken = greedy(log_probs, batch.lengths.tolist())
        found = []
        for name, row, length, labels in zip(
            batch.ids, log_probs.numpy(), batch.lengths, spoken, strict=True
        ):
            words = [self.words[i] for i in self.search(row[:length])]
            found.append((name, [self.phones[i] for i in labels], words))
        return found


class WordSearch:
    """Viterbi beam search through the decoding graph (Kaldi's FasterDecoder)."""

    def __init__(self, layout: Layout, settings: Decode):
        self.graph = kaldifst.StdVectorFst.read(str(layout.graph))
        if self.graph is None:
            raise UserError(f"{layout.graph} is no decoding graph. Run stage 1 again.")
        self.options = kaldi_decoder.FasterDecoderOptions(
            beam=settings.beam, max_active=settings.max_active
        )
        self.settings = settings

    def __call__(self, log_probs: np.ndarray) -> list[int]:
        """Word numbers for the log-probabilities (T, phones) of one utterance.

        Where no path comes to the end of a word, the best one that does not is taken.
        """
        scores = np.maximum(log_probs, -1e4) * self.settings.acoustic_scale
        scores[:, 0] -= self.settings.blank_penalty
        decoder = kaldi_decoder.FasterDecoder(self.graph, self.options)
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
