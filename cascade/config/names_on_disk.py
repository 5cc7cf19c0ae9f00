"""The files that a recipe names, as the disk writes their names."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cascade.runtime.file_names import on_disk
from cascade.runtime.project import ROOT

if TYPE_CHECKING:
    from cascade.config.recipe import Recipe


def with_names_on_disk(recipe: "Recipe") -> "Recipe":
    """Return the recipe with its files named as the disk has them, in the same normal form."""
    languages = {
        name: replace(
            language,
            lexicon=language.lexicon and _on_disk(language.lexicon),
            texts=tuple(map(_on_disk, language.texts)),
            read_aloud=tuple(map(_on_disk, language.read_aloud)),
            dictionaries=tuple(map(_on_disk, language.dictionaries)),
        )
        for name, language in recipe.languages.items()
    }
    systems = {
        name: replace(system, start=system.start and _on_disk(system.start))
        for name, system in recipe.systems.items()
    }
    datasets = tuple(replace(d, path=d.path and _on_disk(d.path)) for d in recipe.datasets)
    return replace(recipe, languages=languages, systems=systems, datasets=datasets)


def _on_disk(name: str) -> str:
    if name.isascii():
        return name
    path = on_disk(ROOT / name)
    return name if path == ROOT / name else str(path)
