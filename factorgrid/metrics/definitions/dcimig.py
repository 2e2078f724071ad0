"""DCIMIG, also 3CharM (Sepliarskaia et al. 2019, "Evaluating disentangled representations", arXiv 1910.05587)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information
from factorgrid.metrics.mutual_information import gap


def dcimig(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """Whether every factor has a code that knows it and no other factor.

    A code's gap, the mutual information with its best factor minus that with its second, is credited to the best
    factor; of each factor the greatest credit counts: their sum over the sum of the factors' entropies.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"dcimig"}: 0 .. 1.

    Raises:
        Error: see `binned_information`.
    """
    found = binned_information(codes, factors, num_bins)
    return {"dcimig": float(min(credits_of(found.shared).sum() / found.of_factors.sum(), 1.0))}


def credits_of(shared: Float[ndarray, "latent factor"]) -> Float[ndarray, " factor"]:
    """The greatest gap of the codes whose best factor it is; 0 where it is no code's best.

    >>> credits_of(np.array([[0.75, 0.25], [0.5, 0.25], [0.0, 0.0]])).tolist()
    [0.5, 0.0]
    """
    credited = np.zeros_like(shared)
    credited[np.arange(len(shared)), shared.argmax(axis=1)] = gap(shared.T)
    return credited.max(axis=0)
