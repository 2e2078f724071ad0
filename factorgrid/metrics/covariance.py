"""Covariance of codes, shared by the two Gaussian scores."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import Error
from factorgrid.metrics.checks import as_codes


def code_covariance(codes: ArrayLike, *, active_only: bool) -> tuple[Float[ndarray, "latent latent"], bool]:
    """Covariance (n - 1 in the denominator) of the codes, and whether it still holds a dead latent.

    Raises:
        Error: bad shape or type, NaN codes, fewer than two samples.
    """
    values = as_codes(codes)
    if len(values) < 2:
        raise Error("a covariance needs at least two samples, got 1")
    dead = values.min(axis=0) == values.max(axis=0)
    if active_only:
        values, dead = values[:, ~dead], dead[~dead]
    covariance = np.cov(values.astype(np.float64), rowvar=False).reshape(values.shape[1], values.shape[1])
    # exactly zero, where rounding of the mean may have left a trace
    covariance[dead], covariance[:, dead] = 0.0, 0.0
    return covariance, bool(dead.any())
