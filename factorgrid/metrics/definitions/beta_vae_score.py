"""The BetaVAE score (Higgins et al. 2017, "beta-VAE"), as in Locatello et al. 2019 and the D-VAE paper's code."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.metrics.checks import check_counts
from factorgrid.metrics.sampling import GridSampler, Sampler, chunks
from factorgrid.metrics.solvers.choice import solver_named
from factorgrid.representation import Representation


def beta_vae_score(
    representation: Representation,
    *,
    rng: np.random.Generator,
    batch_size: int = 64,
    num_train: int = 10_000,
    num_eval: int = 5_000,
    solver: str = "own",
) -> dict[str, float]:
    """Accuracy of telling, from how far pairs of codes lie apart, which factor both codes of a pair share.

    One sample: a random factor; `batch_size` pairs of points that agree in it and are otherwise independent; the
    mean over pairs of |z - z'|. A logistic regression (L2, C = 1) learns the factor from
    `num_train` samples and is judged on `num_eval` fresh ones.

    Args:
        representation: codes over a factor grid.
        rng: decides every draw.
        batch_size: pairs in a sample.
        num_train, num_eval: samples.
        solver: of the logistic regression, "own" or "sklearn".

    Returns:
        {"beta_vae_score"}: about 1 / num_factors (chance) .. 1. Factors of one value are never held fixed. Where
        one factor only can be, there is nothing to tell apart, and the score is 1.

    Raises:
        Error: a count below 1; NaN codes; every factor has one value; an unknown solver.
    """
    check_counts(batch_size=batch_size, num_train=num_train, num_eval=num_eval)
    drawn = draw_distances(GridSampler(representation), rng, batch_size, num_train, num_eval)
    return beta_vae_of(*drawn, solver=solver)


def draw_distances(
    sampler: Sampler, rng: np.random.Generator, batch_size: int, num_train: int, num_test: int
) -> tuple[
    Float[ndarray, "train latent"], Int[ndarray, " train"], Float[ndarray, "test latent"], Int[ndarray, " test"]
]:
    """Mean absolute distance of the pairs of each sample, and the factor that its pairs share."""
    return (
        *draw_labelled_distances(sampler, rng, batch_size, num_train),
        *draw_labelled_distances(sampler, rng, batch_size, num_test),
    )


def draw_labelled_distances(
    sampler: Sampler, rng: np.random.Generator, batch_size: int, num: int
) -> tuple[Float[ndarray, "sample latent"], Int[ndarray, " sample"]]:
    fixed = np.sort(rng.integers(sampler.num_factors, size=num))
    parts = []
    for part in chunks(num, 2 * batch_size):
        first, second = sampler.pairs(rng, fixed[part], batch_size)
        distance = first - second
        parts.append(np.abs(distance, out=distance).sum(axis=0) / batch_size)
    return np.concatenate(parts).astype(np.float64), fixed


def beta_vae_of(
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, " train"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, " test"],
    *,
    solver: str = "own",
) -> dict[str, float]:
    """Fit the classifier on training distances, score it on test distances."""
    fit_logistic = solver_named(solver).fit_logistic
    if (labels == labels[0]).all():
        return {"beta_vae_score": float(np.mean(labels_test == labels[0]))}
    model = fit_logistic(train, labels)
    return {"beta_vae_score": float(np.mean(model.predict(test) == labels_test))}
