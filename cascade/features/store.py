"""The store of features: data sets' features, computed once for all recipes.

The name of a folder, ``data/feats/CORPUS.DIGEST/``, follows from the audio and the utterances
of a data set and from the settings. The folder has ``N.ark``, ``feats.scp``,
``index.jsonl.gz`` with one row for each utterance, and ``stamp.json``, which is written last.
The first process that needs a folder makes it; others that need the same one wait. All of it
may be deleted at any time: stage 2 computes again what a recipe needs.
"""

import filecmp
import hashlib
import json
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
from cascade.runtime.stamp import Digest, Stamp, code_digests, digest

SHARD = 500  # utterances of an ark: fixed, so that the files do not depend on --nj


@dataclass(frozen=True)
class Stored:
    """A folder of the store.

    Attributes:
        folder: The folder.
        files: Its files and their digests.
        reason: Why this run computed them; None where they were there.
    """

    folder: Path
    files: Mapping[Path, Digest]
    reason: str | None

    @property
    def scp(self) -> Path:
        return self.folder / "feats.scp"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one row for each utterance.

        ``at`` is the place as in an scp, ``sha256`` the digest of the matrix's bytes::

            {"id": "ru_0011", "at": "data/feats/festvox_ru.27a8051e97163a16/1.ark:8",
             "frames": 1631, "dim": 40, "sha256": "17e32604db..."}
        """
        return read_jsonl_gz(self.folder / "index.jsonl.gz")


def provide(
    speech: Path, corpus: str, store: Path, rate: int, filters: int, jobs: int, force: bool = False
) -> Stored:
    """Return the features of all utterances of ``speech``, the list that stage 0 writes.

    They are computed where ``store`` does not have them complete and unchanged, and with
    ``force``. Files that are there are replaced one by one under the same names: a process
    that reads them meanwhile finds the same bytes. Raises what `Filterbank.features` raises.
    """
    count, listed = _digest_of(speech)
    settings: dict[str, int | str] = {"version": VERSION, "rate": rate, "filters": filters}
    settings |= {"shard": SHARD, "utterances": count, "speech": listed}
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    folder = store / f"{corpus}.{name}"
    with turn(folder):
        code = _code()
        stamp = Stamp.read(folder / "stamp.json")
        reason = "it is new" if stamp is None else stamp.stale(settings, code, (), ())
        reason = "--force" if force else reason
        if stamp is None or reason:
            (folder / "stamp.json").unlink(missing_ok=True)
            files = _make(speech, count, folder, rate, filters, jobs)
            stamp = Stamp.make(settings, code, (), files, files)
            stamp.write(folder / "stamp.json")
    return Stored(folder, {Path(file): value for file, value in stamp.outputs.items()}, reason)


def _code() -> dict[str, str]:
    """Return digests of the code, and the versions of the packages, that decide the values."""
    versions = {package: version(package) for package in PACKAGES}
    return code_digests(("cascade.features.filterbank",)) | versions


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
    speech: Path, count: int, folder: Path, rate: int, filters: int, jobs: int
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
            (folder / f"{number}.ark", shard, rate, filters)
            for number, shard in enumerate(shards, 1)
        )
        for ark, written, rows in workers.in_order(pool, _shard, tasks, jobs + 1):
            files[ark] = written
            for row in rows:
                scp.write(f"{row['id']} {row['at']}\n".encode())
                index(row)
            advance(len(rows))
    return files | {path: _written(path) for path in (scp_path, index_path)}


def _shard(
    task: tuple[Path, list[dict[str, Any]], int, int],
) -> tuple[Path, Digest, list[dict[str, Any]]]:
    """Write one ark, in a worker process; return it, its digest, and rows of the index."""
    ark, utterances, rate, filters = task
    bank = Filterbank(rate, filters)
    rows = []
    with replacing_path(ark) as beside:
        with beside.open("wb") as stream:
            for utterance in utterances:
                name, features = utterance["id"], bank.features(utterance)
                offset = stream.tell() + len(f"{name} ".encode())  # an scp points behind the name
                kaldiio.save_ark(stream, {name: features})
                frames, dim = features.shape
                row = {"id": name, "at": f"{ark}:{offset}", "frames": frames, "dim": dim}
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
