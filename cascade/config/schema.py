"""From parsed YAML to frozen dataclasses, and back: the grammar of recipes.

Every message names the key it is about by its dotted name.
"""

import dataclasses
import difflib
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from cascade.runtime.errors import UserError


def within(default: Any, least: float, most: float = math.inf) -> Any:
    """A field of a number from ``least`` to ``most``."""
    return dataclasses.field(default=default, metadata={"least": least, "most": most})


def as_plain(value: Any) -> Any:
    """A recipe, or a part of one, as JSON types: what stamps compare."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(v) for v in value]
    return value


def override(raw: dict, key: str, value: str) -> None:
    """Sets ``a.b.c`` in nested mappings; the reader checks the result."""
    try:
        parsed = yaml.safe_load(value)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise UserError(f"--{key}: {value!r} does not parse as a value.") from None
    *parents, last = key.split(".")
    node = raw
    for parent in parents:
        child = node.get(parent, {})
        if not isinstance(child, dict):
            raise UserError(f"--{key}: '{parent}' is not a section of the recipe.")
        node[parent] = dict(child)  # a copy: by a YAML alias others may have the same
        node = node[parent]
    node[last] = parsed


def layered(base: Mapping, changes: Mapping) -> dict:
    """``base`` with ``changes`` over it, mappings key by key; None takes a key away."""
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            if key not in merged:
                near = nearest(key, list(map(str, merged)))
                raise UserError(
                    f"the key '{key}' has no value, which takes it away, and is not there; the"
                    f" nearest that is there is '{near}'."
                )
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = layered(merged[key], value)
        else:
            merged[key] = value
    return merged


def has(changes: Any, path: Sequence[str]) -> bool:
    """Whether nested mappings have a value at ``path``, or one in place of a mapping on it."""
    if not isinstance(changes, Mapping):
        return True
    return path[0] in changes and (len(path) == 1 or has(changes[path[0]], path[1:]))


def nearest(key: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(str(key), known, n=1, cutoff=0.0)
    return match[0] if match else "none"


def build(kind: Any, raw: Any, where: str) -> Any:
    """Makes ``kind`` (a dataclass or a field's type) from parsed YAML."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _build_section(kind, raw, where)
    if origin in (types.UnionType, typing.Union):
        return None if raw is None else build(args[0], raw, where)
    if origin is tuple:
        if not isinstance(raw, (list, tuple)):
            raise UserError(f"'{where}' must be a list.")
        return tuple(build(args[0], item, f"{where}[{i}]") for i, item in enumerate(raw))
    if origin is dict:
        if not isinstance(raw, dict):
            raise UserError(f"'{where}' must be a mapping.")
        for key in raw:
            if key is None or isinstance(key, bool):  # `no` is a language and a truth value
                raise UserError(f"'{where}' has the key {key}: put it in quotes.")
        return {str(k): build(args[1], v, f"{where}.{k}") for k, v in raw.items()}
    if kind is Any:
        return raw
    return _build_scalar(kind, raw, where)


def _build_scalar(kind: type, raw: Any, where: str) -> Any:
    if kind is str and isinstance(raw, (str, int, float)) and not isinstance(raw, bool):
        return str(raw)  # target_minutes: 15 and `all` are both right
    if kind is float and isinstance(raw, int) and abs(raw) < 1e300 and not isinstance(raw, bool):
        return float(raw)
    if kind is float and isinstance(raw, str) and re.fullmatch(r"\d+(\.\d*)?e-?\d+", raw):
        return float(raw)  # YAML 1.1 takes 1e-3 for a string
    if isinstance(raw, kind) and (kind is bool or not isinstance(raw, bool)):
        return raw
    raise UserError(f"'{where}' must be of type {kind.__name__}, not {raw!r}.")


def _build_section(kind: type, raw: Any, where: str) -> Any:
    at = f" in '{where}'" if where else ""
    if not isinstance(raw, dict):
        raise UserError(f"'{where}' must be a mapping of keys to values, not {raw!r}.")
    hints = typing.get_type_hints(kind)
    for key in raw:
        if key not in hints:
            near = nearest(key, list(hints))
            raise UserError(f"unknown key '{key}'{at}; the nearest known one is '{near}'.")
    values = {}
    for f in dataclasses.fields(kind):
        inner = f"{where}.{f.name}" if where else f.name
        if f.name in raw:
            values[f.name] = build(hints[f.name], raw[f.name], inner)
            _check_range(f, values[f.name], inner)
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise UserError(f"the key '{inner}' is missing.")
    return kind(**values)


def _check_range(field: dataclasses.Field, value: Any, where: str) -> None:
    if "least" not in field.metadata or value is None:
        return
    least, most = field.metadata["least"], field.metadata["most"]
    values = value if isinstance(value, tuple) else (value,)
    if not all(least <= v <= most for v in values):  # false for a NaN, too
        span = f"{least} to {most}" if most < math.inf else f"at least {least}"
        raise UserError(f"'{where}' must be {span}, not {value}.")


def merge(base: dict, changes: Mapping, kind: type, where: str) -> dict:
    """``base`` with ``changes`` over it, section by section."""
    _build_section(kind, dict(changes), where)  # for the error messages
    hints = typing.get_type_hints(kind)
    merged = dict(base)
    for key, value in changes.items():
        section = dataclasses.is_dataclass(hints[key]) or typing.get_origin(hints[key]) is dict
        merged[key] = {**base[key], **value} if section else value
    return merged
