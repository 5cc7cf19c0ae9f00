"""Planted speech: every phone is a pattern of its own in the features, so it must be learnt."""

import kaldiio
import numpy as np

from cascade.config.layout import Layout
from cascade.config.sections import Features
from cascade.runtime.files import write_text_table
from cascade.text.phones import write_phones

PHONES = ["<blk>", "a", "b", "c", "d", "e"]
SETTINGS = Features(filters=8, stack=3)


def planted(layout: Layout, key: str, seed: int, count: int) -> str:
    """Writes a data set of ``count`` utterances whose phones can be read off the features."""
    random = np.random.default_rng(seed)
    patterns = np.random.default_rng(99).normal(0, 3, (len(PHONES), SETTINGS.filters))
    features, texts = {}, {}
    for number in range(count):
        labels = random.integers(1, len(PHONES), random.integers(4, 9))
        rows = [np.repeat(patterns[[label]], random.integers(9, 15), axis=0) for label in labels]
        rows = np.concatenate([r for row in rows for r in (row, np.zeros((6, 8)))])
        name = f"{key}-{number}"
        features[name] = (rows + random.normal(0, 0.3, rows.shape)).astype(np.float32)
        texts[name] = [PHONES[label] for label in labels]
    layout.feats.mkdir(parents=True, exist_ok=True)
    ark, scp = layout.feats / f"{key}.1.ark", layout.scp(key)
    kaldiio.save_ark(str(ark), features, scp=str(scp))
    frames = {name: [str(len(rows))] for name, rows in features.items()}
    write_text_table(layout.num_frames(key), frames)
    write_text_table(layout.text(key, "phones"), texts)
    language = key.split("_")[-1]
    write_phones(layout.phones_of(language), {language: PHONES[1:]})
    return key
