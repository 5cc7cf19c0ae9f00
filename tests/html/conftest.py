"""A scored experiment, with text that would be markup, for the tests of the report."""

import pytest
from scored_files import scored

from cascade.config.experiment import Experiment

HOSTILE = "<script>alert('x')</script> &amp; \"кот\" </script><img src=x onerror=alert(1)>"


@pytest.fixture
def experiment(small, read) -> Experiment:
    raw, layout = small
    return scored(Experiment(read(raw), layout))


@pytest.fixture
def hostile(small, read) -> Experiment:
    """Transcripts, speakers and file names that would be markup."""
    raw, layout = small
    texts = {"<b>u1</b>": HOSTILE, "u2\"'><script>": "кот </script><!-- <script> дом"}
    return scored(Experiment(read(raw), layout), 4, ("<i>anna</i>", "bo\"ris'"), texts)
