"""The packages of ``cascade/``: what each may import, and how large its parts are."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from cascade.runtime.project import LOCAL, ROOT

CASCADE = ROOT / "cascade"
PACKAGES = sorted(path.name for path in CASCADE.iterdir() if (path / "__init__.py").exists())
MODULES = sorted(path for path in CASCADE.rglob("*.py") if path.name != "__init__.py")


def docstring(package: str) -> str:
    tree = ast.parse((CASCADE / package / "__init__.py").read_text(encoding="utf-8"))
    assert len(tree.body) == 1, f"{package}/__init__.py is a docstring alone"
    return " ".join((ast.get_docstring(tree) or "").split())


def may_import(package: str) -> list[str]:
    """The packages that a package says it may import, in its docstring."""
    text = docstring(package)
    if "It imports no other package." in text:
        return []
    named = re.search(r"It may import: ([a-z, ]+)\.$", text)
    assert named, f"{package}/__init__.py says which packages it may import"
    return named[1].split(", ")


class _WithoutTypes(ast.NodeTransformer):
    """Drops what is imported ``if TYPE_CHECKING``."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if "TYPE_CHECKING" in ast.dump(node.test) else self.generic_visit(node)


def imported(file: Path) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in it; types alone do not count."""
    tree = _WithoutTypes().visit(ast.parse(file.read_text(encoding="utf-8")))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            for alias in node.names:
                path = Path(*(node.module or "").split("."), alias.name).with_suffix(".py")
                yield f"{node.module}.{alias.name}" if (ROOT / path).exists() else node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:  # the code digest reads ``from ... import`` alone
                assert alias.name.split(".")[0] not in ("cascade", "local"), f"{file}: {alias.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_what_its_docstring_says(package):
    used = set()
    for file in (CASCADE / package).glob("*.py"):
        parts = [name.split(".") for name in imported(file)]
        used |= {words[1] for words in parts if words[0] == "cascade" and len(words) > 1}
    assert sorted(used - {package}) == sorted(may_import(package))


def test_packages_stand_on_floors():
    order = list(TopologicalSorter({p: may_import(p) for p in PACKAGES}).static_order())
    assert order[0] == "runtime" and order[-1] == "cli"  # a circle raises CycleError


def test_modules_have_no_circle():
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in MODULES}
    graph = {name: [n for n in imported(file) if n in names] for name, file in names.items()}
    TopologicalSorter(graph).prepare()


def test_nothing_but_a_recipe_names_a_corpus():
    for file in MODULES:
        named = [name for name in imported(file) if name.split(".")[0] == "local"]
        assert named in ([], ["local.texts.free_texts"]), file
    for file in LOCAL.rglob("*.py"):
        for name in imported(file):
            allowed = ("local", "cascade.runtime", "cascade.corpora")
            ours = name.split(".")[0] in ("cascade", "local")
            assert not ours or name.startswith(allowed), f"{file} imports {name}"


def test_packages_and_modules_are_small():
    for package in PACKAGES:
        files = [f for f in (CASCADE / package).glob("*.py") if f.name != "__init__.py"]
        assert len(files) <= 15, package
    for file in (*MODULES, *LOCAL.rglob("*.py")):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 300, file


def test_names_of_local_are_unique():
    stems = [file.stem for file in LOCAL.rglob("*.py") if file.stem != "__init__"]
    assert len(stems) == len(set(stems))


def test_tests_mirror_the_packages():
    for file in (ROOT / "tests").rglob("test_*.py"):
        parts = file.relative_to(ROOT / "tests").parts
        if parts[0] in PACKAGES:
            module = file.name.removeprefix("test_")
            assert (CASCADE / parts[0] / module).exists(), file
