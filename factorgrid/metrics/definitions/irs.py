"""IRS, the interventional robustness score (Suter et al. 2019, https://arxiv.org/abs/1811.00007)."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import Error
from factorgrid.metrics.checks import as_pair, check_bins
from factorgrid.metrics.mutual_information import compact, discretise

NUM_BINS = 20  # of the factors: one with more values is merged into 20 groups, as in the reference


def irs(codes: ArrayLike, factors: ArrayLike, *, quantile: float = 0.99) -> dict[str, float]:
    """How little each code moves, once its best factor is held fixed, when all other factors are changed.

    Per code l and factor i: 1 - D_li / M_l, where D is the mean over the values of factor i of the 99th
    percentile of |z_l - group mean|, and M_l the largest |z_l - mean|. Best factor per code, then the mean
    over codes weighted by M. Codes of zero variance are left out.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        quantile: of the deviations within a group; the paper's own formula has 1.0.

    Returns:
        {"irs"}: at most 1, usually 0 .. 1; 0 if every code is dead.

    Raises:
        Error: bad shapes or types, NaN codes, fewer than 20 samples, no factor with two values, a quantile out of
            range.
    """
    details = irs_details(codes, factors, quantile=quantile)
    best, largest = details["robustness"].max(axis=1), details["largest"]
    live = largest > 0
    return {"irs": float(np.average(best[live], weights=largest[live])) if live.any() else 0.0}


def irs_details(codes: ArrayLike, factors: ArrayLike, *, quantile: float = 0.99) -> dict[str, ndarray]:
    """Robustness [latent, factor] of every code when a factor is held fixed, and each code's largest distance from
    its mean; for a dead code NaN, and 0."""
    if not 0 <= quantile <= 1:
        raise Error(f"quantile must be from 0 to 1, got {quantile}")
    values, labels = as_pair(codes, factors)
    check_bins(len(values), NUM_BINS)
    # the range, not the variance: rounding can give a constant code a variance above zero
    alive = values.min(axis=0) < values.max(axis=0)
    robustness = np.full((values.shape[1], labels.shape[1]), np.nan)
    largest = np.zeros(values.shape[1])
    if alive.any():
        live = values.T[alive].astype(np.float64, order="C")
        largest[alive] = np.abs(live - live.mean(axis=1, keepdims=True)).max(axis=1)
        within = np.stack([deviation(*grouped(live, column), quantile) for column in labels.T], axis=1)
        robustness[alive] = 1 - within / largest[alive, None]
    return {"robustness": robustness, "largest": largest}


def grouped(
    codes: Float[ndarray, "latent sample"], labels: Int[ndarray, " sample"]
) -> tuple[Float[ndarray, "latent known"], Int[ndarray, " known"]]:
    """The codes of known label, and the group of each."""
    known = labels >= 0
    groups = discretise(compact(labels[known, None]).astype(np.float64), NUM_BINS)[:, 0]
    return (codes if known.all() else codes[:, known]), groups


def deviation(
    codes: Float[ndarray, "latent sample"], groups: Int[ndarray, " sample"], quantile: float
) -> Float[ndarray, " latent"]:
    """Mean over groups of the quantile of the distance to the group's mean, for each latent."""
    order = np.argsort(groups.astype(np.int16), kind="stable")  # 16 bits sort by radix
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    quantiles = [
        row_quantile(np.abs(part - part.mean(axis=1, keepdims=True)), quantile)
        for part in np.split(codes[:, order], starts[1:], axis=1)
    ]
    return np.mean(quantiles, axis=0)


def row_quantile(values: Float[ndarray, "row column"], quantile: float) -> Float[ndarray, " row"]:
    """As `numpy.quantile` of each row, interpolated linearly; for short rows that takes five times as long."""
    ordered = np.sort(values, axis=1)
    place = quantile * (values.shape[1] - 1)
    low = int(place)
    below, above = ordered[:, low], ordered[:, min(low + 1, values.shape[1] - 1)]
    return below + (place - low) * (above - below)
