"""The options ``--dask``, ``--cluster`` and ``--cluster-training``: other machines for a run."""

import argparse
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cascade.config.layout import Layout
from cascade.pipeline.stages import TORCHRUN
from cascade.runtime import workers
from cascade.runtime.errors import UserError

if TYPE_CHECKING:
    from cascade.cluster.pool import DaskCluster


@contextmanager
def cluster(options: argparse.Namespace, layout: Layout) -> "Iterator[DaskCluster | None]":
    """Let a cluster do the work of stages 0, 2 and 4, and train, as the command line says.

    Of the processes that torchrun starts, only the first runs stages.
    """
    if options.dask and options.cluster:
        raise UserError("--dask and --cluster exclude each other: give one of them.")
    if options.cluster_training:
        _check_training(options)
    follows = TORCHRUN in os.environ and os.environ["RANK"] != "0"
    if options.dry_run or follows or not (options.dask or options.cluster):
        yield None
        return
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise UserError(
            "--dask and --cluster need more packages. In this project's folder, run: . ./path.sh"
        )
    from cascade.cluster import jobs, pool  # heavy

    if options.dask:
        machines = pool.DaskCluster(options.dask, layout.root, options.cluster_training)
    else:
        machines = jobs.QueuedCluster(options.cluster, layout.root, trains=options.cluster_training)
    with workers.on(machines):
        yield machines


def _check_training(options: argparse.Namespace) -> None:
    """Raise `UserError` for options that ``--cluster-training`` does not go with."""
    if not (options.dask or options.cluster):
        raise UserError("--cluster-training needs the workers of --dask or --cluster.")
    if options.gpus:
        raise UserError(
            "--cluster-training and --gpus exclude each other: each worker trains a system of"
            " its own."
        )
    if TORCHRUN in os.environ:
        raise UserError("torchrun trains in its own processes: leave --cluster-training out.")
