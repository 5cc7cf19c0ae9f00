"""Feature matrices in Kaldi's archives."""

from collections.abc import Mapping

import numpy as np

from cascade.runtime.errors import UserError


def read_features(where: str) -> np.ndarray:
    """Return a feature matrix (T, C) float32 from ``ARCHIVE:OFFSET``, as in an scp.

    Raises `UserError` if it cannot be read, for a command in place of an archive, and for a pickle
    in it, which could run commands.
    """
    import kaldiio.matio  # not there where only bundles run

    kaldiio.matio.pickle = _NoPickles  # it loads them wherever an archive says that there is one
    if "|" in where:  # kaldiio would run it
        raise UserError(f"the features are the output of a command: {where}")
    try:
        features = kaldiio.load_mat(where)
    except Exception as error:  # kaldiio raises errors of any kind for a damaged archive
        raise UserError(f"the features at {where} cannot be read ({error})") from None
    if not isinstance(features, np.ndarray) or features.ndim != 2 or not features.size:
        raise UserError(f"at {where} there is no feature matrix")
    return np.ascontiguousarray(features, dtype=np.float32)


class _NoPickles:
    """In place of the module ``pickle``."""

    @staticmethod
    def load(*_: object) -> None:
        raise ValueError("it is a pickle, which could run commands: write a Kaldi matrix")


def size_mismatch(sizes: Mapping[str, int]) -> str | None:
    """Say which data sets have features of another size than the first; None if none has.

    ``sizes`` gives the values of a frame by data set.
    """
    first = next(iter(sizes))
    for key, size in sizes.items():
        if size != sizes[first]:
            return (
                f"The features of {first} have {sizes[first]} values a frame, those of {key}"
                f" {size}. Use audio for all data sets, or features of one size. (From audio,"
                f" a frame has as many values as the recipe's features.filters.)"
            )
    return None
