"""Stage 2: log-mel features, dumped with kaldiio and attached to the cuts."""

import gzip
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import kaldiio
import numpy as np
from lhotse import Fbank, FbankConfig
from lhotse.features.base import Features as LhotseFeatures
from tqdm import tqdm

from cascade import audio, workers
from cascade.check import read_features
from cascade.cmn import write_cms_init
from cascade.errors import UserError
from cascade.files import jsonl_gz, read_jsonl_gz, replacing
from cascade.layout import Layout
from cascade.recipe import Features
from cascade.stage import Found
from cascade.stamp import Digest, digest

log = logging.getLogger("cascade")
SHARD = 500  # utterances an ark holds: fixed, so that the files do not depend on --nj
FRAME_SHIFT = 0.01  # seconds


def dump(key: str, layout: Layout, settings: Features, jobs: int) -> Found:
    """Computes the features of one data set: arks, scp, num_frames, and cuts that have them.

    Each matrix is (T, C) float32, T frames of 10 ms and C filters, or of whatever size the
    features are that a corpus has ready in place of audio.
    """
    layout.feats.mkdir(parents=True, exist_ok=True)
    for old in layout.feats.glob(f"{key}.*.ark"):
        old.unlink()
    arks: dict[Path, Digest] = {}
    utterances, frames = 0, 0
    bar = tqdm(
        total=_count(layout.cuts(key)), desc=f"  {key}", unit="utt", disable=None, leave=False
    )
    with workers.pool(jobs) as pool, ExitStack() as stack:
        scp = stack.enter_context(replacing(layout.scp(key)))
        num_frames = stack.enter_context(replacing(layout.num_frames(key)))
        cuts = stack.enter_context(jsonl_gz(layout.feature_cuts(key)))
        digests = stack.enter_context(replacing(layout.ark_digests(key)))
        shards = workers.chunks(read_jsonl_gz(layout.cuts(key)), SHARD)
        tasks = (
            (layout.feats / f"{key}.{number}.ark", str(layout.scp(key)), shard, settings)
            for number, shard in enumerate(shards, 1)
        )
        for ark, known, rows in workers.in_order(pool, _dump_shard, tasks, jobs + 1):
            arks[ark] = known
            digests.write(f"{known.sha256}  {ark}\n".encode())
            for cut, offset, length in rows:
                scp.write(f"{cut['id']} {ark}:{offset}\n".encode())
                num_frames.write(f"{cut['id']} {length}\n".encode())
                cuts(cut)
                frames += length
            utterances += len(rows)
            bar.update(len(rows))
    bar.close()
    log.info("%s: %d utterances, %d frames", key, utterances, frames)
    return Found(outputs=list(arks), known=arks)


def cms_init(keys: list[str], layout: Layout, others: Sequence[str] = ()) -> None:
    """Writes the mean feature vector (C,) of the data sets ``keys``, the target's training.

    Raises `UserError` where one of them, or of ``others``, has features of another size.
    """
    _check_sizes([*keys, *others], layout)
    total, frames = 0.0, 0
    for key in keys:
        for _, features in kaldiio.load_scp_sequential(str(layout.scp(key))):
            total = total + features.sum(axis=0, dtype=np.float64)
            frames += len(features)
    write_cms_init(layout.cms_init, total / frames)


def _check_sizes(keys: Sequence[str], layout: Layout) -> None:
    sizes = {}
    for key in keys:
        first = next(read_jsonl_gz(layout.feature_cuts(key)))["features"]
        sizes[key] = first["num_features"]
        if sizes[key] != sizes[keys[0]]:
            raise UserError(
                f"The features of {keys[0]} have {sizes[keys[0]]} values a frame, those of {key}"
                f" {sizes[key]}; a network takes one size. Those computed from audio have as many"
                f" as the recipe's features.filters."
            )


def _dump_shard(task) -> tuple[Path, Digest, list[tuple[dict, int, int]]]:
    """Writes one ark; returns it, its digest, and ``(cut, offset, frames)`` rows."""
    ark, scp, cuts, settings = task
    extractor = Fbank(FbankConfig(sampling_rate=settings.rate, num_filters=settings.filters))
    rows = []
    with replacing(ark) as stream:
        for cut in cuts:  # as Lhotse's dictionaries: its objects take as long as a tenth
            name, channel = cut["id"], cut["channel"]
            if "recording" in cut:
                where = cut["recording"]["sources"][0]["source"]
                one = None if cut["type"] == "MultiCut" else channel
                samples = audio.read(Path(where), settings.rate, cut["start"], cut["duration"], one)
                features = extractor.extract(samples, settings.rate)
            else:
                where = cut["features"]["storage_path"]
                features = read_features(where)
            if not np.isfinite(features).all():
                raise UserError(f"Utterance '{name}' ({where}) gives features that are no numbers.")
            offset = stream.tell() + len(f"{name} ".encode())  # an scp points behind the key
            kaldiio.save_ark(stream, {name: np.ascontiguousarray(features, dtype=np.float32)})
            found = LhotseFeatures(
                type="kaldi-fbank" if "recording" in cut else "kaldi",
                num_frames=len(features),
                num_features=features.shape[1],
                frame_shift=FRAME_SHIFT,
                sampling_rate=settings.rate,
                start=cut["start"],
                duration=cut["duration"],
                storage_type="kaldiio",
                storage_path=scp,
                storage_key=name,
                recording_id=cut["supervisions"][0]["recording_id"],
                channels=channel,
            )
            rows.append(({**cut, "features": found.to_dict()}, offset, len(features)))
    return ark, digest(ark), rows


def _count(path: Path) -> int:
    with gzip.open(path) as rows:
        return sum(1 for _ in rows)
