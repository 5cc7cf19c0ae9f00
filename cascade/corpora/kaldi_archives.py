"""Feature matrices in Kaldi's archives."""

from collections.abc import Mapping

import kaldiio
import numpy as np

from cascade.runtime.errors import UserError


def read_features(where: str) -> np.ndarray:
    """A feature matrix (T, C) float32 from ``ARCHIVE:OFFSET``; raises `UserError`."""
    if "|" in where:  # kaldiio would run it
        raise UserError(f"the features are the output of a command: {where}")
    try:
        features = kaldiio.load_mat(where)
    except Exception as error:  # kaldiio raises what it meets in a damaged archive
        raise UserError(f"the features at {where} cannot be read ({error})") from None
    if not isinstance(features, np.ndarray) or features.ndim != 2 or not features.size:
        raise UserError(f"at {where} there is no feature matrix")
    return np.ascontiguousarray(features, dtype=np.float32)


def differing(sizes: Mapping[str, int]) -> str | None:
    """What is wrong where data sets have features of several sizes; None where they have not.

    ``sizes`` has the values of a frame by data set.
    """
    first = next(iter(sizes))
    for key, size in sizes.items():
        if size != sizes[first]:
            return (
                f"The features of {first} have {sizes[first]} values a frame, those of {key}"
                f" {size}; a network takes one size. Name audio for all, or features made in one"
                f" way for all. (Audio gives as many values as the recipe's features.filters.)"
            )
    return None
