"""Downstream tasks and statistical efficiency (Locatello et al. 2019, https://arxiv.org/abs/1811.12359, 5.4)."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import unknown_name
from factorgrid.metrics.checks import as_split
from factorgrid.metrics.parallel import Part, factor_parts, run_part, run_parts
from factorgrid.metrics.sampling import Counts
from factorgrid.metrics.solvers.choice import solver_named
from factorgrid.metrics.solvers.trees import fit_trees

CLASSIFIERS = ("lr", "gbt")
FEW, MANY = 100, 10_000  # labels that the statistical efficiency compares
STRENGTHS = tuple(np.logspace(-4, 4, 10))  # scikit-learn's `Cs=10`, as in the reference


def downstream(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    classifier: str = "lr",
    seed: int = 0,
    jobs: int = 1,
    solver: str = "own",
) -> dict[str, float]:
    """Accuracy with which a classifier that learns from labelled training codes predicts the factors of others.

    "lr": logistic regression, its L2 penalty chosen among ten by stratified cross-validation (5 folds, fewer where
    the rarest class is smaller). "gbt": gradient-boosted trees, scikit-learn's defaults. As in the D-VAE paper's
    code, training points whose value occurs only once are dropped, and a factor that is left with fewer than two
    values is skipped; test points are kept.

    Args:
        codes_train, codes_test: float [sample, latent]; as many training codes as there are labels.
        factors_train, factors_test: int [sample, factor].
        classifier: "lr" or "gbt".
        seed: breaks ties in the trees.
        jobs: processes that fit factors at the same time; changes no number.
        solver: of the logistic regressions, "own" or "sklearn".

    Returns:
        {"train_accuracy", "test_accuracy"}: 0 .. 1, mean over the factors that were not skipped, 0 if all were;
        {"num_factors"}: how many that are.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values, an unknown classifier or solver.
    """
    parts = downstream_parts(
        codes_train, factors_train, codes_test, factors_test, classifier=classifier, seed=seed, solver=solver
    )
    return mean_accuracy(run_parts(parts, jobs=jobs))


def downstream_parts(
    codes_train: ArrayLike,
    factors_train: ArrayLike,
    codes_test: ArrayLike,
    factors_test: ArrayLike,
    *,
    classifier: str,
    seed: int,
    solver: str = "own",
) -> list[Part]:
    """The fits of `downstream`, one for each factor."""
    if classifier not in CLASSIFIERS:
        raise unknown_name("classifier", classifier, CLASSIFIERS)
    solver_named(solver)
    split = as_split(codes_train, factors_train, codes_test, factors_test)
    return factor_parts(fit_factor, split, classifier=classifier, seed=seed, solver=solver)


def fit_factor(
    train: Float[ndarray, "train latent"],
    labels: Int[ndarray, " train"],
    test: Float[ndarray, "test latent"],
    labels_test: Int[ndarray, " test"],
    *,
    classifier: str,
    seed: int,
    solver: str,
) -> tuple[float, float] | None:
    """Training and test accuracy for one factor; None if it has to be skipped."""
    _, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    repeated = count[place] > 1
    if (count > 1).sum() < 2:
        return None
    train, labels = train[repeated], labels[repeated]
    model: Any
    if classifier == "gbt":
        model = fit_trees(train, labels, "gradient_boosting", seed)
    else:
        from sklearn.model_selection import StratifiedKFold  # slow to import

        folds = StratifiedKFold(int(min(5, count[count > 1].min()))).split(train, labels)
        model = solver_named(solver).fit_cross_validated(train, labels, STRENGTHS, folds)
    return float(np.mean(model.predict(train) == labels)), float(np.mean(model.predict(test) == labels_test))


def mean_accuracy(accuracies: list[tuple[float, float] | None]) -> dict[str, float]:
    """Means over the factors that were not skipped, and their number."""
    kept = [pair for pair in accuracies if pair is not None]
    train, test = np.mean(kept, axis=0).tolist() if kept else (0.0, 0.0)
    return {"train_accuracy": train, "test_accuracy": test, "num_factors": float(len(kept))}


def efficiency(accuracy_few: float, accuracy_many: float) -> float:
    """Statistical efficiency: accuracy with few labels over accuracy with many; 0 if that is 0.

    >>> efficiency(0.4, 0.5)
    0.8
    """
    return accuracy_few / accuracy_many if accuracy_many > 0 else 0.0


def curve_keys(name: str) -> dict[str, tuple[float, float]]:
    """Result keys of the task at the published sizes, as a metric called `name`, with their ranges."""
    sizes = Counts().downstream_sizes
    accuracies = {f"{name}.accuracy_{size}": (0.0, 1.0) for size in sizes}
    numbers = {f"{name}.num_factors_{size}": (0.0, float("inf")) for size in sizes}
    return {**accuracies, f"{name}.efficiency": (0.0, float("inf")), **numbers}


def curve_parts(splits: dict[int, Any], seed: int, **settings: str) -> list[Part]:
    """The fits at every size."""
    return [
        (fit_at, {"size": size, "function": function, **arguments})
        for size, split in splits.items()
        for function, arguments in downstream_parts(**split, seed=seed, **settings)
    ]


def fit_at(size: int, function: Any, **arguments: Any) -> tuple[int, tuple[float, float] | None]:
    return size, run_part((function, arguments))


def curve_of(fits: list[Any], *, name: str) -> dict[str, float]:
    """Test accuracy and number of factors at every size; the efficiency if both its sizes are there."""
    scores = {}
    for size in dict.fromkeys(size for size, _ in fits):
        means = mean_accuracy([pair for of_size, pair in fits if of_size == size])
        scores[f"{name}.accuracy_{size}"] = means["test_accuracy"]
        scores[f"{name}.num_factors_{size}"] = means["num_factors"]
    few, many = (f"{name}.accuracy_{size}" for size in (FEW, MANY))
    if few in scores and many in scores:
        scores[f"{name}.efficiency"] = efficiency(scores[few], scores[many])
    return scores
