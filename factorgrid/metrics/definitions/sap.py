"""SAP, the separated attribute predictability (Kumar et al. 2018, https://arxiv.org/abs/1711.00848)."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_codes, as_split
from factorgrid.metrics.inputs import as_numbers
from factorgrid.metrics.mutual_information import compact, gap
from factorgrid.metrics.parallel import known_rows
from factorgrid.metrics.solvers.choice import solver_named

MAX_LATENTS = 32  # whose machines are fitted together: their running sums take 3 MB each at the published counts


def sap(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    continuous: bool = False,
    solver: str = "own",
) -> dict[str, float]:
    """How far the code that predicts a factor best is ahead of the second best, mean over factors.

    Discrete (the published setting): accuracy on the test codes of a linear support vector machine on one code
    alone (squared hinge, L2, C = 0.01, balanced classes, one against the rest). Continuous: the squared
    correlation on the training codes, 0 for a code of variance <= 1e-12.

    Args:
        codes_train, codes_test: float [sample, latent].
        factors_train, factors_test: int [sample, factor].
        continuous: treat factors as numbers.
        solver: of the support vector machines, "own" or "sklearn".

    Returns:
        {"sap"}: 0 .. 1. With a single latent the second is taken as 0.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values in training, an unknown solver.
    """
    details = sap_details(codes_train, factors_train, codes_test, factors_test, continuous=continuous, solver=solver)
    return {"sap": float(np.mean(details["sap"]))}


def sap_details(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    continuous: bool = False,
    solver: str = "own",
) -> dict[str, ndarray]:
    """The predictability [latent, factor] of every factor from every code alone, and the gap of every factor."""
    if continuous:
        codes, numbers = as_codes(codes_train, "codes_train"), as_numbers(factors_train, "factors_train")
        as_split(codes_train, factors_train, codes_test, factors_test)  # the same checks and warnings
        scores = correlation_scores(codes, numbers)
    else:
        train, labels, test, labels_test = as_split(codes_train, factors_train, codes_test, factors_test)
        scores = svm_scores(train, labels, test, labels_test, solver=solver)
    return {"predictability": scores, "sap": gap(scores)}


def correlation_scores(
    codes: Float[ndarray, "sample latent"], factors: Float[ndarray, "sample factor"]
) -> Float[ndarray, "latent factor"]:
    """Squared correlation of every code with every factor that varies, over the rows in which it is known."""
    columns = []
    for factor in factors.T:
        known = ~np.isnan(factor)
        if not known.any() or factor[known].min() == factor[known].max():
            continue
        rows, num = codes[known].astype(np.float64), known.sum() - 1
        left, right = rows - rows.mean(axis=0), factor[known] - factor[known].mean()
        of_codes, of_factor = (left**2).sum(axis=0) / num, (right**2).sum() / num
        share = (right @ left / num) ** 2 / (np.maximum(of_codes, 1e-12) * of_factor)
        columns.append(np.where(of_codes > 1e-12, share, 0.0))
    return np.stack(columns, axis=1)


def svm_scores(
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, "train factor"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, "test factor"],
    *,
    solver: str = "own",
) -> Float[ndarray, "latent factor"]:
    """Test accuracy of predicting every factor from every code alone."""
    if (labels < 0).any() or (labels_test < 0).any():
        # the samples differ by factor, and so cannot be sorted once for all
        columns = []
        for j in range(labels.shape[1]):
            rows, others = known_rows(train, labels[:, [j]]), known_rows(test, labels_test[:, [j]])
            columns.append(svm_scores(*rows, *others, solver=solver))
        return np.concatenate(columns, axis=1)
    wanted = np.stack([numbered_as(labels[:, j], labels_test[:, j]) for j in range(labels.shape[1])], axis=1)
    numbered = compact(labels)
    fit_machines = solver_named(solver).fit_machines
    scores = np.empty((train.shape[1], labels.shape[1]))
    for first in range(0, train.shape[1], MAX_LATENTS):
        machines = fit_machines(train[:, first : first + MAX_LATENTS], numbered)
        for i in range(len(machines.centre)):
            order = np.argsort(test[:, first + i])
            codes, right = test[order, first + i], wanted[order]
            for j in range(labels.shape[1]):
                scores[first + i, j] = np.mean(machines.predict(codes, i, j) == right[:, j])
    return scores


def numbered_as(labels: Int[ndarray, " train"], others: Int[ndarray, " test"]) -> Int[ndarray, " test"]:
    """Places of other labels among the values of `labels`; -1 for those that are none of them."""
    values = np.unique(labels)
    place = np.minimum(np.searchsorted(values, others), len(values) - 1)
    return np.where(values[place] == others, place, -1)
