"""Stored features with random values, as stages 1 and 2 leave them, and sets of them."""

import kaldiio
import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import Features
from cascade.config.systems import Augment
from cascade.features.batches import UtteranceSet
from cascade.runtime.files import write_text, write_text_table

PHONES = ["<blk>", "a", "b", "c"]
SETTINGS = Features(filters=4, cmn_window=20, cmn_global=10)
CMS = np.array([1.0, 2.0, 3.0, 4.0])
STILL = Augment(stretch=0, warp=0, channel=0, time_masks=0, filter_masks=0)


def stored(layout: Layout, frames, texts=None, key="train_ru") -> Layout:
    """Write utterances of the given lengths."""
    random = np.random.default_rng(5)
    names = [f"{key}-{i}" for i in range(len(frames))]
    layout.feats.mkdir(parents=True, exist_ok=True)
    matrices = {
        name: random.normal(3, 1, (n, 4)).astype(np.float32)
        for name, n in zip(names, frames, strict=True)
    }
    kaldiio.save_ark(str(layout.feats / f"{key}.1.ark"), matrices, scp=str(layout.scp(key)))
    lines = (f"{name} {n}\n" for name, n in zip(names, frames, strict=True))
    write_text(layout.num_frames(key), "".join(lines))
    texts = texts or ["a b"] * len(frames)
    rows = {name: text.split() for name, text in zip(names, texts, strict=True)}
    write_text_table(layout.text(key, "phones"), rows)
    return layout


def data(layout, keys=("train_ru",), settings=SETTINGS, **options):
    return UtteranceSet(layout, list(keys), PHONES, settings, CMS, **options)


def frames_of(number, seed=0):
    return np.random.default_rng(seed).integers(20, 200, number).tolist()


def as_bytes(batch):
    arrays = (batch.inputs, batch.lengths, batch.labels, batch.label_lengths)
    return batch.ids, *(array.numpy().tobytes() for array in arrays)
