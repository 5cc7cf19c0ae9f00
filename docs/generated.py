"""Writes the parts of pages that are generated from the code and the recipes.

``python docs/generated.py`` writes them again. A test fails when they are not up to date. In a
page, such a part is between ``<!-- generated: NAME -->`` and ``<!-- end -->``; ``PARTS`` has the
functions that return them by name.
"""

import argparse
import dataclasses
import math
import re
import subprocess
import sys
import types
import typing
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import floors  # noqa: E402
import refusals  # noqa: E402
import yaml  # noqa: E402

from cascade.cli.options import parser, run_help  # noqa: E402
from cascade.config.recipe import Recipe  # noqa: E402

RESULTS = ("RESULTS.md", "DETAILS.md", "SWEEP.md", "SEARCH.md")
SCALARS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


# Keys of a recipe


def keys() -> str:
    """Every key of a recipe, a section each for `Recipe` and the dataclasses in it."""
    return "\n\n".join(_section(*section) for section in sections(Recipe))


def sections(kind: type, prefix: str = "") -> Iterator[tuple[type, str]]:
    """A dataclass and those that its fields have, each with the prefix of its keys."""
    yield kind, prefix
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        inner = _dataclass(hints[field.name])
        if inner:
            yield from sections(inner, _prefix(prefix, field.name, hints[field.name]))


def _dataclass(kind: typing.Any) -> type | None:
    """The dataclass that a field holds: itself, or those in a list or mapping."""
    kinds = (kind, *typing.get_args(kind))
    return next((k for k in kinds if isinstance(k, type) and dataclasses.is_dataclass(k)), None)


def _prefix(prefix: str, name: str, kind: typing.Any) -> str:
    """``systems.NAME.`` for a mapping, ``datasets[].`` for a list, ``train.`` for a section."""
    ends = {dict: ".NAME.", tuple: "[]."}
    return f"{prefix}{name}{ends.get(typing.get_origin(kind), '.')}"


def _section(kind: type, prefix: str) -> str:
    first, meanings = documented(kind)
    hints = typing.get_type_hints(kind)
    name = prefix.rstrip(".")
    title = f'## <a id="section-{name}"></a>`{name}`' if prefix else "## The recipe itself"
    lines = [f"{title}\n\n{first}"]
    for field in dataclasses.fields(kind):
        facts = [type_name(hints[field.name]), *_facts(field, meanings[field.name])]
        key, meaning = f"{prefix}{field.name}", meanings[field.name]
        if _dataclass(hints[field.name]):
            inner = _prefix(prefix, field.name, hints[field.name]).rstrip(".")
            meaning = re.sub(r"Keys: see `\w+`", f"[Its keys](#section-{inner})", meaning)
        lines.append(f'### <a id="{key}"></a>`{key}`\n\n*{" · ".join(facts)}*\n\n{meaning}')
    return "\n\n".join(lines)


def documented(kind: type) -> tuple[str, dict[str, str]]:
    """A dataclass's first paragraphs, and the meaning of each field, from its docstring."""
    text = (kind.__doc__ or "").replace("``", "`")
    head, _, attributes = text.partition("Attributes:\n")
    entries = re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", attributes, re.MULTILINE)
    return " ".join(head.split()), {name: " ".join(meaning.split()) for name, meaning in entries}


def type_name(kind: typing.Any) -> str:
    """A type in words.

    >>> type_name(dict[str, tuple[float, ...]])
    'mapping of names to lists of numbers'
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return type_name(args[0])
    if origin is tuple:
        return f"list of {_plural(args[0])}"
    if origin is dict:
        return f"mapping of names to {_plural(args[1])}"
    return SCALARS.get(kind, "section")


def _plural(kind: typing.Any) -> str:
    if kind is typing.Any:
        return "values"
    name = type_name(kind)
    if name.startswith("list of "):
        return name.replace("list", "lists", 1)
    if name.startswith("mapping of "):
        return name.replace("mapping", "mappings", 1)
    return name if kind in (str, bool) else f"{name}s"


def _facts(field: dataclasses.Field, meaning: str) -> Iterator[str]:
    """The bounds and the default of a field."""
    least, most = field.metadata.get("least"), field.metadata.get("most", math.inf)
    if least is not None:
        yield f"at least {least:g}" if most == math.inf else f"{least:g} to {most:g}"
    default = field.default
    if default in (None, "", ()) or "Default:" in meaning:
        yield "optional"
    elif default is not dataclasses.MISSING:
        yield f"default `{str(default).lower() if isinstance(default, bool) else default}`"
    else:
        yield "required" if field.default_factory is dataclasses.MISSING else "optional"


# Commands


def commands() -> str:
    """Every command with its options."""
    return "\n\n".join(_command(name, command) for name, command in subcommands().items())


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """The parsers of ``cascade``'s commands by name."""
    actions = parser(None)._actions
    return next(a for a in actions if isinstance(a, argparse._SubParsersAction)).choices


