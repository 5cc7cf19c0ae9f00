"""The command `score`: what is asked for, and which model is scored."""

import argparse
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cascade.cli.models import model_of
from cascade.config.experiment import Experiment
from cascade.recognition.scoring import Request, score_folder
from cascade.runtime.errors import UserError


def score(
    options: argparse.Namespace, experiment: Callable[[], Experiment], keys: dict[str, str]
) -> str:
    """Score a folder; return the summary to print.

    ``experiment`` reads the recipe, if no bundle is given; ``keys`` are those of the recipe on
    the command line.
    """
    if options.nj < 1:
        raise UserError("--nj must be at least 1.")
    where = Path(os.path.abspath(options.folder))  # before chdir
    name = where.stem if where.is_file() else where.name
    request = Request(
        where=str(where) if where.exists() else options.folder,
        out=Path(os.path.abspath(options.out or where.with_name(f"{name}_scored"))),
        channel=options.channel,
        adapt=options.adapt,
        jobs=options.nj,
    )
    with ExitStack() as stack:
        return score_folder(model_of(options, experiment, keys, stack, lambda _: 0), request)
