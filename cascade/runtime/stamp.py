"""Stamps: what the results of a job depend on, so that it runs again only if that has changed."""

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from cascade.runtime.files import write_json
from cascade.runtime.project import ROOT


@dataclass(frozen=True)
class Digest:
    """A file's SHA-256, and its size and time of change, which spare reading it again."""

    sha256: str
    size: int
    mtime_ns: int


ABSENT = Digest("", 0, 0)  # the digest of a file that does not exist


def digest(path: Path, earlier: Digest | None = None) -> Digest | None:
    """Return the digest of ``path``, None if there is no such file.

    A file of the same size and time of change as ``earlier`` is not read: ``earlier`` is
    returned.
    """
    try:
        stat = path.stat()
        if earlier and (earlier.size, earlier.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            return earlier
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    return Digest(sha256, stat.st_size, stat.st_mtime_ns)


class Sources:
    """A file that lists inputs and their digests, for more inputs than memory should hold.

    Three lines of one, each ``[path, sha256, size, mtime_ns]`` (here with short digests)::

        ["data/speech/a.wav", "9f86d081", 64044, 1700000000000000000]
        ["data/speech/b.wav", "60303ae2", 51244, 1700000000000000000]
        ["data/speech/table.tsv", "fd61a03a", 412, 1700000000000000000]
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._last: Path | None = None

    def add(self, path: Path, digest: Digest) -> None:
        """Add a file. A file that was the last one already is not added again."""
        if path != self._last:
            row = [str(path), *vars(digest).values()]
            self._stream.write(json.dumps(row).encode() + b"\n")
        self._last = path

    @staticmethod
    def read(path: Path) -> Iterator[tuple[Path, Digest]]:
        """Yield the files that the list ``path`` has, and their digests."""
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                name, *values = json.loads(line)
                yield Path(name), Digest(*values)


def code_digests(modules: Iterable[str], packages: Iterable[str] = ()) -> dict[str, str]:
    """Return the files of ``modules`` and of everything that they import, each with a SHA-256.

    ``packages`` are installed ones, each of which is returned with its version.

    Files are named from the root of the project, such as ``cascade/runtime/stamp.py``, in
    alphabetical order. Only modules of ``cascade`` and ``local`` count. Comments, docstrings and
    line breaks do not. Imports inside functions do.

    Raises `ModuleNotFoundError` for a name that is not a module of ``cascade`` or ``local``.
    """
    digests: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in digests:
            digests[module], imported = _read_module(module)
            waiting += imported
    files = {f"{name.replace('.', '/')}.py": digests[name] for name in sorted(digests)}
    return files | {package: version(package) for package in packages}


@functools.cache
def _read_module(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the SHA-256 of a module's code, and the modules of the project that it imports."""
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
            # If a name is not a module, it is defined in node.module, which then is one.
            imported += inside if len(inside) == len(names) else [node.module, *inside]
    code = ast.dump(tree)
    return hashlib.sha256(code.encode()).hexdigest(), tuple(imported)


def _drop_docstring(node: ast.AST) -> None:
    """Remove the docstring of a module, class or function."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        first = node.body[0] if node.body else None
        value = first.value if isinstance(first, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            del node.body[0]


def _ours(module: str) -> bool:
    """Return whether a module is one of the project."""
    return module.split(".")[0] in ("cascade", "local")


def _file(module: str) -> Path | None:
    """Return the file of a module of the project; None for anything else, such as a package."""
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return file if _ours(module) and file.is_file() else None


@dataclass(frozen=True)
class Stamp:
    """What the results of a finished job depend on.

    Attributes:
        settings: The settings of the job, as JSON types.
        code: What its code is: a digest of each file, such as `code_digests` returns.
        inputs: The digests of the files that it read.
        outputs: The digests of the files that it wrote.
        sources: A `Sources` file that lists more inputs; "" for none.
        discovered: Those of ``inputs`` that only the job itself could name, such as texts.
    """

    settings: Any
    code: dict[str, str]
    inputs: dict[str, Digest]
    outputs: dict[str, Digest]
    sources: str = ""
    discovered: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Stamp | None":
        """Return the stamp at ``path``; None if there is none, or it is damaged."""
        try:
            raw = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
            return cls(
                raw["settings"],
                dict(raw["code"]),
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
        code: Mapping[str, str],
        inputs: Iterable[Path],
        outputs: Iterable[Path],
        output_digests: Mapping[Path, Digest] = MappingProxyType({}),
        input_digests: Mapping[Path, Digest] = MappingProxyType({}),
        sources: Path | None = None,
        discovered: Iterable[Path] = (),
    ) -> "Stamp":
        """Return the stamp of a job that has just finished.

        Inputs in ``input_digests`` are not read: they may have changed since the job read them.
        Outputs in ``output_digests`` are read only if they have changed since. An input may be
        absent.

        Raises `FileNotFoundError` for a missing output.
        """
        discovered = tuple(discovered)
        read = {
            str(p): input_digests.get(p) or digest(p) or ABSENT
            for p in sorted({*inputs, *discovered})
        }
        written = {}
        for path in sorted(set(outputs)):
            value = digest(path, output_digests.get(path))
            if value is None:
                raise FileNotFoundError(path)
            written[str(path)] = value
        names = tuple(map(str, discovered))
        return cls(settings, dict(code), read, written, str(sources or ""), names)

    def write(self, path: Path) -> None:
        """Write the stamp as JSON."""

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
                "found": self.discovered,
            },
        )

    def stale(
        self,
        settings: Any,
        code: Mapping[str, str],
        inputs: Iterable[Path],
        outputs: Iterable[Path],
    ) -> str | None:
        """Return why a job must run again that is described like this; None if it need not."""
        changed = changed_settings(self.settings, settings)
        if changed:
            return f"the recipe's {changed} changed"
        changed = changed_settings(self.code, dict(code))
        if changed:
            return f"the code changed: {changed}"
        names = dict.fromkeys(map(str, inputs))
        for path in names:
            if path not in self.inputs:
                return f"{path} is new"
        for path in self.inputs:
            if path not in names and path not in self.discovered:
                return f"{path} is not an input any more"
        for output in outputs:
            if str(output) not in self.outputs:
                return f"its output {output} is new"
        for title, digests in (("", self.inputs), ("its output ", self.outputs)):
            change = _first_change((Path(name), value) for name, value in digests.items())
            if change:
                return f"{title}{change}"
        try:
            return _first_change(Sources.read(Path(self.sources))) if self.sources else None
        except (OSError, ValueError, TypeError):
            return f"{self.sources}, the list of files that it read, is missing or damaged"


def _first_change(files: Iterable[tuple[Path, Digest]]) -> str | None:
    """Return the first file that has changed, and how; None if none has."""
    for path, before in files:
        now = digest(path, before) or ABSENT
        if now == ABSENT != before:
            return f"{path} is missing"
        if now.sha256 != before.sha256:
            return f"{path} changed"
    return None


def changed_settings(old: Any, new: Any, where: str = "") -> str | None:
    """Return the dotted name of the first setting in which two JSON values differ, or None.

    >>> changed_settings({"seed": 0, "train": {"steps": 9}}, {"seed": 0, "train": {"steps": 10}})
    'train.steps'
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            if key not in old or key not in new:
                return f"{where}{key}"
            name = changed_settings(old[key], new[key], f"{where}{key}.")
            if name:
                return name
        return None
    return None if old == new else where.rstrip(".") or "settings"
