"""DCI: disentanglement, completeness, informativeness (Eastwood and Williams 2018, ICLR), as in Locatello 2019."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_split
from factorgrid.metrics.parallel import Part, factor_parts, run_parts
from factorgrid.metrics.solvers.trees import check_estimator, draws_before, fit_trees

Reading = tuple[Float[ndarray, " latent"], float, float]  # importances, training accuracy, test accuracy


def dci(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    estimator: str = "gradient_boosting",
    seed: int = 0,
    jobs: int = 1,
) -> dict[str, float]:
    """How one-to-one the codes that boosted trees use for each factor are, and how well they predict it.

    For every factor, gradient-boosted trees learn it from all codes; P_ij is the importance of code i for
    factor j. Disentanglement: per code, 1 - the entropy of its importances over factors (base num_factors),
    weighted by its share of all importance. Completeness: per factor, 1 - the entropy over codes (base
    num_latents), likewise. Informativeness: accuracy, mean over factors.

    Args:
        codes_train, codes_test: float [sample, latent].
        factors_train, factors_test: int [sample, factor].
        estimator: "gradient_boosting" is scikit-learn's `GradientBoostingClassifier()`, the published one;
            "lightgbm" fits histogram trees of the same size, number and rate (importance by gain), many times
            faster, with close but different numbers.
        seed: breaks ties between equally good splits; the numbers equal those of the reference run one factor
            after the other from this global NumPy seed.
        jobs: processes that fit factors at the same time; changes no number.

    Returns:
        {"dci.disentanglement", "dci.completeness", "dci.informativeness_train", "dci.informativeness_test"}:
        each 0 .. 1. Dead codes have no importance. With one factor (one code), disentanglement (completeness) is
        1. If no code matters at all, codes and factors weigh the same, and each scores 0.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values, an unknown estimator, or LightGBM is
            not installed.
    """
    parts = dci_parts(codes_train, factors_train, codes_test, factors_test, estimator=estimator, seed=seed)
    return dci_of(run_parts(parts, jobs=jobs))


def dci_parts(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    estimator: str = "gradient_boosting",
    seed: int = 0,
) -> list[Part]:
    """The fits of `dci`, one for each factor, to be run anywhere and joined by `dci_of`."""
    check_estimator(estimator)
    split = as_split(codes_train, factors_train, codes_test, factors_test)
    parts = factor_parts(read_factor, split, estimator=estimator, seed=seed)
    return [(function, {**values, "skip": skip}) for (function, values), skip in zip(parts, draws_before(split[1]))]


def read_factor(
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, " train"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, " test"],
    *,
    estimator: str,
    seed: int,
    skip: int,
) -> Reading:
    """Importances of the codes for one factor, and accuracy on training and test codes."""
    model = fit_trees(train, labels, estimator, seed, skip)
    return (
        np.abs(model.importances),
        float(np.mean(model.predict(train) == labels)),
        float(np.mean(model.predict(test) == labels_test)),
    )


def dci_of(readings: list[Any], *, name: str = "dci") -> dict[str, float]:
    """The scores, under `name`, from what `read_factor` returned for every factor."""
    importances = np.stack([reading[0] for reading in readings], axis=1)
    return {
        f"{name}.disentanglement": disentanglement_of(importances),
        f"{name}.completeness": disentanglement_of(importances.T),
        f"{name}.informativeness_train": float(np.mean([reading[1] for reading in readings])),
        f"{name}.informativeness_test": float(np.mean([reading[2] for reading in readings])),
    }


def dci_keys(name: str) -> dict[str, tuple[float, float]]:
    """Result keys under `name`, with their ranges."""
    parts = ("disentanglement", "completeness", "informativeness_train", "informativeness_test")
    return {f"{name}.{part}": (0.0, 1.0) for part in parts}


def dci_details(readings: list[Any]) -> dict[str, ndarray]:
    """The importances [latent, factor], and the scores of single codes and factors, before they are weighted."""
    importances = np.stack([reading[0] for reading in readings], axis=1)
    return {
        "importances": importances,
        "disentanglement": concentration_of(importances),
        "completeness": concentration_of(importances.T),
        "informativeness_train": np.array([reading[1] for reading in readings]),
        "informativeness_test": np.array([reading[2] for reading in readings]),
    }


def disentanglement_of(importances: Float[ndarray, "row column"]) -> float:
    """1 - entropy of each row (base: number of columns), weighted by its share of the total.

    >>> importances = np.array([[0.8, 0.1, 0.1], [0, 0.5, 0.5], [0.2, 0, 0], [0, 0.4, 0.4]])
    >>> round(disentanglement_of(importances), 8), round(disentanglement_of(importances.T), 8)
    (0.42755153, 0.42602397)
    """
    weight = importances.sum(axis=1)
    weight = weight / weight.sum() if weight.sum() > 0 else np.full(len(weight), 1 / len(weight))
    return float(np.clip((weight * concentration_of(importances)).sum(), 0.0, 1.0))


def concentration_of(importances: Float[ndarray, "row column"]) -> Float[ndarray, " row"]:
    """1 - entropy of each row, in the base of the number of columns."""
    share = importances + 1e-11  # the reference's guard against 0 log 0
    share = share / share.sum(axis=1, keepdims=True)
    # with one column the entropy is 0 in any base
    return 1 + (share * np.log(share)).sum(axis=1) / np.log(max(importances.shape[1], 2))
