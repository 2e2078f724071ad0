"""Gradient-boosted trees for DCI and the downstream task: the published estimator, and a fast one."""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.errors import Error, unknown_name

ESTIMATORS = ("gradient_boosting", "lightgbm", "random_forest")

NUM_ROUNDS = 100  # scikit-learn's default


@dataclass(frozen=True)
class Trees:
    """Fitted trees: importance of every latent (sums to 1, or to 0 if none was used), and predicted labels."""

    importances: Float[ndarray, " latent"]
    predict: Callable[[Float[ndarray, "sample latent"]], Int[ndarray, " sample"]]


def check_estimator(estimator: str) -> None:
    """Raise an Error for an unknown estimator, or for LightGBM where it is not installed."""
    if estimator not in ESTIMATORS:
        raise unknown_name("estimator", estimator, ESTIMATORS)
    if estimator == "lightgbm" and not has_lightgbm():
        raise Error("estimator 'lightgbm' needs the lightgbm package: pip install 'factorgrid[fast]'")


def has_lightgbm() -> bool:
    return importlib.util.find_spec("lightgbm") is not None


def fit_trees(
    codes: Float[ndarray, "sample latent"],
    labels: Int[ndarray, " sample"],
    estimator: str,
    seed: int,
    skip: int = 0,
) -> Trees:
    """Fit boosted trees to labels of at least two values; `skip` see `draws_before`."""
    if estimator == "lightgbm":
        return fit_lightgbm(codes, labels, seed)
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier  # slow to import

    if estimator == "random_forest":
        forest = RandomForestClassifier(n_estimators=NUM_ROUNDS, random_state=seed, n_jobs=1).fit(codes, labels)
        return Trees(forest.feature_importances_, forest.predict)
    # Only tie-breaking is random. The reference leaves the seed out, so that all fits in turn draw from NumPy's
    # legacy global generator, one number for each tree: start where the earlier factors would have left it.
    rng = np.random.RandomState(seed)
    rng.randint(0, np.iinfo(np.int32).max, size=skip)
    model = GradientBoostingClassifier(n_estimators=NUM_ROUNDS, random_state=rng).fit(codes, labels)
    return Trees(model.feature_importances_, model.predict)


def draws_before(labels: Int[ndarray, "sample factor"]) -> list[int]:
    """How many random numbers the fits of all earlier factors use: one per tree, a tree per class and round."""
    num_values = [len(np.unique(column[column >= 0])) for column in labels.T]
    trees = [NUM_ROUNDS * (count if count > 2 else 1) for count in num_values]
    return [sum(trees[:j]) for j in range(len(trees))]


def fit_lightgbm(codes: Float[ndarray, "sample latent"], labels: Int[ndarray, " sample"], seed: int) -> Trees:
    """Histogram trees of the published number, depth and rate, on one thread."""
    from lightgbm import LGBMClassifier  # an optional dependency, so not at the top

    model = LGBMClassifier(
        n_estimators=NUM_ROUNDS,
        learning_rate=0.1,
        max_depth=3,
        num_leaves=8,
        # scikit-learn splits down to single samples; LightGBM's least weight of a leaf stays, for without it
        # nearly certain samples make it fail
        min_child_samples=1,
        importance_type="gain",
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbose=-1,
    )
    with warnings.catch_warnings():
        # it names the columns itself and then warns that the arrays it predicts from have no names
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        warnings.filterwarnings("ignore", category=UserWarning, module="lightgbm")
        model.fit(codes, labels)
    gains = np.asarray(model.feature_importances_, np.float64)
    total = gains.sum()

    def predict(samples: Float[ndarray, "sample latent"]) -> Int[ndarray, " sample"]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="X does not have valid feature names")
            return np.asarray(model.predict(samples))

    return Trees(gains / total if total > 0 else gains, predict)
