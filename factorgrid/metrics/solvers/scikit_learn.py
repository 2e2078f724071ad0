"""The linear classifiers as scikit-learn fits them, in the form of our own.

For whoever wants the reference's solver rather than ours. Steps are allowed until its tolerance is met; the
reference stops after 100.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.metrics.solvers.linear_svm import Machines
from factorgrid.metrics.solvers.logistic_regression import LogisticRegression

MAX_STEPS = 10_000


def fit_logistic(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, " sample"], *, strength: float = 1.0
) -> LogisticRegression:
    """Learn `labels`, which hold at least two values; `strength` is scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression as Reference  # slow to import

    model = Reference(C=strength, max_iter=MAX_STEPS).fit(codes, labels)
    weight, bias = model.coef_.astype(np.float64), model.intercept_.astype(np.float64)
    if len(model.classes_) == 2:  # there one line of logits serves: the second class's over the first's
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return LogisticRegression(model.classes_, np.zeros(codes.shape[1]), weight, bias)


def fit_cross_validated(
    codes: Float[ndarray, "sample latent"],
    labels: Int[ndarray, " sample"],
    strengths: Sequence[float],
    folds: Iterable[tuple[Int[ndarray, " train"], Int[ndarray, " test"]]],
) -> LogisticRegression:
    """The fit to all samples with the strength of the best mean accuracy on left-out ones, the first on ties."""
    parts = list(folds)

    def accuracy(strength: float) -> float:
        models = [(fit_logistic(codes[train], labels[train], strength=strength), test) for train, test in parts]
        return float(np.mean([np.mean(model.predict(codes[test]) == labels[test]) for model, test in models]))

    return fit_logistic(codes, labels, strength=max(strengths, key=accuracy))


def fit_machines(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, "sample factor"], penalty: float = 0.01
) -> Machines:
    """Support vector machines of one latent each, for labels 0 .. K - 1 that all occur, K at least 2."""
    from sklearn.svm import LinearSVC

    weights, biases, parts = [], [], []
    first = 0
    for j in range(labels.shape[1]):
        models = [
            # the primal problem: deterministic, and faster with more samples than latents
            LinearSVC(C=penalty, class_weight="balanced", dual=False, max_iter=MAX_STEPS).fit(
                column[:, None], labels[:, j]
            )
            for column in codes.T
        ]
        weights.append(np.stack([model.coef_[:, 0] for model in models]))
        biases.append(np.stack([model.intercept_ for model in models]))
        parts.append(slice(first, first + weights[-1].shape[1]))
        first = parts[-1].stop
    centre = np.zeros(codes.shape[1])
    return Machines(centre, np.concatenate(weights, axis=1), np.concatenate(biases, axis=1), parts)
