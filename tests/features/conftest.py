import pytest
from stored_features import stored

from cascade.config.layout import Layout


@pytest.fixture
def dumped(tmp_path):
    """Writes what stages 1 and 2 leave of a data set, with random features of given lengths."""
    layout = Layout(tmp_path / "exp", tmp_path, tmp_path)
    return lambda *given, **options: stored(layout, *given, **options)
