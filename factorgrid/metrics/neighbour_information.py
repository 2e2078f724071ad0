"""Mutual information of a continuous code and a discrete factor from nearest neighbours.

B. C. Ross 2014, "Mutual Information between Discrete and Continuous Data Sets", PLoS ONE 9(2), e87357; the values
equal scikit-learn's `mutual_info_classif` up to its tie-breaking noise. In one dimension neighbours are adjacent
in sorted order, so that no tree has to be searched.
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.special import digamma

from factorgrid.metrics.parallel import known_rows


def neighbour_information(
    codes: Float[ndarray, "sample latent"],
    labels: Int[ndarray, "sample factor"],
    rng: np.random.Generator,
    *,
    num_neighbours: int = 10,
) -> Float[ndarray, "latent factor"]:
    """Estimated mutual information in nats, >= 0, of every code with every factor; 0 for a dead code.

    `rng` draws noise of 1e-10 of the code's scale, which breaks ties between equal codes.
    """
    result = np.zeros((codes.shape[1], labels.shape[1]))
    for i in range(codes.shape[1]):
        noise = rng.normal(size=len(codes))
        if codes[:, i].min() == codes[:, i].max():
            continue
        values = codes[:, i].astype(np.float64)
        values = values / values.std()
        values = values + 1e-10 * max(1.0, np.abs(values).mean()) * noise
        order = np.argsort(values)
        for j in range(labels.shape[1]):
            result[i, j] = pair_information(*known_rows(values[order], labels[order, j]), num_neighbours)
    return result


def pair_information(values: Float[ndarray, " sample"], labels: Int[ndarray, " sample"], num_neighbours: int) -> float:
    """The estimate for one sorted code and one factor."""
    counts = np.bincount(labels)
    keep = counts[labels] > 1  # a class of one sample has no neighbour
    if not keep.any():
        return 0.0
    values, labels = values[keep], labels[keep]
    radius = np.empty(len(values))
    for label in np.flatnonzero(counts > 1):
        rows = np.flatnonzero(labels == label)
        radius[rows] = neighbour_distance(values[rows], min(num_neighbours, len(rows) - 1))
    within = num_closer(values, radius)
    neighbours = np.minimum(num_neighbours, counts[labels] - 1)
    estimate = (
        digamma(len(values))
        + digamma(neighbours).mean()
        - digamma(counts[labels]).mean()
        - digamma(np.maximum(within, 1)).mean()
    )
    return float(max(estimate, 0.0))


def neighbour_distance(values: Float[ndarray, " sample"], rank: int) -> Float[ndarray, " sample"]:
    """Distance of each of the sorted values to its `rank`-th nearest: the best of all windows of rank + 1."""
    num = len(values)
    padded = np.concatenate([np.full(rank, -np.inf), values, np.full(rank, np.inf)])
    best = np.full(num, np.inf)
    for left in range(rank + 1):
        below, above = padded[rank - left : rank - left + num], padded[2 * rank - left : 2 * rank - left + num]
        best = np.minimum(best, np.maximum(values - below, above - values))
    return best


def num_closer(values: Float[ndarray, " sample"], radius: Float[ndarray, " sample"]) -> Int[ndarray, " sample"]:
    """How many of the sorted values, itself included, are strictly closer to each of them than its radius.

    The radius is the distance to another value, so whether `value + radius` meets that value depends on rounding:
    the ends of the run that a search finds are moved until the distances themselves are on the right side.
    """
    last = len(values) - 1
    first = np.searchsorted(values, values - radius, "left")
    stop = np.searchsorted(values, values + radius, "right")
    for _ in range(4):
        first = first + (values - values[np.minimum(first, last)] >= radius) * (first <= last)
        first = first - ((first > 0) & (values - values[np.maximum(first - 1, 0)] < radius))
        stop = stop - (values[np.maximum(stop - 1, 0)] - values >= radius) * (stop > 0)
        stop = stop + ((stop <= last) & (values[np.minimum(stop, last)] - values < radius))
    return stop - first
