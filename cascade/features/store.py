"""The store of features: those of whole data sets, made once for all recipes.

A folder of it, ``data/feats/CORPUS.DIGEST/``, is named by what its files are made of: the
audio and the utterances of a data set, and the settings. It has ``N.ark``, ``feats.scp``,
``index.jsonl.gz`` with a row an utterance, and, written last, ``stamp.json``. Whoever comes
first makes it, while others who want the same wait. All of it may be deleted at any time:
stage 2 makes anew what a recipe needs.
"""

import filecmp
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kaldiio

from cascade.features.filterbank import PACKAGES, VERSION, Filterbank
from cascade.runtime import workers
from cascade.runtime.files import jsonl_gz, read_jsonl_gz, replacing, replacing_path
from cascade.runtime.lock import turn
from cascade.runtime.progress import meter
from cascade.runtime.stamp import Digest, Stamp, code_digest, digest

log = logging.getLogger("cascade")
SHARD = 500  # utterances an ark holds: fixed, so that the files do not depend on --nj


@dataclass(frozen=True)
class Stored:
    """A folder of the store, its files, and why they were made: None for one that was there."""

    folder: Path
    files: Mapping[Path, Digest]
    made: str | None

    @property
    def scp(self) -> Path:
        return self.folder / "feats.scp"

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row an utterance: ``id``, ``at`` (as in an scp), ``frames``, ``dim``, ``sha256``.

        The digest is of the matrix's bytes, wherever they lie.
        """
        return read_jsonl_gz(self.folder / "index.jsonl.gz")


def provide(
    speech: Path, corpus: str, store: Path, rate: int, filters: int, jobs: int, force: bool = False
) -> Stored:
    """The features of all utterances of ``speech``, the list that stage 0 leaves.

    They are made where they are not in ``store``, whole and unchanged, or with ``force``.
    Then, too, the files keep their names, and are replaced one by one: whoever reads them
    meanwhile finds the same bytes. Raises as `Filterbank.features` does.
    """
    count, listed = _digest_of(speech)
    settings = {"version": VERSION, "rate": rate, "filters": filters, "shard": SHARD}
    settings |= {"utterances": count, "speech": listed}
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    folder = store / f"{corpus}.{name}"
    with turn(folder):
        code = _code()
        stamp = Stamp.read(folder / "stamp.json")
        reason = "not made yet" if stamp is None else stamp.stale(settings, code, (), ())
        reason = "--force" if force else reason
        if reason:
            (folder / "stamp.json").unlink(missing_ok=True)
            files = _make(speech, count, folder, rate, filters, jobs)
            stamp = Stamp.make(settings, code, (), files, files)
            stamp.write(folder / "stamp.json")
    return Stored(folder, {Path(name): known for name, known in stamp.outputs.items()}, reason)


def _code() -> str:
    """The code that decides the values, and the versions of the packages that do."""
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    return " ".join([code_digest(("cascade.features.filterbank",)), *versions])


def _digest_of(speech: Path) -> tuple[int, str]:
    """How many utterances there are, and a digest of all that their features are made of.

    A recording counts by what is in it, not by where it is; what was said does not count.
    """
    found, count = hashlib.sha256(), 0
    for row in read_jsonl_gz(speech):
        path = row.pop("audio")
        if "features" in row:
            row["features"] = row["features"].removeprefix(path)
        found.update(json.dumps(row, sort_keys=True).encode() + b"\n")
        count += 1
    return count, found.hexdigest()


def _make(
    speech: Path, count: int, folder: Path, rate: int, filters: int, jobs: int
) -> dict[Path, Digest]:
    """Writes all but the stamp; returns the files with the digests of the arks."""
    files: dict[Path, Digest] = {}
    scp_path, index_path = folder / "feats.scp", folder / "index.jsonl.gz"
    with ExitStack() as stack:
        pool = stack.enter_context(workers.pool(jobs))
        scp = stack.enter_context(replacing(scp_path))
        index = stack.enter_context(jsonl_gz(index_path))
        advance = stack.enter_context(meter(folder.name, count, "utterances"))
        shards = workers.chunks(read_jsonl_gz(speech), SHARD)
        tasks = (
            (folder / f"{number}.ark", shard, rate, filters)
            for number, shard in enumerate(shards, 1)
        )
        for ark, known, rows in workers.in_order(pool, _shard, tasks, jobs + 1):
            files[ark] = known
            for row in rows:
                scp.write(f"{row['id']} {row['at']}\n".encode())
                index(row)
            advance(len(rows))
    return files | {path: digest(path) for path in (scp_path, index_path)}


def _shard(task: tuple[Path, list[dict], int, int]) -> tuple[Path, Digest, list[dict[str, Any]]]:
    """Writes one ark, in a worker process; returns it, its digest, and rows of the index."""
    ark, utterances, rate, filters = task
    bank = Filterbank(rate, filters)
    rows = []
    with replacing_path(ark) as beside:
        with beside.open("wb") as stream:
            for utterance in utterances:
                name, features = utterance["id"], bank.features(utterance)
                offset = stream.tell() + len(f"{name} ".encode())  # an scp points behind the key
                kaldiio.save_ark(stream, {name: features})
                frames, dim = features.shape
                row = {"id": name, "at": f"{ark}:{offset}", "frames": frames, "dim": dim}
                rows.append(row | {"sha256": hashlib.sha256(features).hexdigest()})
            stream.flush()
            os.fsync(stream.fileno())
        if ark.is_file() and filecmp.cmp(ark, beside, shallow=False):
            # The same bytes keep their time, by which other recipes know them unread.
            os.utime(beside, ns=(ark.stat().st_atime_ns, ark.stat().st_mtime_ns))
    return ark, digest(ark), rows
