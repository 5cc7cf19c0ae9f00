"""Parsed YAML to frozen dataclasses and back, for any dataclasses: what recipes are read with.

It is our own because every error has to name the key, by its dotted name, and the nearest known
key; and because a key that the dataclass lacks must be an error.
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
    """Return a dataclass field for a number from ``least`` to ``most``."""
    return dataclasses.field(default=default, metadata={"least": least, "most": most})


def as_plain(value: Any) -> Any:
    """Return a recipe, or a part of one, as JSON types, which stamps can compare."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(v) for v in value]
    return value


def override(raw: dict, key: str, value: str) -> None:
    """Set the key ``a.b.c`` of nested mappings to ``value``, which is YAML text.

    >>> raw = {"seed": 0}
    >>> override(raw, "train.augment.warp", "2.5")
    >>> raw
    {'seed': 0, 'train': {'augment': {'warp': 2.5}}}

    Raises `UserError` for text that is not YAML, and for a key in something that is no mapping.
    """
    try:
        parsed = yaml.safe_load(value)
    except (ValueError, yaml.YAMLError, RecursionError):
        raise UserError(f"--{key}: {value!r} is not valid YAML.") from None
    *parents, last = key.split(".")
    node = raw
    for parent in parents:
        child = node.get(parent, {})
        if not isinstance(child, dict):
            raise UserError(f"--{key}: '{parent}' is not a section of the recipe.")
        node[parent] = dict(child)  # a copy: a YAML alias may share the mapping
        node = node[parent]
    node[last] = parsed


def layered(base: Mapping, changes: Mapping) -> dict:
    """Return ``base`` with ``changes``: mappings key by key; a key with None is removed.

    >>> base = {"seed": 0, "languages": {"ru": {"voice": "ru"}, "en": {"voice": "en-us"}}}
    >>> layered(base, {"seed": 1, "languages": {"en": None}})
    {'seed': 1, 'languages': {'ru': {'voice': 'ru'}}}

    Raises `UserError` for a key to remove that ``base`` lacks.
    """
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            if key not in merged:
                near = closest(key, list(map(str, merged)))
                raise UserError(
                    f"the key '{key}' has no value. That removes it from the other recipe, which"
                    f" does not have it; the nearest key there is '{near}'."
                )
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = layered(merged[key], value)
        else:
            merged[key] = value
    return merged


def sets(changes: Any, path: Sequence[str]) -> bool:
    """Return whether nested mappings set the key at ``path``, or a section that it is in.

    >>> sets({"augment": {"warp": 1}}, ["augment", "warp"])
    True
    >>> sets({"augment": {"warp": 1}}, ["augment", "stretch"])
    False
    """
    if not isinstance(changes, Mapping):
        return True
    return path[0] in changes and (len(path) == 1 or sets(changes[path[0]], path[1:]))


def closest(name: str, names: Sequence[str]) -> str:
    """Return the one of ``names`` that is most like ``name``, for messages.

    >>> closest("strech", ["warp", "stretch"])
    'stretch'
    """
    matches = difflib.get_close_matches(str(name), names, n=1, cutoff=0.0)
    return matches[0] if matches else "none"


def build(kind: Any, raw: Any, where: str) -> Any:
    """Return a ``kind`` (a dataclass or a field's type) made of parsed YAML.

    ``where`` is the dotted name of the key, for messages.

    >>> build(dict[str, tuple[float, ...]], {"en": [0, 0.8]}, "train.active")
    {'en': (0.0, 0.8)}

    Raises `UserError` for an unknown or missing key, a wrong type and a number out of its range.
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _build_section(kind, raw, where)
    if origin in (types.UnionType, typing.Union):
        if type(raw) in (str, type(None)) and type(raw) in args:  # `float | str`: 0.2 or `auto`
            return raw
        return build(args[0], raw, where)
    if origin is tuple:
        if not isinstance(raw, (list, tuple)):
            raise UserError(f"'{where}' must be a list.")
        return tuple(build(args[0], item, f"{where}[{i}]") for i, item in enumerate(raw))
    if origin is dict:
        if not isinstance(raw, dict):
            raise UserError(f"'{where}' must be a mapping.")
        for key in raw:
            if key is None or isinstance(key, bool):  # YAML takes `no`, Norwegian, for False
                raise UserError(f"'{where}' has the key {key}: put it in quotes.")
        return {str(k): build(args[1], v, f"{where}.{k}") for k, v in raw.items()}
    if kind is Any:
        return raw
    return _build_scalar(kind, raw, where)


def _build_scalar(kind: type, raw: Any, where: str) -> Any:
    if kind is str and isinstance(raw, (str, int, float)) and not isinstance(raw, bool):
        return str(raw)  # target_minutes may be 15 or `all`
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
            near = closest(key, list(hints))
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
    if not all(least <= v <= most for v in values):  # also if one is NaN
        span = f"{least} to {most}" if most < math.inf else f"at least {least}"
        raise UserError(f"'{where}' must be {span}, not {value}.")


def merge(base: dict, changes: Mapping, kind: type, where: str) -> dict:
    """Return ``base``, the fields of a ``kind``, with ``changes``: sections key by key.

    Raises `UserError` as `build` does.
    """
    _build_section(kind, dict(changes), where)  # checks the changes
    hints = typing.get_type_hints(kind)
    merged = dict(base)
    for key, value in changes.items():
        section = dataclasses.is_dataclass(hints[key]) or typing.get_origin(hints[key]) is dict
        merged[key] = {**base[key], **value} if section else value
    return merged
