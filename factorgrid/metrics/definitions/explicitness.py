"""Explicitness (Ridgeway and Mozer 2018, https://arxiv.org/abs/1802.05312), as in disentanglement_lib."""

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_split
from factorgrid.metrics.parallel import known_rows
from factorgrid.metrics.solvers.choice import solver_named
from factorgrid.metrics.solvers.logistic_regression import LogisticRegression


def explicitness(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    solver: str = "own",
) -> dict[str, float]:
    """How well a logistic regression reads each factor from the standardised codes, as area under the ROC curve.

    Mean over factors of the macro-averaged one-against-rest ROC-AUC. Not rescaled: chance is 0.5.

    Args:
        codes_train, codes_test: float [sample, latent].
        factors_train, factors_test: int [sample, factor].
        solver: of the logistic regressions, "own" or "sklearn".

    Returns:
        {"explicitness.train", "explicitness.test"}: about 0.5 .. 1 (below 0.5 by accident only).
        Test averages run over the classes that the test sample holds; a factor of which it holds fewer than two
        classes is left out; if that is all of them, the test score is 0.5, chance.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values, an unknown solver.
    """
    pairs = explicitness_details(codes_train, factors_train, codes_test, factors_test, solver=solver)
    on_test = pairs["test"][np.isfinite(pairs["test"])]
    return {
        "explicitness.train": float(pairs["train"].mean()),
        "explicitness.test": float(on_test.mean()) if len(on_test) else 0.5,
    }


def explicitness_details(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    solver: str = "own",
) -> dict[str, ndarray]:
    """The area under the curve of every factor; on test codes NaN where they hold fewer than two classes."""
    train, labels, test, labels_test = as_split(codes_train, factors_train, codes_test, factors_test)
    size = np.maximum(np.abs(train).max(axis=0).astype(np.float64), np.finfo(np.float64).tiny)
    train, test = train / size, test / size  # squares of very small and very large codes are no numbers
    mean, spread = train.mean(axis=0), train.std(axis=0)
    # a dead latent stays, as a column of next to nothing; rounding can give it a spread above zero
    spread = np.where(train.min(axis=0) < train.max(axis=0), spread, 1.0)
    train, test = (train - mean) / spread, (test - mean) / spread
    fit_logistic = solver_named(solver).fit_logistic
    pairs = np.empty((labels.shape[1], 2))
    for j in range(len(pairs)):
        learnt, fresh = known_rows(train, labels[:, j]), known_rows(test, labels_test[:, j])
        model = fit_logistic(*learnt)
        pairs[j] = area(model, *learnt), area(model, *fresh)
    return {"train": pairs[:, 0], "test": pairs[:, 1]}


def area(model: LogisticRegression, codes: Float[ndarray, "sample latent"], labels: Int[ndarray, " sample"]) -> float:
    """ROC-AUC of one factor; NaN where the sample holds fewer than two classes."""
    if len(codes) == 0:
        return float("nan")
    return macro_auc(model.probabilities(codes), labels, model.classes)


def macro_auc(
    scores: Float[ndarray, "class sample"], labels: Int[ndarray, " sample"], classes: Shaped[ndarray, " class"]
) -> float:
    """Mean over the classes that occur of the area under the one-against-rest ROC curve; NaN if fewer than two.

    The area is the Mann-Whitney statistic: the chance that a positive outranks a negative, ties counting half.
    """
    areas = []
    for value, scores_of_class, ascending in zip(classes, scores, np.sort(scores, axis=1)):
        own = np.sort(scores_of_class[labels == value])  # neighbours are looked up faster
        if 0 < len(own) < len(labels):
            below, below_or_tied = np.searchsorted(ascending, own, "left"), np.searchsorted(ascending, own, "right")
            # wins over all samples, less those over the other positives: of n * n pairs, ties halved, always half
            wins = (below + below_or_tied).sum() / 2 - len(own) ** 2 / 2
            areas.append(wins / (len(own) * (len(labels) - len(own))))
    return float(np.mean(areas)) if areas else float("nan")
