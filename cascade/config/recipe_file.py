"""The text of a recipe: a mapping in YAML or JSON, in which no key appears twice."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cascade.runtime.errors import UserError


def parsed(path: Path) -> dict[str, Any]:
    """Return the YAML or JSON mapping in a file; raise `UserError` if there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no recipe at {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The recipe {path} cannot be read as UTF-8 text: {error}.") from None
    kind = "JSON" if path.suffix == ".json" else "YAML"
    try:
        if kind == "JSON":
            raw = json.loads(text, object_pairs_hook=_distinct)
        else:
            raw = _Loader(text).get_single_data()
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise UserError(f"{path} is not valid {kind}: {' '.join(str(error).split())}.") from None
    if not isinstance(raw, dict):
        raise UserError(f"{path} must be a mapping of keys to values.")
    return raw


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key that appears twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise ValueError(
                    f"'{key.value}' appears twice in one mapping, again in line {line}"
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object of ``pairs``; a key that appears twice is an error."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise ValueError(f"'{twice}' appears twice in a mapping")
    return mapping
