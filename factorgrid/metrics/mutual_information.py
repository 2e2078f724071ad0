"""Discretised codes and their mutual information with the factors: what MIG, modularity and others share.

All in nats, all over histogram bins as in Locatello et al. 2019, "Challenging Common Assumptions in the
Unsupervised Learning of Disentangled Representations" (https://arxiv.org/abs/1811.12359), appendix C.
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

MAX_CATEGORIES = 256  # values of a latent that are still counted; one with more is continuous
NUM_BINS = 20


def bin_edges(values: Float[ndarray, "sample column"], num_bins: int) -> Float[ndarray, "column edge"]:
    """Left edges of `num_bins` equal-width bins between each column's least and greatest value.

    A constant column c gets the range c - 0.5 .. c + 0.5. Edges are computed in the type of the values: with
    float32 codes an edge in float64 could put a code on an edge into the other bin, and change the score.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    flat = low == high
    half = values.dtype.type(0.5)
    low, high = np.where(flat, low - half, low), np.where(flat, high + half, high)
    return np.linspace(low, high, num_bins + 1, dtype=values.dtype).T[:, :-1]


def discretise(values: Float[ndarray, "sample column"], num_bins: int) -> Int[ndarray, "sample column"]:
    """The bin 0 .. num_bins - 1 of every value, each column over its own observed range.

    >>> discretise(np.array([[0.0], [0.4], [0.5], [1.0]]), 2).ravel().tolist()
    [0, 0, 1, 1]
    """
    edges = bin_edges(values, num_bins)
    # a pass per edge: comparing in bulk is several times faster than searching for each value. From the second edge
    # on, so that nothing falls below the first bin; a constant code so large that 0.5 is lost in its rounding has
    # all its edges on itself, and gets the last one
    columns = np.ascontiguousarray(values.T)
    bins = np.zeros(columns.shape, np.int16 if num_bins < 2**15 else np.int64)
    for edge in edges.T[1:]:
        bins += columns >= edge[:, None]
    return bins.T.astype(np.int64)


def categories(codes: Float[ndarray, "sample latent"]) -> Int[ndarray, "sample latent"]:
    """Every value a category, numbered 0, 1, 2, ... in ascending order; `NUM_BINS` bins where there are too many."""
    columns = [np.unique(column, return_inverse=True)[1] for column in codes.T]
    many = np.array([column.max() >= MAX_CATEGORIES for column in columns])
    result = np.stack(columns, axis=1)
    if many.any():
        result[:, many] = compact(discretise(codes[:, many], NUM_BINS))
    return result


def compact(labels: Int[ndarray, "sample column"]) -> Int[ndarray, "sample column"]:
    """Each column relabelled 0, 1, 2, ... in the order of its values, so that it can index a table; -1 stays.

    >>> compact(np.array([[7], [-1], [3]])).ravel().tolist()
    [1, -1, 0]
    """
    result = np.empty(labels.shape, np.int64)
    for column, values in enumerate(labels.T):
        unknown = int(values.min() < 0)  # then it is numbered first of all, and all are moved down by one
        if values.max() < 4 * len(values) + 64:
            seen = np.bincount(values + unknown) > 0
            result[:, column] = (np.cumsum(seen) - 1)[values + unknown] - unknown
        else:
            result[:, column] = np.unique(values, return_inverse=True)[1] - unknown
    return result


def mutual_information(
    left: Int[ndarray, "sample row"], right: Int[ndarray, "sample column"]
) -> Float[ndarray, "row column"]:
    """Mutual information in nats of every column of `left` with every column of `right`, each >= 0.

    Labels are 0 or greater. Rows in which a column of `right` is -1, unknown, are left out for that column.

    >>> labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information(labels, labels).round(6).tolist()
    [[0.693147, 0.0], [0.0, 0.693147]]
    """
    left, right = compact(left), compact(right)
    num_samples, num_rows = left.shape
    size = int(left.max()) + 1
    result = np.empty((num_rows, right.shape[1]))
    # one table per pair, all tables of a right column counted at once
    places = left + np.arange(num_rows) * size
    for column in range(right.shape[1]):
        labels, known, num_known = right[:, column], places, num_samples
        if labels.min() < 0:
            labels, known = labels[labels >= 0], places[labels >= 0]
            num_known = len(labels)
        width = int(labels.max()) + 1
        joint = np.bincount((known * width + labels[:, None]).ravel(), minlength=num_rows * size * width)
        result[:, column] = table_information(joint.reshape(num_rows, size, width), num_known)
    return result


def table_information(joint: Int[ndarray, "*pair row column"], num_samples: int) -> Float[ndarray, "*pair"]:
    """Mutual information in nats of contingency tables that each hold `num_samples` counts."""
    expected = joint.sum(axis=-1, keepdims=True) * (joint.sum(axis=-2, keepdims=True) / num_samples)
    # empty cells contribute nothing: log 1 = 0
    ratio = np.where(joint > 0, joint, 1.0) / np.where(joint > 0, expected, 1.0)
    information = (joint * np.log(ratio)).sum(axis=(-2, -1)) / num_samples
    return np.maximum(information, 0.0)


def entropy(labels: Int[ndarray, "sample column"]) -> Float[ndarray, " column"]:
    """Entropy in nats of each column, among the rows in which it is known."""
    labels = compact(labels)
    result = np.empty(labels.shape[1])
    for column, values in enumerate(labels.T):
        counts = np.bincount(values[values >= 0])
        share = counts / counts.sum()
        result[column] = -(share * np.log(share)).sum()
    return np.maximum(result, 0.0)


def code_factor_information(
    codes: Float[ndarray, "sample latent"], factors: Int[ndarray, "sample factor"], num_bins: int
) -> Float[ndarray, "latent factor"]:
    """Mutual information in nats of every discretised code with every factor."""
    return mutual_information(discretise(codes, num_bins), factors)


def gap(scores: Float[ndarray, "latent factor"]) -> Float[ndarray, " factor"]:
    """Largest minus second largest score of each factor; a missing second latent counts 0."""
    if len(scores) == 1:
        return scores[0]
    ordered = np.sort(scores, axis=0)
    return ordered[-1] - ordered[-2]
