import doctest

import pytest

from cascade.features import mel
from cascade.features.filterbank import Filterbank
from cascade.features.numpy_filterbank import NumpyFilterbank


@pytest.mark.parametrize(
    ("rate", "filters"), [(8000, 40), (8000, 80), (16000, 40), (16000, 128), (16000, 256)]
)
def test_filters_without_a_frequency_are_counted(rate, filters):
    count = mel.empty_filters(rate, filters)
    for bank in (NumpyFilterbank(rate, filters), Filterbank(rate, filters)):
        columns = [float(column.max()) for column in bank._mel.T]
        assert sum(value == 0 for value in columns) == count


def test_examples_in_docstrings():
    assert doctest.testmod(mel).failed == 0
