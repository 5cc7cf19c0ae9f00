"""Folders below ``data/`` that keep results for all experiments: each is made once.

The name of a folder, ``TITLE.DIGEST``, follows from all inputs and settings that decide its
content. ``stamp.json``, which is written last, has the digests of its files and of the code.
The first process that needs a folder makes it; others that need the same one wait. All of them
may be deleted at any time: a run makes again what it needs.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cascade.runtime.files import replacing_path
from cascade.runtime.lock import turn
from cascade.runtime.stage import Call, Job, JobFiles
from cascade.runtime.stamp import ABSENT, Digest, Stamp, digest

log = logging.getLogger("cascade")
STAMP = "stamp.json"


@dataclass(frozen=True)
class Kept:
    """A folder that is complete.

    Attributes:
        folder: The folder.
        files: Its files and their digests.
        inputs: Files that only its maker could name, such as dictionaries.
        reason: Why this run made it; None where it was there.
    """

    folder: Path
    files: Mapping[Path, Digest]
    inputs: tuple[Path, ...]
    reason: str | None


@contextmanager
def kept(
    store: Path,
    title: str,
    settings: Any,
    code: Mapping[str, str],
    make: Callable[[Path], JobFiles],
    force: bool = False,
) -> Iterator[Kept]:
    """Yield the folder of ``store`` for ``settings``, JSON types; no other process changes it.

    ``make(folder)`` fills it where it is not complete, where it is damaged, where ``code``
    changed, and with ``force``.
    """
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    folder = store / f"{title}.{name}"
    with turn(folder):
        stamp = Stamp.read(folder / STAMP)
        reason = "it is new" if stamp is None else stamp.stale(settings, code, (), ())
        reason = "it was requested" if force else reason
        if stamp is None or reason:
            (folder / STAMP).unlink(missing_ok=True)
            files = make(folder)
            stamp = Stamp.make(
                settings,
                code,
                (),
                files.outputs,
                files.output_digests,
                files.input_digests,
                discovered=files.inputs,
            )
            stamp.write(folder / STAMP)
        outputs = {Path(file): value for file, value in stamp.outputs.items()}
        yield Kept(folder, outputs, tuple(map(Path, stamp.discovered)), reason)


@dataclass(frozen=True)
class Keep:
    """Where a job's results are kept; experiments whose jobs have the same inputs share them.

    Attributes:
        store: The folder of all kept folders.
        root: The experiment's folder. The names of files in it count, its own name does not.
        force: Whether to run a job whose results are there.
        numbering: An input that only numbers what the results contain, such as ``phones.txt``.
            It may differ: then `renumber` is called with the one that is kept.
        renumber: Changes results that are linked to the experiment's ``numbering``.
    """

    store: Path
    root: Path
    force: bool = False
    numbering: Path | None = None
    renumber: Call | None = None

    def __call__(self, job: Job) -> JobFiles:
        """Link the results of a job from where they are kept; run it where they are not."""
        inputs = {
            str(self._name(path)): (digest(path) or ABSENT).sha256
            for path in job.inputs
            if path != self.numbering
        }

        def make(folder: Path) -> JobFiles:
            files = job.run() or JobFiles()
            results = {*job.outputs, *files.outputs, *filter(None, [self.numbering])}
            for path in results:
                link(path, folder / self._name(path))
            return JobFiles(files.inputs, [folder / self._name(path) for path in results])

        settings = {"settings": job.settings, "inputs": inputs}
        with kept(self.store, job.name, settings, job.code(), make, self.force) as result:
            numbering = self.numbering and result.folder / self._name(self.numbering)
            places = {
                self.root / path.relative_to(result.folder): path
                for path in result.files
                if path != numbering
            }
            if result.reason:
                log.info("%s: kept in %s: %s", job.name, result.folder, result.reason)
            else:
                log.info("%s: reused from %s", job.name, result.folder)
                for path, place in places.items():
                    link(place, path)
                if self.renumber:
                    self.renumber(numbering)
        digests = {path: result.files[place] for path, place in places.items()}
        return JobFiles(result.inputs, list(places), digests)

    def _name(self, path: Path) -> Path:
        """Return the name of a file of the experiment in a kept folder."""
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def link(source: Path, path: Path) -> None:
    """Make ``path`` another name of the file ``source``; a copy where disks differ.

    Files are replaced, not changed, so neither name sees what happens to the other.
    """
    with replacing_path(path) as temporary:
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError:  # another disk, or one that has no links
            shutil.copy2(source, temporary)
