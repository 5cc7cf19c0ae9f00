"""The store of features: data sets' features, computed once for all recipes.

The name of a folder, ``data/feats/CORPUS.DIGEST/``, follows from the audio and the utterances
of a data set and from the settings. The folder has ``N.ark``, ``feats.scp``,
``index.jsonl.gz`` with one row for each utterance, and a stamp: see `cascade.runtime.kept`.
Where a recipe stores no features, the archives have the sum of each utterance's frames only.
"""

import filecmp
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import kaldiio
import numpy as np

from cascade.features.filterbank import PACKAGES, VERSION, Filterbank
from cascade.runtime import workers
from cascade.runtime.files import jsonl_gz, read_jsonl_gz, replacing, replacing_path
from cascade.runtime.kept import Kept, kept
from cascade.runtime.progress import meter
from cascade.runtime.stage import JobFiles
from cascade.runtime.stamp import Digest, code_digests, digest

SHARD = 500  # utterances of an ark: fixed, so that the files do not depend on --nj


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield one row for each utterance of a folder of the store.

    ``at`` is the place as in an scp, ``sha256`` the digest of the matrix's bytes. Without stored
    features ``at`` is the place of the sum of all frames, and ``mean`` that of all values::

        {"id": "ru_0011", "at": "data/feats/festvox_ru.27a8051e97163a16/1.ark:8",
         "frames": 1631, "dim": 40, "sha256": "17e32604db..."}
    """
    return read_jsonl_gz(folder / "index.jsonl.gz")


def provide(
    speech: Path,
    corpus: str,
    store: Path,
    rate: int,
    filters: int,
    jobs: int,
    force: bool = False,
    matrices: bool = True,
) -> Kept:
    """Return the features of all utterances of ``speech``, the list that stage 0 writes.

    Without ``matrices`` they are computed, but only their sums and digests are kept.

    They are computed where ``store`` does not have them complete and unchanged, and with
    ``force``. Files that are there are replaced one by one under the same names: a process
    that reads them meanwhile finds the same bytes. Raises what `Filterbank.features` raises.
    """
    count, listed = _digest_of(speech)
    settings: dict[str, int | str] = {"version": VERSION, "rate": rate, "filters": filters}
    settings |= {"shard": SHARD, "utterances": count, "speech": listed}
    settings |= {} if matrices else {"kept": "sums"}

    def make(folder: Path) -> JobFiles:
        files = _make(speech, count, folder, (rate, filters, matrices), jobs)
        return JobFiles(outputs=list(files), output_digests=files)

    code = code_digests(("cascade.features.filterbank",), PACKAGES)
    with kept(store, corpus, settings, code, make, force) as features:
        return features


def _digest_of(speech: Path) -> tuple[int, str]:
    """Return the number of utterances, and a digest of all that decides their features.

    The content of a recording counts, its path does not; neither do transcripts.
    """
    listed, count = hashlib.sha256(), 0
    for row in read_jsonl_gz(speech):
        path = row.pop("audio")
        if "features" in row:
            row["features"] = row["features"].removeprefix(path)
        listed.update(json.dumps(row, sort_keys=True).encode() + b"\n")
        count += 1
    return count, listed.hexdigest()


def _make(
    speech: Path, count: int, folder: Path, settings: tuple[int, int, bool], jobs: int
) -> dict[Path, Digest]:
    """Write all files but the stamp; return them with their digests."""
    files: dict[Path, Digest] = {}
    scp_path, index_path = folder / "feats.scp", folder / "index.jsonl.gz"
    with ExitStack() as stack:
        pool = stack.enter_context(workers.pool(jobs))
        scp = stack.enter_context(replacing(scp_path))
        index = stack.enter_context(jsonl_gz(index_path))
        advance = stack.enter_context(meter(folder.name, count, "utterances"))
        shards = workers.chunks(read_jsonl_gz(speech), SHARD)
        tasks = (
            (folder / f"{number}.ark", shard, *settings) for number, shard in enumerate(shards, 1)
        )
        for ark, written, rows in workers.in_order(pool, _shard, tasks, jobs + 1):
            files[ark] = written
            for row in rows:
                scp.write(f"{row['id']} {row['at']}\n".encode())
                index(row)
            advance(len(rows))
    return files | {path: _written(path) for path in (scp_path, index_path)}


def _shard(
    task: tuple[Path, list[dict[str, Any]], int, int, bool],
) -> tuple[Path, Digest, list[dict[str, Any]]]:
    """Write one ark, in a worker process; return it, its digest, and rows of the index."""
    ark, utterances, rate, filters, matrices = task
    bank = Filterbank(rate, filters)
    rows = []
    with replacing_path(ark) as beside:
        with beside.open("wb") as stream:
            for utterance in utterances:
                name = utterance["id"]
                workers.working_on(name)
                features = bank.features(utterance)
                offset = stream.tell() + len(f"{name} ".encode())  # an scp points behind the name
                frames, dim = features.shape
                row = {"id": name, "at": f"{ark}:{offset}", "frames": frames, "dim": dim}
                if matrices:
                    kaldiio.save_ark(stream, {name: features})
                else:
                    total = features.sum(axis=0, dtype=np.float64)  # (T, C) -> (C,)
                    kaldiio.save_ark(stream, {name: total})
                    row["mean"] = round(total.sum() / features.size, 4)
                rows.append(row | {"sha256": hashlib.sha256(features.data).hexdigest()})
            stream.flush()
            os.fsync(stream.fileno())
        if ark.is_file() and filecmp.cmp(ark, beside, shallow=False):
            # The same bytes keep their time: other recipes need not read them again.
            os.utime(beside, ns=(ark.stat().st_atime_ns, ark.stat().st_mtime_ns))
    return ark, _written(ark), rows


def _written(path: Path) -> Digest:
    """Return the digest of a file that is there."""
    written = digest(path)
    assert written is not None, path
    return written
