"""MIG-sup (Li et al. 2020, "Progressive Learning and Disentanglement of Hierarchical Representations", ICLR)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information
from factorgrid.metrics.mutual_information import gap


def mig_sup(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """MIG from the codes' side: how far each code's best factor is ahead of its second; mean over codes.

    A code's share in a factor is their mutual information over the factor's entropy. Dead codes count 0.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"mig_sup"}: 0 .. 1. With a single factor the second is taken as 0.

    Raises:
        Error: see `binned_information`.

    >>> grid = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)
    >>> mig_sup(grid.astype(float), grid)
    {'mig_sup': 1.0}
    """
    found = binned_information(codes, factors, num_bins)
    return {"mig_sup": float(min(np.mean(gaps(found.shared / found.of_factors)), 1.0))}


def gaps(shares: Float[ndarray, "latent factor"]) -> Float[ndarray, " latent"]:
    """Of every code.

    >>> gaps(np.array([[0.75, 0.25], [0.5, 0.5]])).tolist()
    [0.5, 0.0]
    """
    return gap(shares.T)
