"""The documentation: it builds without a network, nothing is missing in it, every link leads on."""

import argparse
import ast
import dataclasses
import doctest
import importlib
import inspect
import json
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from cascade.cli.options import parser
from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.config.recipe_checks import PRECISIONS, ROLES, SHARES
from cascade.corpora.corpus import CorpusRequest
from cascade.pipeline.stages import STAGES, stage
from cascade.runtime.errors import UserError
from cascade.runtime.project import RECIPES, ROOT

DOCS = ROOT / "docs"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("cascade/*/__init__.py"))
# What the files of an experiment are named by, as the page writes it.
PLACES = {"key": "DATASET", "system": "SYSTEM", "test": "TEST", "unit": "words", "source": 0}
PLACES |= {"language": "LANG"}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as the documentation says; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def generated():
    """The module that generates pages; those beside it can be imported, too."""
    sys.path.insert(0, str(DOCS))
    yield importlib.import_module("generated")
    sys.path.remove(str(DOCS))


def page(site: Path, name: str) -> str:
    return unescape((site / name / "index.html").read_text(encoding="utf-8"))


def source(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = r"(?:<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*rel=\"?(?:stylesheet|icon)[^>]*href=)"
    count = 0
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(loaded + r"\"?([^\" >]+)", text):
            count += 1
            assert not match[1].startswith(("http", "//")), f"{file}: {match[1]}"
    assert count > 100
    for file in site.rglob("*.css"):
        assert "url(http" not in file.read_text(encoding="utf-8"), file


def fields(kind: type, prefix: str = "") -> Iterator[tuple[str, dataclasses.Field]]:
    """Every key of a dataclass and of those in it, by its full name."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        yield f"{prefix}{field.name}", field
        for inner in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(inner):
                middle = {dict: ".NAME", tuple: "[]"}.get(typing.get_origin(hint), "")
                yield from fields(inner, f"{prefix}{field.name}{middle}.")


def test_every_key_has_a_meaning(site):
    text = page(site, "reference/keys")
    for key, field in fields(Recipe):
        entry = re.search(
            rf'<h3 id="{re.escape(key)}">.*?</h3>\s*<p>(.*?)</p>\s*<p>(.*?)</p>', text
        )
        assert entry, f"{key} has no entry under 'Attributes' in the docstring of its dataclass"
        facts, meaning = entry.groups()
        assert len(re.sub(r"<[^>]*>", "", meaning)) > 5, key
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert f"<code>{field.default}</code>" in facts, key
        if "least" in field.metadata:
            assert f"{field.metadata['least']:g}" in facts, key


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("datasets[].role", ROLES),
        ("systems.NAME.share", SHARES),
        ("train.precision", PRECISIONS),
        ("features.cmn", ("online", "utterance")),
        ("datasets[].split.by", ("speaker", "utterance")),
    ],
)
def test_meanings_name_the_choices(site, key, values):
    entry = page(site, "reference/keys").split(f'<h3 id="{key}">')[1].split("<h3")[0]
    for value in values:
        assert f"<code>{value}</code>" in entry


def test_every_option_of_every_command_is_there(site):
    text = page(site, "reference/commands")
    actions = parser(None)._actions
    commands = next(a for a in actions if isinstance(a, argparse._SubParsersAction)).choices
    assert len(commands) >= 5
    for name, command in commands.items():
        section = text.split(f'<h2 id="{name}">')[1].split("<h2")[0]
        for action in command._actions:
            if action.dest == "help":
                continue
            for option in action.option_strings or [action.metavar or action.dest.upper()]:
                assert re.search(rf"<code>[^<]*{re.escape(option)}\b", section), f"{name} {option}"
            assert (action.help or "") in section, f"{name} {action.dest}"


def test_every_recipe_is_there(generated, site):
    text = page(site, "reference/recipes")
    names = [path.parent.name for path in generated.tracked("recipes/*/recipe.yaml")]
    assert len(names) >= 14
    for name in names:
        assert f'<h2 id="{name}">' in text
        for results in generated.tracked(f"recipes/{name}/*.md"):
            assert f'href="../../recipes/{name}/{results.stem}/"' in text, results
            assert (site / "recipes" / name / results.stem / "index.html").exists()


def test_every_stage_and_job_is_named():
    text, run = source("inside/stages.md"), source("first-run.md")
    names = set()
    for number, entry in STAGES.items():
        assert f"| {number} | {entry.title} |" in text
        assert f"## Stage {number}: {entry.title}" in run
    for _, job in jobs():
        names.add(job)
    for name in names:
        assert f"`{name}`" in text or name == "SYSTEM", name


def jobs() -> Iterator[tuple[list[Path], str]]:
    """The outputs of every job of a recipe and its name; capitals stand for what varies."""
    options = {"language_model.open": "true"}
    recipe = read_recipe(RECIPES / "mini" / "recipe.yaml", options)
    layout = Layout(Path("exp/mini"), Path("downloads"), Path("data"))
    varies = {
        **{f"{d.role}_{d.language}": "DATASET" for d in recipe.datasets},
        **{
            f"{kind}_{n}": f"{kind}_LANG"
            for kind in ("lexicon", "phones")
            for n in recipe.languages
        },
        **{d.corpus: "TEST" for d in recipe.role("test")},
        **dict.fromkeys(recipe.systems, "SYSTEM"),
    }
    names = re.compile("|".join(rf"(?<![a-z]){name}(?![a-z])" for name in varies))

    def placed(text: str) -> str:
        return names.sub(lambda match: varies[match[0]], text)

    for number in STAGES:
        for job in stage(number, Experiment(recipe, layout), 1).jobs:
            outputs = [Path(placed(str(p.relative_to(layout.root)))) for p in job.outputs]
            yield outputs, placed(job.name)


def described(path: Path, text: str) -> bool:
    """Whether a path is in a table's row, or at least its name in the row of its folder."""
    folder = "" if path.parent == Path(".") else f"{path.parent}/"
    rows = [row for row in text.splitlines() if row.startswith(f"| `{folder}")]
    names = {path.name, path.name.removesuffix("_phones"), path.suffix} - {""}
    return any(f"`{name}`" in row or f"/{name}`" in row for name in names for row in rows)


def test_every_output_of_a_job_is_described():
    text = source("reference/files.md")
    count = 0
    for outputs, name in jobs():
        for path in outputs:
            count += 1
            assert described(path, text), f"{name}: {path}"
    assert count > 60


def test_every_place_of_the_layout_is_described():
    text = source("reference/files.md")
    layout = Layout(Path("exp/NAME"), Path("downloads"), Path("data"))
    for name, member in inspect.getmembers(Layout):
        if name.startswith("_") or not (isinstance(member, property) or inspect.isfunction(member)):
            continue
        if isinstance(member, property):
            path = getattr(layout, name)
        else:
            asked = list(inspect.signature(member).parameters)[1:]
            path = member(layout, *(PLACES[parameter] for parameter in asked))
        inside = path.relative_to(layout.root) if path.is_relative_to(layout.root) else path
        assert str(inside) in text, f"{name}: {inside}"


def test_every_package_is_in_the_picture(generated, site):
    floors = importlib.import_module("floors")
    rows = floors.rows()
    assert sorted(name for row in rows for name in row) == PACKAGES
    height = {name: -level for level, row in enumerate(rows) for name in row}
    for name in PACKAGES:
        for other in floors.description(name)[1]:
            assert height[other] < height[name], f"{name} imports {other}, which is not below it"
    text, picture = page(site, "inside/packages"), source("inside/packages.svg")
    for name in PACKAGES:
        assert f">{name}</text>" in picture
        assert f"<code>{name}</code>" in text


def test_generated_parts_are_up_to_date(generated):
    pages = generated.pages()
    assert len(pages) == 6  # five pages and the picture of the packages
    for path, content in pages.items():
        assert path.read_text(encoding="utf-8") == content, "run: python docs/generated.py"


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150 and len(text.split()) <= 1450


def test_every_reader_refuses_something(site):
    text = page(site, "reference/bad-inputs")
    names = [file.stem for file in ROOT.glob("local/readers/*.py") if file.stem != "__init__"]
    assert len(names) >= 9
    for name in names:
        row = rf"<td><code>{name}</code></td>\s*<td>There is no [^<]*FOLDER/nowhere"
        assert re.search(row, text), name
    assert "UTF-8: line 2, byte 16" in text


def texts(node: ast.AST) -> Iterator[str]:
    """The strings of a module; what an f-string fills in is ``...``."""
    if isinstance(node, ast.JoinedStr):
        parts = (v.value if isinstance(v, ast.Constant) else "..." for v in node.values)
        yield "".join(parts)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def test_what_goes_wrong_is_really_said():
    files = [file for top in ("cascade", "local") for file in (ROOT / top).rglob("*.py")]
    strings = [
        text for file in files for text in texts(ast.parse(file.read_text(encoding="utf-8")))
    ]
    strings.append((ROOT / "path.sh").read_text(encoding="utf-8"))
    table = source("first-run.md").split("## What goes wrong most often")[1].split("\n\n")[1]
    messages = re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)
    assert len(messages) >= 10
    for message in messages:
        parts = [part.strip(" '") for part in message.split("...")]
        matches = [text for text in strings if all(part in text for part in parts)]
        assert matches, f"nothing says {message}"


