"""An experiment: a recipe, and the paths of its files."""

from dataclasses import dataclass
from pathlib import Path

from cascade.config.layout import Layout
from cascade.config.recipe import Recipe
from cascade.config.sections import Dataset


@dataclass(frozen=True)
class Experiment:
    """A recipe and its layout: every stage takes one."""

    recipe: Recipe
    layout: Layout

    def dataset_key(self, dataset: Dataset) -> str:
        """Return the name of a data set's files.

        It is ``ROLE_LANG``, or ``ROLE_LANG_CORPUS`` if several have the same role and language.
        """
        key = f"{dataset.role}_{dataset.language}"
        same = [d for d in self.recipe.role(dataset.role) if d.language == dataset.language]
        return f"{key}_{dataset.label}" if len(same) > 1 else key

    def dataset_keys(self, *roles: str) -> list[str]:
        """Return the keys of the data sets, only of ``roles`` if given, in the recipe's order."""
        return [self.dataset_key(d) for d in self.recipe.datasets if not roles or d.role in roles]

    def start(self, system: str) -> Path | None:
        """Return the folder of the model that ``system`` starts from, or None."""
        start, before = self.recipe.systems[system].start, self.recipe.before(system)
        return self.layout.system(before) if before else Path(start) if start else None
