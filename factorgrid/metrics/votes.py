"""Variances of codes, and classifiers that let the codes vote: what FactorVAE, Z-max and OMES share."""

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.metrics.sampling import Sampler


def variance(codes: Float[ndarray, "sample *group latent"]) -> Float[ndarray, "*group latent"]:
    """Unbiased variance over samples.

    About the first sample instead of the mean: equal codes then have a variance of exactly 0, so that codes that
    are both constant within a vote are tied, not ordered by rounding.
    """
    shifted = codes - codes[0]
    with np.errstate(over="ignore", invalid="ignore"):
        total = shifted.sum(axis=0)
        np.square(shifted, out=shifted)
        result = np.maximum(shifted.sum(axis=0) - total**2 / len(codes), 0.0) / (len(codes) - 1)
    # squares beyond the type of the codes
    return np.where(np.isnan(result), np.inf, result)


def overall_variance(
    sampler: Sampler, rng: np.random.Generator, batch_size: int, num: int
) -> Float[ndarray, " latent"]:
    """Of `num` points of the data.

    Raises:
        Error: fewer than two points here, or in a batch of `batch_size`.
    """
    if batch_size < 2 or num < 2:
        raise Error(f"a variance needs two points; got batch_size {batch_size}, {num} points")
    return variance(sampler.points(rng, num)[0].astype(np.float64))


def active(overall: Float[ndarray, " latent"], std_threshold: float) -> Bool[ndarray, " latent"]:
    """Latents that take part; a dead one has no relative variance, whatever the threshold."""
    return (np.sqrt(overall) >= std_threshold) & (overall > 0)


def vote_accuracy(
    winners: Int[ndarray, " train"],
    labels: Int[ndarray, " train"],
    winners_test: Int[ndarray, " test"],
    labels_test: Int[ndarray, " test"],
) -> float:
    """Every latent is assigned the factor of most of the training votes that it won (the first on ties): the share
    of test votes that get theirs."""
    num_factors = int(max(labels.max(), labels_test.max())) + 1
    num_latents = int(max(winners.max(), winners_test.max())) + 1
    votes = np.bincount(labels * num_latents + winners, minlength=num_factors * num_latents)
    assigned = votes.reshape(num_factors, num_latents).argmax(axis=0)
    return float(np.mean(assigned[winners_test] == labels_test))
