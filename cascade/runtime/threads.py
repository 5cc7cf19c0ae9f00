"""One thread a process, as ``path.sh`` has it, for commands that were started without it."""

import os

SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def one_thread() -> None:
    """Let NumPy and PyTorch use one thread, unless the environment says another number.

    Call it before they are loaded. Forked workers with several threads each are many times as
    slow as with one.
    """
    for name in SETTINGS:
        os.environ.setdefault(name, "1")
