"""Explicitness (Ridgeway and Mozer 2018, https://arxiv.org/abs/1802.05312), as in disentanglement_lib."""

import warnings

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from factorgrid.metrics.checks import as_split


def explicitness(
    codes_train: ArrayLike, factors_train: ArrayLike, codes_test: ArrayLike, factors_test: ArrayLike
) -> dict[str, float]:
    """How well a logistic regression reads each factor from the standardised codes, as area under the ROC curve.

    Mean over factors of the macro-averaged one-against-rest ROC-AUC. Not rescaled: chance is 0.5.

    Args:
        codes_train, codes_test: float [sample, latent].
        factors_train, factors_test: int [sample, factor].

    Returns:
        {"explicitness.train", "explicitness.test"}: about 0.5 .. 1 (below 0.5 by accident only).
        Test averages run over the classes that the test sample holds; a factor of which it holds fewer than two
        classes is left out; if that is all of them, the test score is 0.5, chance.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values.
    """
    train, labels, test, labels_test = as_split(codes_train, factors_train, codes_test, factors_test)
    mean, spread = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    spread = np.where(spread > 0, spread, 1.0)  # a dead latent stays, as a column of zeros
    # in the type of the codes, as scikit-learn's scaler in the reference; float32 fits in half the time
    mean, spread = mean.astype(train.dtype), spread.astype(train.dtype)
    train, test = (train - mean) / spread, (test - mean) / spread
    pairs = np.array(
        [explicitness_of_factor(train, labels[:, j], test, labels_test[:, j]) for j in range(labels.shape[1])]
    )
    seen = np.isfinite(pairs[:, 1])
    on_test = float(pairs[seen, 1].mean()) if seen.any() else 0.5
    return {"explicitness.train": float(pairs[:, 0].mean()), "explicitness.test": on_test}


def explicitness_of_factor(
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, " train"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, " test"],
) -> tuple[float, float]:
    """ROC-AUC of one factor on training and test codes; NaN where a sample holds fewer than two classes."""
    with warnings.catch_warnings():
        # the reference keeps scikit-learn's 100 iterations and takes what they give
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression().fit(train, labels)
    return (
        macro_auc(model.predict_proba(train), labels, model.classes_),
        macro_auc(model.predict_proba(test), labels_test, model.classes_),
    )


def macro_auc(
    scores: Float[ndarray, "sample class"], labels: Int[ndarray, " sample"], classes: Int[ndarray, " class"]
) -> float:
    """Mean over the classes that occur of the area under the one-against-rest ROC curve; NaN if fewer than two.

    The area is the Mann-Whitney statistic: the chance that a positive outranks a negative, ties counting half.
    """
    areas = []
    for scores_of_class, value in zip(scores.T, classes):
        positive = labels == value
        num = np.count_nonzero(positive)
        if 0 < num < len(labels):
            own, rest = scores_of_class[positive], np.sort(scores_of_class[~positive])
            below, below_or_tied = np.searchsorted(rest, own, "left"), np.searchsorted(rest, own, "right")
            areas.append((below + below_or_tied).sum() / (2 * num * len(rest)))
    return float(np.mean(areas)) if areas else float("nan")
