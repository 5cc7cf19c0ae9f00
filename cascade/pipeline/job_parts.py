"""What the jobs of all stages are made of: views of the recipe, keys of data sets, calls."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cascade.config.layout import Layout, dataset_key
from cascade.config.recipe import Recipe
from cascade.config.schema import as_plain
from cascade.runtime.stage import Found


def view(recipe: Recipe, *keys: str) -> dict[str, Any]:
    """The parts of the recipe under ``keys``, as JSON types."""
    return {key: as_plain(getattr(recipe, key)) for key in keys}


def keys_of(recipe: Recipe, *roles: str) -> list[str]:
    """The keys of all data sets, or of those with one of ``roles``."""
    return [dataset_key(recipe, d) for d in recipe.datasets if not roles or d.role in roles]


def later(module: str, function: str, *arguments: Any) -> Callable[[], Found | None]:
    """A call of a function whose module is imported when the job runs."""

    def run() -> Found | None:
        import importlib

        return getattr(importlib.import_module(module), function)(*arguments)

    return run


def data_inputs(layout: Layout, keys: Sequence[str]) -> list[Path]:
    """What makes the batches of some data sets: what their features are, not where."""
    kinds = (layout.num_frames, layout.feature_digests)
    files = [kind(key) for key in keys for kind in kinds]
    return [*files, *(layout.text(key, "phones") for key in keys), layout.cms_init]
