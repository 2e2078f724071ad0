"""Modularity (Ridgeway and Mozer 2018, https://arxiv.org/abs/1802.05312)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information


def modularity(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """Whether each code is informative about one factor only.

    Per code, 1 - (sum_j m_j^2 - max_j m_j^2) / (max_j m_j^2 * (num_factors - 1)) of its mutual informations m_j;
    the mean over all codes. A dead code counts 0, as in the reference, so collapsed latents lower the score.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"modularity"}: 0 .. 1. Independent codes do not score 0: their small mutual informations are noise that
        differs by factor (about 0.65 at 2,000 samples).

    Raises:
        Error: bad shapes or types, NaN codes, fewer samples than bins, no factor with two values.
    """
    return {"modularity": float(np.mean(modularity_details(codes, factors, num_bins=num_bins)["modularity"]))}


def modularity_details(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, ndarray]:
    """The mutual information [latent, factor] in nats, and the modularity of every code."""
    shared = binned_information(codes, factors, num_bins).shared
    return {"mutual_information": shared, "modularity": modularity_of(shared)}


def modularity_of(information: Float[ndarray, "latent factor"]) -> Float[ndarray, " latent"]:
    """Modularity of every row of mutual informations. With one factor, every live code is modular.

    >>> modularity_of(np.array([[1, 0.2, 0], [0, 0.5, 0.5], [0, 0, 0]])).round(7).tolist()
    [0.98, 0.5, 0.0]
    """
    squared = information**2
    largest = squared.max(axis=1)
    live = largest > 0
    others = squared.sum(axis=1) - largest
    share = others / (np.where(live, largest, 1.0) * max(information.shape[1] - 1, 1))
    return np.where(live, 1 - share, 0.0)
