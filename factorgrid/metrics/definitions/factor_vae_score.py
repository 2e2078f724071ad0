"""The FactorVAE score (Kim and Mnih 2018, https://arxiv.org/abs/1802.05983), as in Locatello et al. 2019."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.metrics.checks import check_counts
from factorgrid.metrics.sampling import GridSampler, Sampler, chunks
from factorgrid.metrics.votes import active, overall_variance, variance, vote_accuracy
from factorgrid.representation import Representation


def factor_vae_score(
    representation: Representation,
    *,
    rng: np.random.Generator,
    batch_size: int = 64,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    num_variance_estimate: int = 10_000,
    std_threshold: float = 0.05,
) -> dict[str, float]:
    """Accuracy of telling which factor is held fixed from the code that then varies least.

    One vote: a random factor; `batch_size` points that agree in it; the code with the least variance relative to
    its variance over the data. Every code is assigned the factor that most of its `num_train` training votes
    name (the first on ties), and judged on `num_eval` fresh votes.

    Args:
        representation: codes over a factor grid.
        rng: decides every draw.
        batch_size: points in a vote, at least 2.
        num_train, num_eval: votes.
        num_variance_estimate: points for the variance of each code over the data, at least 2.
        std_threshold: codes of a smaller standard deviation take no part (0.05 in the published studies; it acts
            on the codes as they are, so shrinking them all can prune them).

    Returns:
        {"factor_vae_score"}: 0 (all codes pruned), about 1 / num_factors (chance) .. 1.

    Raises:
        Error: a count below its least value; NaN codes; every factor has one value.
    """
    check_counts(num_train=num_train, num_eval=num_eval)
    return factor_vae_of(
        *draw_variances(GridSampler(representation), rng, batch_size, num_train, num_eval, num_variance_estimate),
        std_threshold=std_threshold,
    )


def draw_variances(
    sampler: Sampler,
    rng: np.random.Generator,
    batch_size: int,
    num_train: int,
    num_test: int,
    num_variance_estimate: int,
) -> tuple[
    Float[ndarray, " latent"],
    Float[ndarray, "train latent"],
    Int[ndarray, " train"],
    Float[ndarray, "test latent"],
    Int[ndarray, " test"],
]:
    """Variance of the codes over the data, within each vote's points, and the factor that each vote holds fixed."""
    overall = overall_variance(sampler, rng, batch_size, num_variance_estimate)
    return (
        overall,
        *draw_votes(sampler, rng, batch_size, num_train),
        *draw_votes(sampler, rng, batch_size, num_test),
    )


def draw_votes(
    sampler: Sampler, rng: np.random.Generator, batch_size: int, num: int
) -> tuple[Float[ndarray, "vote latent"], Int[ndarray, " vote"]]:
    """Variance of the codes within each vote's points, and the factor that it holds fixed."""
    fixed = np.sort(rng.integers(sampler.num_factors, size=num))
    return np.concatenate(
        [variance(sampler.groups(rng, fixed[part], batch_size)) for part in chunks(num, batch_size)]
    ), fixed


def factor_vae_of(
    overall: Float[ndarray, " latent"],
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, " train"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, " test"],
    *,
    std_threshold: float = 0.05,
) -> dict[str, float]:
    """Majority-vote accuracy from variances overall and within votes."""
    live = active(overall, std_threshold)
    if not live.any():
        return {"factor_vae_score": 0.0}
    winners, winners_test = ((part[:, live] / overall[live]).argmin(axis=1) for part in (train, test))
    return {"factor_vae_score": vote_accuracy(winners, labels, winners_test, labels_test)}
