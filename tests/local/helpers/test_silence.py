import ctypes
import platform

import pytest

from cascade.runtime.errors import UserError
from local.helpers import silence


@pytest.mark.skipif(platform.machine() not in silence.MACHINES, reason="not for this machine")
def test_silent_library_loads_and_does_nothing(tmp_path):
    silence.write(tmp_path, "libquiet.so.0", ["play", "stop"])
    quiet = ctypes.CDLL(str(tmp_path / "libquiet.so.0"))
    assert quiet.play() == 0 and quiet.stop(1, 2) == 0
    assert not hasattr(quiet, "other")


def test_silent_library_for_an_unknown_machine():
    with pytest.raises(UserError, match="riscv64"):
        silence.library("a", ["b"], "riscv64")
