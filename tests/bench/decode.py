"""Decodes a test set with several beams: speed, memory, word errors. See decode.sh."""

import dataclasses
import gc
import resource
import sys
import time
from pathlib import Path

import torch

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.config.sections import FRAMES_PER_SECOND
from cascade.decoding.decoder import decoder_of
from cascade.decoding.network_outputs import NetworkOutputs
from cascade.decoding.word_search import search_settings
from cascade.runtime.files import read_text_table
from cascade.scoring.score import score
from cascade.text.words import WordNormalizer

BEAMS = (6.0, 8.0, 10.0, 14.0, 16.0, 18.0)


def main(folder: str = "exp/ru_en", system: str = "") -> None:
    """Times network and search; the last line is for the recipe's beam."""
    torch.set_num_threads(1)
    root = Path(folder)
    recipe = read_recipe(Path("recipes") / root.name / "recipe.yaml")
    layout = Layout(root, Path("downloads"), Path("data"))
    system = system or next(iter(recipe.systems))
    dataset = recipe.role("test")[0]
    experiment = Experiment(recipe, layout)
    outputs = NetworkOutputs(experiment, system, [experiment.dataset_key(dataset)])
    decoder = decoder_of(experiment, system)
    tuned = search_settings(recipe.decode, layout.search(system))
    reference = read_text_table(layout.text(experiment.dataset_key(dataset), "words"))
    language = recipe.languages[recipe.target]
    rule = WordNormalizer(language)
    batches = list(outputs.batches())
    seconds = sum(outputs.utterances.frames) / FRAMES_PER_SECOND
    gc.freeze()  # as stage 4 does
    print("beam  n-best      rtf  WER, %")
    trials = [*((beam, 0) for beam in BEAMS), (tuned.beam, 0), (tuned.beam, tuned.nbest)]
    for beam, nbest in trials:
        decoder.search.settings = dataclasses.replace(tuned, beam=beam, nbest=nbest)
        began = time.process_time()  # the machine may have other work
        words = {n: decoder(n, scores).words for batch in batches for n, scores in outputs(batch)}
        spent = time.process_time() - began
        errors = score(reference, words, rule)
        rate = 100 * errors.errors / errors.total
        print(f"{beam:4g}  {nbest:6d}  {spent / seconds:7.4f}  {rate:6.2f}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"rtf={spent / seconds:.4f} rss_mb={memory} utterances_per_s={len(words) / spent:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
