"""What must be in the environment before NumPy and PyTorch are loaded."""

import os

SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def prepare_for_workers() -> None:
    """Let NumPy and PyTorch use one thread, unless the environment says another number.

    Call it before they are loaded. Forked workers with several threads each are many times as
    slow as with one. They also train (`cascade.adaptation`), which fails in a fork of a process
    that has initialised CUDA. So PyTorch asks the driver alone whether there is a GPU.
    """
    for name in SETTINGS:
        os.environ.setdefault(name, "1")
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
