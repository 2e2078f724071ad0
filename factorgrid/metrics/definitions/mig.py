"""MIG, the mutual information gap (Chen et al. 2018, https://arxiv.org/abs/1802.04942)."""

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information
from factorgrid.metrics.mutual_information import gap


def mig(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """How far, for each factor, the most informative code is ahead of the second, as a share of the entropy.

    mean over factors j of (I(z_(1); y_j) - I(z_(2); y_j)) / H(y_j), codes discretised into `num_bins` bins.
    Unchanged by permuting latents, by positive or negative rescaling (up to bin-edge ties) and by dead latents.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"mig"}: 0 (no code is ahead) .. 1 (one code alone holds each factor). Factors with more values than
        bins cannot reach 1. With a single latent the second is taken as 0.

    Raises:
        Error: bad shapes or types, NaN codes, fewer samples than bins, no factor with two values.

    >>> grid = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)
    >>> mig(grid.astype(float), grid)
    {'mig': 1.0}
    """
    details = mig_details(codes, factors, num_bins=num_bins)
    return {"mig": float(min(np.mean(details["mig"]), 1.0))}  # not above 1 by rounding


def mig_details(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, ndarray]:
    """The mutual information [latent, factor] in nats, and the gap of every factor as a share of its entropy."""
    found = binned_information(codes, factors, num_bins)
    return {"mutual_information": found.shared, "mig": gap(found.shared) / found.of_factors}
