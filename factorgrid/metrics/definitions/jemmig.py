"""JEMMIG (Do and Tran 2020, "Theory and Evaluation Metrics for Learning Disentangled Representations", ICLR)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import Information, binned_information
from factorgrid.metrics.mutual_information import gap


def jemmig(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """MIG that also asks the best code to hold nothing besides its factor. Normalised, so that higher is better.

    Per factor y with best code z and second best z': 1 - (H(z, y) - I(z; y) + I(z'; y)) / (H(y) + log num_bins);
    the mean over factors.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"jemmig"}: 0 .. 1; 1 if one code alone holds each factor, and its bins hold nothing else.

    Raises:
        Error: see `binned_information`.
    """
    return {"jemmig": float(np.clip(np.mean(per_factor(binned_information(codes, factors, num_bins), num_bins)), 0, 1))}


def per_factor(found: Information, num_bins: int) -> Float[ndarray, " factor"]:
    """The score of every factor."""
    best = found.shared.argmax(axis=0)
    joint = found.of_codes[best] + found.of_factors - found.shared.max(axis=0)
    return 1 - (joint - gap(found.shared)) / (found.of_factors + np.log(num_bins))
