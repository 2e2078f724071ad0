"""InfoM, InfoE, InfoC (Hsu et al. 2023, "Disentanglement via Latent Quantization", arXiv 2305.18378)."""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import unknown_name
from factorgrid.metrics.checks import as_pair
from factorgrid.metrics.mutual_information import categories, compact, entropy, mutual_information
from factorgrid.metrics.neighbour_information import neighbour_information
from factorgrid.metrics.parallel import known_rows

ACTIVE = ("range_20", "range_8", "iqr_10")


def infomec(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    active: str = "range_20",
    discrete: bool = False,
    seed: int = 0,
) -> dict[str, float]:
    """Modularity, explicitness and compactness, all from (predictive) mutual information.

    N_ji is the mutual information of factor j and code i over the factor's entropy, for active codes only.
    InfoM: how far each code's N is in one factor, (mean_i max_j N / sum_j N - 1/f) / (1 - 1/f). InfoC: how far
    each factor's is in one code, likewise with the number of active codes. InfoE: 1 - log loss of a logistic
    regression of the factor on all codes (unpenalised, balanced classes, on the same samples) over that of
    knowing nothing, mean over factors.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        active: which codes count, by three published definitions; kept with the score, for they differ.
            "range_20" (the paper's standalone file): range above 1/20 of the greatest range, or above 0 if
            discrete. "range_8" (the file behind the paper's tables): above 1/8 of it, discrete or not. "iqr_10"
            (Tripod, Hsu et al. 2024): interquartile range above 1/10 of the greatest, or above 0.1 if discrete.
        discrete: codes take few distinct values (a latent of more than 256 is binned first); their mutual
            information is counted, and they are one-hot encoded for InfoE. Otherwise it is estimated from 10 nearest
            neighbours, and they are standardised.
        seed: of the tiny noise (1e-10) that breaks ties between neighbours.

    Returns:
        {"infomec.modularity", "infomec.compactness"}: 0 .. 1, both 0 if no code is active; a code (factor) that
        shares no information at all counts as undecided, 0. {"infomec.explicitness"}: at most 1, usually 0 .. 1.
        With one factor modularity, and with one active code compactness, is 1.

    Raises:
        Error: bad shapes or types, NaN codes, no factor with two values, an unknown definition of active.
    """
    values, labels = as_pair(codes, factors)
    labels = compact(labels)
    shared = normalised_information(values, labels, discrete=discrete, seed=seed)
    shared = shared[active_latents(values, active, discrete=discrete)]
    return {
        "infomec.modularity": concentration(shared),
        "infomec.explicitness": predictability(values, labels, discrete=discrete),
        "infomec.compactness": concentration(shared.T) if len(shared) else 0.0,
    }


def infomec_keys(name: str) -> dict[str, tuple[float, float]]:
    """Result keys under `name`, with their ranges."""
    lowest = {"modularity": 0.0, "explicitness": float("-inf"), "compactness": 0.0}
    return {f"{name}.{part}": (low, 1.0) for part, low in lowest.items()}


def infomec_discrete_of(**sample: Any) -> dict[str, float]:
    """`infomec` with the discrete estimator, under the name of its own in the table."""
    return {key.replace("infomec.", "infomec_discrete."): value for key, value in infomec(**sample).items()}


def infomec_details(
    codes: ArrayLike, factors: ArrayLike, *, active: str = "range_20", discrete: bool = False, seed: int = 0
) -> dict[str, ndarray]:
    """The normalised information [latent, factor] of all codes, and which of them are active."""
    values, labels = as_pair(codes, factors)
    return {
        "normalised_information": normalised_information(values, compact(labels), discrete=discrete, seed=seed),
        "active": active_latents(values, active, discrete=discrete).astype(np.float64),
    }


def active_latents(codes: Float[ndarray, "sample latent"], active: str, *, discrete: bool) -> Bool[ndarray, " latent"]:
    """Which latents count, by one of the three published definitions."""
    if active not in ACTIVE:
        raise unknown_name("definition of active latents", active, ACTIVE)
    if active == "iqr_10":
        low, high = np.quantile(codes.astype(np.float64), [0.25, 0.75], axis=0)
        spread = high - low
        return spread > (0.1 if discrete else spread.max() / 10)
    spread = codes.max(axis=0) - codes.min(axis=0)
    if active == "range_20":
        return spread > (0 if discrete else spread.max() / 20)
    return spread > spread.max() / 8


def normalised_information(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, "sample factor"], *, discrete: bool, seed: int
) -> Float[ndarray, "latent factor"]:
    """Mutual information of every code and factor, over the factor's entropy."""
    if discrete:
        shared = mutual_information(categories(codes), labels)
    else:
        shared = neighbour_information(codes, labels, np.random.default_rng(seed))
    return shared / entropy(labels)


def concentration(shared: Float[ndarray, "row column"]) -> float:
    """How far the mass of each row is in one column: 0 (evenly spread) .. 1, mean over rows; 0 without rows."""
    num_rows, num_columns = shared.shape
    if num_rows == 0:
        return 0.0
    if num_columns == 1:
        return 1.0
    total = shared.sum(axis=1)
    share = np.where(total > 0, shared.max(axis=1) / np.where(total > 0, total, 1.0), 1 / num_columns)
    return float(np.clip((share.mean() - 1 / num_columns) / (1 - 1 / num_columns), 0.0, 1.0))


def predictability(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, "sample factor"], *, discrete: bool
) -> float:
    """Share of each factor's entropy that a logistic regression on the codes removes, mean over factors."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import
    from sklearn.linear_model import LogisticRegression

    inputs = one_hot(codes) if discrete else standardised(codes)
    shares = []
    for j in range(labels.shape[1]):
        with warnings.catch_warnings():
            # the published code keeps 100 iterations; C = infinity is how every version spells "no penalty"
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", message=".*penalty.*")
            known, wanted = known_rows(inputs, labels[:, j])
            model = LogisticRegression(C=np.inf, class_weight="balanced").fit(known, wanted)
        chance = model.predict_proba(known)[np.arange(len(known)), wanted]
        loss = -np.log(np.maximum(chance, np.finfo(np.float64).tiny)).mean()
        # knowing nothing, balanced classes are all equally likely: the loss of that is log(number of classes)
        shares.append(1 - loss / np.log(len(model.classes_)))
    return float(np.mean(shares))


def standardised(codes: Float[ndarray, "sample latent"]) -> Float[ndarray, "sample latent"]:
    """Zero mean and unit variance; a dead latent becomes zeros."""
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    return centred / np.where(codes.min(axis=0) < codes.max(axis=0), spread, 1.0)


def one_hot(codes: Float[ndarray, "sample latent"]) -> Float[ndarray, "sample category"]:
    """A column for every value of every latent."""
    return np.concatenate([np.eye(column.max() + 1)[column] for column in categories(codes).T], axis=1)
