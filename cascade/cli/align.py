"""The command `align`: what is asked for, and by which bundle."""

import argparse
from collections.abc import Callable
from pathlib import Path

from cascade.alignment.aligner import FILES
from cascade.alignment.folder import FORMATS, Request, align_folder
from cascade.bundle.manifest import NAME, PHONE_MODELS
from cascade.bundle.reader import opened
from cascade.cli.models import folder_of
from cascade.config.experiment import Experiment
from cascade.pipeline import stages
from cascade.pipeline.stages import BUNDLE
from cascade.runtime.errors import UserError


def align(
    options: argparse.Namespace, experiment: Callable[[], Experiment], keys: dict[str, str]
) -> str:
    """Align a folder; return the summary to print.

    ``experiment`` reads the recipe, if no bundle is given; ``keys`` are those of the recipe on
    the command line.
    """
    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    if options.channel is not None and options.channel < 0:
        raise UserError("--channel must be at least 0.")
    kinds = options.formats.split(",")
    if odd := [kind for kind in kinds if kind not in FORMATS]:
        raise UserError(f"Unknown format '{odd[0]}'. Known: {', '.join(FORMATS)}.")
    where, out = folder_of(options, "_aligned")
    request = Request(
        where=where,
        out=out,
        kinds=kinds,
        lexicon=options.lexicon.absolute() if options.lexicon else None,
        channel=options.channel,
        least=options.min_score,
        jobs=options.nj,
        force=options.force,
    )
    path = _bundle(options, experiment, keys)
    with opened(path, FILES) as bundle:
        return align_folder(bundle, request)


def _bundle(
    options: argparse.Namespace, experiment: Callable[[], Experiment], keys: dict[str, str]
) -> Path:
    """Return the bundle that is named, or that of a system of a recipe."""
    if options.bundle:
        given = [name for name in ("recipe", "system", "exp") if getattr(options, name)]
        if unused := [*given, *keys]:
            raise UserError(f"--bundle excludes --{unused[0]}: a bundle has its own.")
        return Path(options.bundle).absolute()
    from cascade.recognition.trained_system import choose

    options.recipe = options.recipe or "ru_en"
    read = experiment()
    folder = read.layout.bundle(choose(read, options.system))
    if not (folder / NAME).exists():
        raise UserError(
            f"{folder} is not there yet. Stage 7 makes it: ./run.sh --recipe {options.recipe}"
            " --stage 7 --stop-stage 7."
        )
    if not (folder / PHONE_MODELS).exists():
        raise UserError(
            f"{folder} has no {PHONE_MODELS}: when it was made, no training speech fitted its"
            " transcript. Train longer, or with more speech."
        )
    stages.warn(read, (BUNDLE,))
    return folder
