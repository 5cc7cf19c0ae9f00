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

from cascade.runtime.files import write_json
from cascade.runtime.project import ROOT


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
    """One SHA-256 over the code of modules of ``cascade`` and ``local``, and of all they import.

    Comments, docstrings and line breaks do not count. Imports inside functions do. Raises
    `ModuleNotFoundError` for a name that is no module of the two.
    """
    digests: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in digests:
            digests[module], imported = _read_module(module)
            waiting += imported
    lines = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


@functools.cache
def _read_module(module: str) -> tuple[str, tuple[str, ...]]:
    """The SHA-256 of a module's code, and which modules of ours it imports."""
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"There is no module {module} in the project.", name=module)
    tree = ast.parse(file.read_bytes())
    imported: list[str] = []
    for node in ast.walk(tree):
        _drop_docstring(node)
        if isinstance(node, ast.ImportFrom) and node.module and _ours(node.module):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            inside = [name for name in names if _file(name)]
            # A name that is no module is something in node.module, which then is one.
            imported += inside if len(inside) == len(names) else [node.module, *inside]
    code = ast.dump(tree)
    return hashlib.sha256(code.encode()).hexdigest(), tuple(imported)


def _drop_docstring(node: ast.AST) -> None:
    """Takes the docstring out of a module, class or function."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        first = node.body[0] if node.body else None
        value = first.value if isinstance(first, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            del node.body[0]


def _ours(module: str) -> bool:
    return module.split(".")[0] in ("cascade", "local")


def _file(module: str) -> Path | None:
    """The file of a module of the project; None for a package and for what is no module."""
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return file if _ours(module) and file.is_file() else None


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
