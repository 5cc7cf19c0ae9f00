"""Reads an epoch of training speech in one process, cold; prepare.py calls it."""

import argparse
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from lhotse import CutSet

from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe
from cascade.config.systems import Augment
from cascade.features.batches import UtteranceSet
from cascade.features.sources import archive_of
from cascade.features.streams import StreamIterator
from cascade.runtime.files import text_rows

KEY = "train_ru"
PHONES = ["<blk>", "a", "b", "c", "d"]
STILL = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)
BATCH, LIMIT = 400.0, 60.0  # seconds of speech, and at most so many of time
SHAR = 10_000  # utterances that are written as Lhotse Shar


def forget(files: set[str]) -> None:
    """Ask the kernel to drop what it keeps of files."""
    for file in files:
        with open(file, "rb") as stream:
            os.fsync(stream.fileno())
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def batches(layout: Layout, recipe: Path, shards: int) -> Iterator[int]:
    """Yield how many utterances each batch of an epoch has."""
    with layout.text(KEY, "phones").open("w", encoding="utf-8") as text:
        for row in text_rows(layout.scp(KEY)):
            text.write(f"{row.key} {'a b c d ' * 5}\n")
    features = read_recipe(recipe).features
    data = UtteranceSet(layout, [KEY], PHONES, features, np.zeros(features.filters))
    iterator = StreamIterator(data, "ru", BATCH, STILL, 0, shuffled_shards=shards)
    iterator.fetches = True
    while not iterator.at_end:
        yield len(data.read(next(iterator)).ids)


def shar(layout: Layout, folder: Path) -> Iterator[int]:
    """Yield 1 for each utterance that Lhotse reads from its own shards."""
    for cut in CutSet.from_shar(in_dir=folder, shuffle_shards=True, seed=0):
        assert cut.load_features().shape[1] == 40
        yield 1


def anonymous() -> float:
    """MB of memory that only this process has."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("root", type=Path)
    parser.add_argument("--shards", type=int, default=0)
    parser.add_argument("--shar", type=Path, help="a folder to write as Lhotse Shar, and to read")
    options = parser.parse_args()
    layout = Layout(options.root, options.root, options.root)
    layout.text(KEY, "phones").parent.mkdir(parents=True, exist_ok=True)
    if options.shar:
        options.shar.mkdir()
        cuts = CutSet.from_jsonl_lazy(layout.feature_cuts(KEY)).subset(first=SHAR)
        cuts.to_shar(options.shar, fields={"features": "numpy"}, shard_size=500, verbose=False)
        forget({str(path) for path in options.shar.iterdir()})
        numbers = shar(layout, options.shar)
    else:
        forget({archive_of(" ".join(row.tokens)) for row in text_rows(layout.scp(KEY))})
        numbers = batches(layout, options.recipe, options.shards)
    started, used, count, peak = time.perf_counter(), time.process_time(), 0, 0.0
    for number in numbers:
        count, peak = count + number, max(peak, anonymous())
        if time.perf_counter() - started > LIMIT:
            break
    seconds, cpu, size = time.perf_counter() - started, time.process_time() - used, 0
    if options.shar:
        size = sum(path.stat().st_size for path in options.shar.iterdir())
        shutil.rmtree(options.shar)
    print(count / seconds, count / cpu, peak, size / count)


if __name__ == "__main__":
    main()
