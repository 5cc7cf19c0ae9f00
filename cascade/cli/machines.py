"""The options ``--dask`` and ``--cluster``: other machines that work for a run."""

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
    """Let a cluster do the work of stages 0, 2 and 4 if the command line names one.

    Of the processes that torchrun starts, only the first runs stages.
    """
    if options.dask and options.cluster:
        raise UserError("--dask and --cluster exclude each other: give one of them.")
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
        machines = pool.DaskCluster(options.dask, layout.root)
    else:
        machines = jobs.QueuedCluster(options.cluster, layout.root)
    with workers.on(machines):
        yield machines
