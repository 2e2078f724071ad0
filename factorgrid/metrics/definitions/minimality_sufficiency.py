"""Minimality and sufficiency, as in the code of dependent_disentanglement: also for factors that depend on others."""

from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information


def minimality_sufficiency(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """Does each code hold one factor and nothing else, and is each factor held whole by one code?

    Minimality: mean over live codes of max_j I(z; y_j) / H(z). Sufficiency: mean over factors of
    max_i I(z_i; y) / H(y).

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range (15 in the code of its authors).

    Returns:
        {"minimality_sufficiency.minimality", "minimality_sufficiency.sufficiency"}: 0 .. 1. Noise in a code lowers
        its minimality. Dead codes are left out; if all are, both are 0.

    Raises:
        Error: see `binned_information`.
    """
    found = binned_information(codes, factors, num_bins)
    live = found.of_codes > 0
    minimal = found.shared[live].max(axis=1) / found.of_codes[live]
    sufficient = found.shared.max(axis=0) / found.of_factors
    return {
        "minimality_sufficiency.minimality": float(min(minimal.mean(), 1.0)) if live.any() else 0.0,
        "minimality_sufficiency.sufficiency": float(min(sufficient.mean(), 1.0)),
    }
