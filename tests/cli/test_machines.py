"""Options that name other machines."""

import pytest

from cascade.cli.machines import cluster
from cascade.cli.options import parser
from cascade.pipeline.stages import TORCHRUN
from cascade.runtime.errors import UserError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dask", "tcp://a:1", "--cluster", "ssh"], "--dask and --cluster exclude each other"),
        (["--cluster-training"], "--cluster-training needs the workers of --dask or --cluster."),
        (
            ["--cluster-training", "--dask", "tcp://a:1", "--gpus", "2"],
            "--cluster-training and --gpus exclude each other: each worker trains a system of its",
        ),
    ],
)
def test_options_that_do_not_go_together(options, message):
    with (
        pytest.raises(UserError, match=message),
        cluster(parser(None).parse_args(["run", *options]), None),
    ):
        pass


def test_torchrun_has_processes_of_its_own(monkeypatch):
    monkeypatch.setenv(TORCHRUN, "1")
    monkeypatch.setenv("RANK", "0")
    options = parser(None).parse_args(["run", "--dask", "tcp://a:1", "--cluster-training"])
    with pytest.raises(UserError, match="leave --cluster-training out"), cluster(options, None):
        pass
