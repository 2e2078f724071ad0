"""Z-max variance (Kim et al. 2019, "Relevance Factor VAE", arXiv 1902.01568)."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.metrics.checks import check_counts
from factorgrid.metrics.sampling import GridSampler, Sampler, chunks
from factorgrid.metrics.votes import active, overall_variance, variance, vote_accuracy
from factorgrid.representation import Representation


def z_max_variance(
    representation: Representation,
    *,
    rng: np.random.Generator,
    batch_size: int = 64,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    num_variance_estimate: int = 10_000,
    std_threshold: float = 0.05,
) -> dict[str, float]:
    """Accuracy of telling which factor alone varies from the code that then varies most.

    The FactorVAE score turned round: in a vote all factors but one are held fixed, and the code of the greatest
    variance relative to its variance over the data wins. It sees codes that FactorVAE's does not: those that change
    with no factor alone.

    Args:
        representation: codes over a factor grid.
        rng: decides every draw.
        batch_size: points in a vote, at least 2.
        num_train, num_eval: votes.
        num_variance_estimate: points for the variance of each code over the data, at least 2.
        std_threshold: codes of a smaller standard deviation take no part.

    Returns:
        {"z_max_variance"}: 0 (all codes pruned), about 1 / num_factors (chance) .. 1. Not rescaled.

    Raises:
        Error: a count below its least value; NaN codes; every factor has one value.
    """
    check_counts(num_train=num_train, num_eval=num_eval)
    sampler = GridSampler(representation)
    drawn = draw_changes(sampler, rng, batch_size, num_train, num_eval, num_variance_estimate)
    if drawn is None:
        raise Error("no factor has two values, so nothing varies")
    return z_max_of(*drawn, std_threshold=std_threshold)


def draw_changes(
    sampler: Sampler,
    rng: np.random.Generator,
    batch_size: int,
    num_train: int,
    num_test: int,
    num_variance_estimate: int,
) -> (
    tuple[
        Float[ndarray, " latent"],
        Float[ndarray, "train latent"],
        Int[ndarray, " train"],
        Float[ndarray, "test latent"],
        Int[ndarray, " test"],
    ]
    | None
):
    """Variance of the codes over the data, within each vote's points, and the factor that varies in each vote; None
    if no two codes differ in one factor alone."""
    overall = overall_variance(sampler, rng, batch_size, num_variance_estimate)
    drawn = []
    for num in (num_train, num_test):
        free = np.sort(rng.integers(sampler.num_factors, size=num))
        parts = [sampler.varied(rng, free[part], batch_size) for part in chunks(num, batch_size)]
        if any(part is None for part in parts):
            return None
        drawn += [np.concatenate([variance(part) for part in parts if part is not None]), free]
    return overall, drawn[0], drawn[1], drawn[2], drawn[3]


def z_max_of(
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
        return {"z_max_variance": 0.0}
    winners, winners_test = ((part[:, live] / overall[live]).argmax(axis=1) for part in (train, test))
    return {"z_max_variance": vote_accuracy(winners, labels, winners_test, labels_test)}
