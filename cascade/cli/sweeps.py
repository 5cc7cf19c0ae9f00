"""``--sweep`` and ``--search``: many runs of one recipe."""

import argparse
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from cascade.cli.machines import cluster
from cascade.config.layout import Layout
from cascade.config.recipe import Recipe, read_recipe
from cascade.pipeline.stages import SCORING, TORCHRUN
from cascade.runtime.errors import UserError


def run_sweep(
    options: argparse.Namespace,
    overrides: dict[str, str],
    path: Path,
    layout: Layout,
    numbers: Sequence[int],
) -> None:
    """Run a sweep or a search."""
    from cascade.sweeps import plan, sweep
    from cascade.sweeps.earlier import Earlier, read_earlier

    if options.sweep is not None and options.search:
        raise UserError("--sweep and --search exclude each other: give one of them.")
    if options.check or options.folder:
        raise UserError("--sweep and --search exclude --check and --folder.")
    if options.gpus or TORCHRUN in os.environ:
        raise UserError("--sweep and --search train each system in one process, without --gpus.")
    seeds = 1 if options.seeds is None else options.seeds

    def read(values: Mapping[str, str]) -> Recipe:
        return read_recipe(path, {**overrides, **values})

    if options.search:
        points = plan.search_plan(read, options.search, seeds, layout)
        numbers = [number for number in numbers if number <= plan.TRAINED]
        if not numbers:
            raise UserError(f"--search ends with stage {plan.TRAINED}: --stage must not be later.")
    else:
        points = plan.sweep_plan(read, options.sweep, seeds, layout)
        numbers = [number for number in numbers if number <= SCORING]
        if not numbers:
            raise UserError(f"--sweep ends with stage {SCORING}: --stage must not be later.")
    earlier = read_earlier(path.parent, points) if options.add else Earlier()
    if options.dry_run:
        sweep.show_points(points, numbers, options.force)
        return
    common = ["--recipe", str(path), "--stage", str(numbers[0]), "--stop-stage", str(numbers[-1])]
    common += [f"--{key}={value}" for key, value in overrides.items()]
    if options.search:
        from cascade.sweeps.search import publish_search  # heavy

        publish = partial(publish_search, path.parent)
    else:
        from cascade.sweeps.outputs import publish_sweep

        publish = partial(publish_sweep, path.parent, earlier=earlier)
    with cluster(options, layout) as machines:
        if machines and not machines.trains:
            common += [f"--dask={machines.scheduler()}"]
        sweep.run_points(points, common, numbers, options.nj, options.force, publish)
    if not options.search:
        from cascade.html.several import write_comparison
        from cascade.html.sweeps import PAGE

        page = layout.root / PAGE
        write_comparison([], page, [path.parent])
        print(f"\nThe report: {page}")
