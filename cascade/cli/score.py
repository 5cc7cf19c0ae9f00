"""The command `score`: what is asked for, and which model is scored."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack

from cascade.cli.models import folder_of, model_of
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
    where, out = folder_of(options, "_scored")
    request = Request(where, out, options.channel, options.adapt, options.nj)
    with ExitStack() as stack:
        return score_folder(model_of(options, experiment, keys, stack, lambda _: 0), request)
