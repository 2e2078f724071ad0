"""Gaussian Wasserstein correlation (Locatello et al. 2019, https://arxiv.org/abs/1811.12359)."""

import numpy as np
from numpy.typing import ArrayLike

from factorgrid.metrics.covariance import code_covariance


def wasserstein_correlation(codes: ArrayLike, *, active_only: bool = True) -> dict[str, float]:
    """Squared 2-Wasserstein distance of two Gaussians: covariance S of the codes, and its diagonal D alone.

    2 tr S - 2 tr (D^1/2 S D^1/2)^1/2. Lower is better; label-free. Unchanged by permuting latents; it grows with
    the square of their scale, and the normalised form (divided by tr S) does not.

    Args:
        codes: float [sample, latent].
        active_only: leave dead latents out, which changes neither value; where no latent is alive the
            normalised value is then 0, with False it is the reference's 0/0, NaN.

    Returns:
        {"wasserstein_correlation"}: >= 0, unbounded; {"wasserstein_correlation.normalised"}: 0 .. 2.

    Raises:
        Error: bad shape or type, NaN codes, fewer than two samples.
    """
    covariance, _ = code_covariance(codes, active_only=active_only)
    root = np.sqrt(np.diag(covariance))
    # D S has the eigenvalues of the symmetric D^1/2 S D^1/2, whose roots sum to the trace of its square root
    eigenvalues = np.linalg.eigvalsh(root[:, None] * covariance * root)
    trace = float(np.trace(covariance))
    value = max(2 * trace - 2 * float(np.sqrt(np.maximum(eigenvalues, 0.0)).sum()), 0.0)
    empty = 0.0 if active_only else float("nan")
    return {
        "wasserstein_correlation": value,
        "wasserstein_correlation.normalised": value / trace if trace > 0 else empty,
    }
