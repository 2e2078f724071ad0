"""OMES, overlap and multiple encoding score: the formula of the code of transfer_disentanglement (J. Dapueto)."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.metrics.checks import check_counts
from factorgrid.metrics.sampling import GridSampler, Sampler
from factorgrid.metrics.votes import active, overall_variance
from factorgrid.representation import Representation


def omes(
    representation: Representation,
    *,
    rng: np.random.Generator,
    num_train: int = 10_000,
    num_variance_estimate: int = 10_000,
    alpha: float = 0.5,
    std_threshold: float = 0.05,
) -> dict[str, float]:
    """Whether changing one factor alone changes one code alone, and the other way round.

    S_ij is 1 - |correlation| of code i between the two codes of pairs that differ in factor j only: 1 if the code
    forgets its value when the factor changes. Overlap O_ij = 1 - mean_k |[k = j] - S_ik| falls where other factors
    change the code, multiple encoding E_ij = 1 - mean_k |[k = i] - S_kj| where other codes change with the factor.
    Per factor alpha * max_i O_ij S_ij + (1 - alpha) * max_i E_ij S_ij; mean over factors.

    Args:
        representation: codes over a factor grid.
        rng: decides every draw.
        num_train: pairs, of all factors together.
        num_variance_estimate: points for the standard deviation of each code over the data, at least 2.
        alpha: weight of the overlap, 0 .. 1.
        std_threshold: codes of a smaller standard deviation take no part.

    Returns:
        {"omes", "omes.overlap", "omes.multiple_encoding"}: 0 (all codes pruned) .. 1; the last two are alpha 1, 0.

    Raises:
        Error: a count below its least value; alpha out of range; NaN codes; every factor has one value.
    """
    check_counts(num_train=num_train)
    drawn = draw_associations(GridSampler(representation), rng, num_train, num_variance_estimate)
    if drawn is None:
        raise Error("no factor has two values, so nothing varies")
    return omes_of(*drawn, alpha=alpha, std_threshold=std_threshold)


def draw_associations(
    sampler: Sampler, rng: np.random.Generator, num: int, num_variance_estimate: int
) -> tuple[Float[ndarray, "latent factor"], Float[ndarray, " latent"]] | None:
    """S and the variance of the codes; None if no two codes differ in one factor alone."""
    overall = overall_variance(sampler, rng, 2, num_variance_estimate)
    columns = []
    for factor in range(sampler.num_factors):
        pairs = sampler.varied(rng, np.full(max(2, num // sampler.num_factors), factor), 2, distinct=True)
        if pairs is None:
            return None
        columns.append(1 - np.abs(correlation(pairs[0].astype(np.float64), pairs[1].astype(np.float64))))
    return np.stack(columns, axis=1), overall


def correlation(
    first: Float[ndarray, "pair latent"], second: Float[ndarray, "pair latent"]
) -> Float[ndarray, " latent"]:
    """Of each latent between its values on both sides; where it does not vary, 1: it remembers."""
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    return np.where(scale > 0, (first * second).sum(axis=0) / np.where(scale > 0, scale, 1.0), 1.0)


def omes_of(
    association: Float[ndarray, "latent factor"],
    overall: Float[ndarray, " latent"],
    *,
    alpha: float = 0.5,
    std_threshold: float = 0.05,
) -> dict[str, float]:
    """The scores from S."""
    if not 0 <= alpha <= 1:
        raise Error(f"alpha must be from 0 to 1, got {alpha}")
    live: Bool[ndarray, " latent"] = active(overall, std_threshold)
    shares = np.clip(association[live], 0.0, 1.0)
    if not len(shares):
        return {"omes": 0.0, "omes.overlap": 0.0, "omes.multiple_encoding": 0.0}
    overlap = float((own(shares) * shares).max(axis=0).mean())
    multiple = float((own(shares.T).T * shares).max(axis=0).mean())
    return {
        "omes": alpha * overlap + (1 - alpha) * multiple,
        "omes.overlap": overlap,
        "omes.multiple_encoding": multiple,
    }


def own(shares: Float[ndarray, "row column"]) -> Float[ndarray, "row column"]:
    """1 - mean over a row's columns of the distance to a one in this column and zeros elsewhere.

    >>> own(np.array([[1.0, 0.0], [0.5, 0.5]])).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    # the distance to all zeros, with this column's share turned into one minus itself
    return 1 - (shares.sum(axis=1, keepdims=True) + 1 - 2 * shares) / shares.shape[1]