def test_the_example_of_a_reader_reads(tmp_path, monkeypatch):
    example = re.search(r"```python\n(.*?)```", source("inside/add-corpus.md"), re.DOTALL)[1]
    (tmp_path / "reader_of_the_docs.py").write_text(example, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    reader = importlib.import_module("reader_of_the_docs")
    (tmp_path / "list.txt").write_text("a/0001.wav Guten Tag\nb/0001.wav Danke\n")
    request = CorpusRequest(tmp_path, tmp_path, path=tmp_path)
    first, second = reader.utterances(request)
    assert (first.id, first.text, first.speaker) == ("a-0001", "Guten Tag", "a")
    assert second.audio == tmp_path / "b/0001.wav"
    assert reader.detect(request)
    for name in ("LICENCE", "PARTS", "LOOKS_FOR"):
        assert hasattr(reader, name)
    (tmp_path / "list.txt").write_text("a/0001.wav\n")
    with pytest.raises(UserError, match="line 1 is not 'FILE TEXT'"):
        list(reader.utterances(request))


@pytest.mark.parametrize("name", ["generated", "floors", "hooks", "refusals"])
def test_examples_in_docstrings(generated, name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_search_finds_what_cmn_means(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    sections = {entry["location"]: entry for entry in index["docs"]}
    assert "What does CMN mean?" in sections["reference/glossary/#cmn"]["text"]
    assert "features.cmn" in sections["reference/keys/#features.cmn"]["title"]
    assert "ledger" in sections["reference/files/#excludedtsv"]["text"]


PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *RECIPES.glob("*/*.md")]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    text = re.sub(r"```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target = link.partition("#")[0]
        if target and not link.startswith(("http://", "https://", "mailto:")):
            assert (file.parent / target).exists(), link
