"""Stamps: what a job was made from, so that it knows by itself whether it must run again."""

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from cascade.files import write_json

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Digest:
    """A file's SHA-256, and the size and time of change by which it is known unread."""

    sha256: str
    size: int
    mtime_ns: int


ABSENT = Digest("", 0, 0)  # of a file that is not there


def digest(path: Path, known: Digest | None = None) -> Digest | None:
    """The digest of ``path``, None where there is no such file.

    A file of the size and time that ``known`` has is not read again.
    """
    try:
        stat = path.stat()
        if known and (known.size, known.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return known
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return Digest(sha256, stat.st_size, stat.st_mtime_ns)


class Sources:
    """Inputs and their digests in a file, ``[path, sha256, size, mtime_ns]`` a line."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._last: Path | None = None

    def add(self, path: Path, known: Digest) -> None:
        """Adds a file; the parts of one recording, which come together, are one file."""
        if path != self._last:
            row = [str(path), *vars(known).values()]
            self._stream.write(json.dumps(row).encode() + b"\n")
        self._last = path

    @staticmethod
    def read(path: Path) -> Iterator[tuple[Path, Digest]]:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                name, *known = json.loads(line)
                yield Path(name), Digest(*known)


def code_digest(modules: Iterable[str]) -> str:
    """One SHA-256 over modules of ``cascade`` and ``local``, and all of both they import."""
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module], imported = _read_module(module)
            waiting += imported
    lines = "".join(f"{name} {found[name]}\n" for name in sorted(found) if found[name])
    return hashlib.sha256(lines.encode()).hexdigest()


@functools.cache
def _read_module(module: str) -> tuple[str, tuple[str, ...]]:
    """A module's SHA-256 and what it imports; "" for what is no module of ours."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    if module.split(".")[0] not in ("cascade", "local") or not path.is_file():
        return "", ()
    source = path.read_bytes()
    imported = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
    return hashlib.sha256(source).hexdigest(), tuple(imported)


@dataclass(frozen=True)
class Stamp:
    """What a finished job left: its settings and code, and digests of what went in and out.

    Of the inputs, ``found`` are those that the job found for itself (texts, say); ``sources``
    names a `Sources` file of more, "" for none.
    """

    settings: Any
    code: str
    inputs: dict[str, Digest]
    outputs: dict[str, Digest]
    sources: str = ""
    found: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Stamp | None":
        """The stamp at ``path``; None where there is none, or none that reads."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                raw["settings"],
                raw["code"],
                {name: Digest(**value) for name, value in raw["inputs"].items()},
                {name: Digest(**value) for name, value in raw["outputs"].items()},
                raw.get("sources", ""),
                tuple(raw.get("found", ())),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    @classmethod
    def make(
        cls,
        settings: Any,
        code: str,
        inputs: Iterable[Path],
        outputs: Iterable[Path],
        known: Mapping[Path, Digest] = MappingProxyType({}),
        before: Mapping[Path, Digest] = MappingProxyType({}),
        sources: Path | None = None,
        found: Iterable[Path] = (),
    ) -> "Stamp":
        """Reads every file but those ``known`` and the ``sources``. An input may be absent.

        Inputs that ``before`` has count as it has them, whatever they have become since. An
        output that is not there raises `FileNotFoundError`.
        """
        found = tuple(found)
        read = []
        for paths, as_read in (((*inputs, *found), before), (outputs, {})):
            read.append(
                {
                    str(p): as_read.get(p) or digest(p, known.get(p)) or ABSENT
                    for p in sorted(set(paths))
                }
            )
        for name, value in read[1].items():
            if value is ABSENT:
                raise FileNotFoundError(name)
        return cls(settings, code, *read, str(sources or ""), tuple(map(str, found)))

    def write(self, path: Path) -> None:
        def plain(digests: dict[str, Digest]) -> dict:
            return {name: vars(value) for name, value in digests.items()}

        write_json(
            path,
            {
                "settings": self.settings,
                "code": self.code,
                "inputs": plain(self.inputs),
                "outputs": plain(self.outputs),
                "sources": self.sources,
                "found": self.found,
            },
        )

    def stale(
        self, settings: Any, code: str, inputs: Iterable[Path], outputs: Iterable[Path]
    ) -> str | None:
        """Why a job that is so described must run again; None if it must not."""
        changed = changed_settings(self.settings, settings)
        if changed:
            return f"the recipe's {changed} changed"
        if code != self.code:
            return "the code changed"
        given = dict.fromkeys(map(str, inputs))
        for path in given:
            if path not in self.inputs:
                return f"{path} is new"
        for path in self.inputs:
            if path not in given and path not in self.found:
                return f"{path} is no input any more"
        for path in outputs:
            if str(path) not in self.outputs:
                return f"{path} is not made yet"
        for title, digests in (("", self.inputs), ("its output ", self.outputs)):
            known = ((Path(name), value) for name, value in digests.items())
            changed = _changed(known)
            if changed:
                return f"{title}{changed}"
        try:
            return _changed(Sources.read(Path(self.sources))) if self.sources else None
        except (OSError, ValueError, TypeError):
            return f"{self.sources}, the list of what it read, is missing or damaged"


def _changed(files: Iterable[tuple[Path, Digest]]) -> str | None:
    """Which file is not as it was, and how; None if all are."""
    for path, known in files:
        now = digest(path, known) or ABSENT
        if now == ABSENT != known:
            return f"{path} is missing"
        if now.sha256 != known.sha256:
            return f"{path} changed"
    return None


def changed_settings(old: Any, new: Any, where: str = "") -> str | None:
    """The dotted name of the first setting in which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            if key not in old or key not in new:
                return f"{where}{key}"
            found = changed_settings(old[key], new[key], f"{where}{key}.")
            if found:
                return found
        return None
    return None if old == new else where.rstrip(".") or "settings"