def _command(name: str, command: argparse.ArgumentParser) -> str:
    if name == "run":
        return f"## `run`\n\nAs `./run.sh`:\n\n```text\n{run_help()}```"
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    usage = usage.replace(f"{command.prog} ", f"cascade {name} ", 1)
    rows = [_option(action) for action in command._actions if action.dest != "help"]
    table = "\n".join(["| option | meaning |", "| --- | --- |", *rows])
    texts = [escape(text, quote=False) for text in (command.description, command.epilog) if text]
    body = "\n\n".join([f"```text\n{usage}\n```", *texts, table])
    return f"## `{name}`\n\n{body}"


def _option(action: argparse.Action) -> str:
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if action.choices:
        value = "..".join(dict.fromkeys(map(str, (min(action.choices), max(action.choices)))))
    names = [f"{name} {value}".strip() for name in action.option_strings] or [value]
    text = escape(action.help or "", quote=False).replace("|", "\\|")
    default = None if action.dest == "processes" else action.default  # one a core, which help says
    if action.dest == "nj":
        default = "one a core"
    if isinstance(default, float):
        default = f"{default:g}"  # 1.0 as 1
    shown = default is None or isinstance(default, bool) or default in ([], "")
    if action.option_strings and not shown and f"({default}" not in text:
        text = f"{text} ({default})".strip()
    return f"| `{', '.join(names)}` | {text} |"


# Recipes


def recipes() -> str:
    """A table of the recipes, and each one's comment and text."""
    folders = [path.parent for path in tracked("recipes/*/recipe.yaml")]
    rows = [f"| [`{f.name}`](#{f.name}) | {_summary(f)} | {_results(f)} |" for f in folders]
    table = "\n".join(["| recipe | what it is | figures |", "| --- | --- | --- |", *rows])
    return "\n\n".join([table, *map(_recipe, folders)])


def tracked(pattern: str) -> list[Path]:
    """Files of the project. What git does not track, such as a user's own recipe, is not one."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", pattern]
    try:
        listed = subprocess.run(command, capture_output=True, text=True).stdout.split("\0")
    except FileNotFoundError:  # no git
        listed = []
    return sorted(ROOT / name for name in listed if name) or sorted(ROOT.glob(pattern))


def comment(folder: Path) -> str:
    """The comment at the head of a recipe."""
    head = re.match(r"(#.*\n)*", (folder / "recipe.yaml").read_text(encoding="utf-8"))[0]
    return re.sub(r"^# ?", "", head, flags=re.MULTILINE).strip()


def _summary(folder: Path) -> str:
    """The first sentence of the comment."""
    sentence = re.split(r"(?<=\.)\s", " ".join(comment(folder).split()), maxsplit=1)[0]
    return sentence.rstrip(".")


def _results(folder: Path) -> str:
    files = tracked(f"recipes/{folder.name}/*.md")
    names = [name for name in RESULTS if folder / name in files]
    links = [f"[{n.removesuffix('.md')}](../../recipes/{folder.name}/{n})" for n in names]
    return ", ".join(links) or "none yet"


def _recipe(folder: Path) -> str:
    text = (folder / "recipe.yaml").read_text(encoding="utf-8")
    like = yaml.safe_load(text).get("like")
    base = f"Like [`{like}`](#{like}), with changes.\n\n" if like else ""
    file = f"[recipe.yaml](../../recipes/{folder.name}/recipe.yaml)"
    return (
        f'## <a id="{folder.name}"></a>{folder.name}\n\n{comment(folder)}\n\n{base}'
        f"The recipe: {file}. Figures: {_results(folder)}."
    )


PARTS = {
    "keys": keys,
    "commands": commands,
    "recipes": recipes,
    "packages": floors.table,
    "refusals": refusals.tables,
}

_PART = re.compile(r"(<!-- generated: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every file that has a generated part, with what it must contain."""
    files = {ROOT / "docs/inside/packages.svg": floors.picture()}
    for path in sorted(ROOT.glob("docs/**/*.md")):
        text = path.read_text(encoding="utf-8")
        if _PART.search(text):
            files[path] = _PART.sub(lambda m: f"{m[1]}\n{PARTS[m[2]]()}\n\n{m[3]}", text)
    return files


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content, encoding="utf-8")
