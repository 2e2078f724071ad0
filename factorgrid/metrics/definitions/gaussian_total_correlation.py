"""Gaussian total correlation (Locatello et al. 2019, https://arxiv.org/abs/1811.12359)."""

import numpy as np
from numpy.typing import ArrayLike

from factorgrid.metrics.covariance import code_covariance


def gaussian_total_correlation(codes: ArrayLike, *, active_only: bool = True) -> dict[str, float]:
    """Total correlation in nats of a Gaussian with the covariance S of the codes. Lower is better; label-free.

    (sum_i log S_ii - log det S) / 2. Unchanged by permuting and rescaling the latents.

    Args:
        codes: float [sample, latent].
        active_only: leave dead latents out: a constant is independent of everything, so it adds 0. False is
            the reference's formula, which is NaN as soon as one latent is dead.

    Returns:
        {"gaussian_total_correlation"}: >= 0, unbounded; infinite if some latent is a linear function of the
        others; 0 if none is alive; NaN only for a dead latent with `active_only=False`.

    Raises:
        Error: bad shape or type, NaN codes, fewer than two samples.
    """
    covariance, dead = code_covariance(codes, active_only=active_only)
    if dead:
        return {"gaussian_total_correlation": float("nan")}
    # of the correlation matrix, which is the same value with less rounding
    scale = np.sqrt(np.diag(covariance))
    sign, log_determinant = np.linalg.slogdet(covariance / np.outer(scale, scale))
    value = -log_determinant / 2 if sign > 0 else np.inf
    return {"gaussian_total_correlation": float(max(value, 0.0))}
