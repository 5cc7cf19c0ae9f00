"""The command ``report``: the report of an experiment again, or of several, or of a sweep."""

from collections.abc import Sequence
from pathlib import Path

from cascade.config.experiment import Experiment
from cascade.config.layout import Layout
from cascade.config.recipe import read_recipe, recipe_in
from cascade.html.build import read_results, write_report
from cascade.html.several import write_comparison
from cascade.html.sweeps import FILE as SWEEP
from cascade.html.sweeps import PAGE as SWEEP_PAGE
from cascade.runtime.errors import UserError
from cascade.runtime.project import RECIPES, ROOT


def report(folders: Sequence[Path], out: Path | None) -> Path:
    """Write the report of the experiment in a folder, or one page of several; return its path.

    A folder may also be that of a recipe with a sweep. Raises `UserError` for a folder without
    results, and for files that are missing or damaged.
    """
    recipes = [folder for folder in folders if (folder / SWEEP).is_file()]
    experiments = [experiment_in(folder) for folder in folders if folder not in recipes]
    if len(experiments) == 1 and not recipes and out is None:
        write_report(experiments[0])
        return experiments[0].layout.report
    if experiments:
        path = out or experiments[0].layout.root.parent / "report.html"
    else:
        path = out or ROOT / "exp" / recipes[0].absolute().name / SWEEP_PAGE
    write_comparison(experiments, path, recipes)
    return path


def experiment_in(folder: Path) -> Experiment:
    """Return the experiment in a folder, with the recipe that stage 6 has left there.

    Without that, the recipe is the one in ``recipes/`` that ``results.json`` names. Raises
    `UserError` if there are no results or no recipe.
    """
    layout = Layout(folder, Path("downloads"), Path("data"))
    if layout.recipe.is_file():
        return Experiment(read_recipe(layout.recipe), layout)
    name = read_results(folder)["recipe"]
    file = recipe_in(RECIPES / name)
    if file is None:
        raise UserError(
            f"{layout.recipe} is missing, and there is no recipe '{name}' in recipes/. Run stage 6"
            " of the recipe: ./run.sh --stage 6 --recipe FILE"
        )
    return Experiment(read_recipe(file), layout)
