"""How sure a score is, and what it could be: its interval, chance level and ceiling on the given sample."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.metrics.checks import as_codes, as_factors, check_counts
from factorgrid.metrics.lookup import Options
from factorgrid.metrics.sampling import PUBLISHED, Counts
from factorgrid.metrics.scoring import score

if TYPE_CHECKING:
    from pandas import DataFrame


def assess(
    codes: Any,
    factors: Any,
    metrics: str | Iterable[str] = "mig",
    seed: int = 0,
    *,
    interval: float = 0.95,
    resamples: int = 100,
    permutations: int = 5,
    counts: Counts = PUBLISHED,
    quick: bool = False,
    options: Options | None = None,
    jobs: int | None = 1,
) -> "DataFrame":
    """Scores with intervals, chance levels and ceilings, all on this sample.

    The interval is a bootstrap's, over random halves of the rows, drawn without replacement: the scores of halves
    vary as much as those of whole samples drawn anew, and no row occurs twice, which would leak from training into
    test codes and make nearest neighbours of equals. The percentiles of the halves are moved by the difference
    between their mean and the score, since halves are also more biased. Chance: the mean score of codes shuffled
    against the factors. Ceiling: the score of the factors themselves as codes.

    Args:
        codes, factors, metrics, counts, quick, options, jobs: as for `score`.
        seed: decides every draw.
        interval: the share of resamples inside, above 0 and below 1.
        resamples: halves; the score is computed for each.
        permutations: shuffled samples.

    Returns:
        A row per result key: value, low, high, chance, ceiling. Warns of scores whose interval is wider than half
        the way from chance to ceiling: the sample is too small for them.

    Raises:
        Error: see `score`; an interval out of range, or fewer than 8 codes.
    """
    from pandas import DataFrame  # slow to import

    if not 0 < interval < 1:
        raise Error(f"interval must be between 0 and 1, such as 0.95, got {interval}")
    check_counts(resamples=resamples, permutations=permutations)
    values = as_codes(codes)
    labels = as_factors(factors, len(values))
    if len(values) < 8:
        raise Error(f"{len(values)} codes cannot be halved and scored; pass more")
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    rng = np.random.default_rng(seed)

    def scored(some: ndarray, theirs: ndarray, own_seed: int) -> dict[str, float]:
        return score(some, theirs, names, own_seed, counts=counts, quick=quick, options=options, jobs=jobs)

    found = scored(values, labels, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong with the sample has been said once
        orders = [rng.permutation(len(values)) for _ in range(resamples)]
        try:
            halves = [scored(values[o[::2]], labels[o[::2]], seed + 1 + i) for i, o in enumerate(orders)]
        except Error as error:
            raise Error(f"half of {len(values)} codes are too few for an interval: {error}") from None
        shuffles = [scored(values[rng.permutation(len(values))], labels, seed) for _ in range(permutations)]
        ceiling = scored(factors_as_codes(labels), labels, seed)
    rows = {}
    for key, value in found.items():
        spread = np.array([half[key] for half in halves if key in half])
        low, high = np.quantile(spread, [(1 - interval) / 2, (1 + interval) / 2]) if len(spread) else (np.nan, np.nan)
        shift = value - spread.mean() if len(spread) else np.nan
        chance = float(np.mean([shuffle[key] for shuffle in shuffles if key in shuffle]))
        rows[key] = (value, low + shift, high + shift, chance, ceiling.get(key, np.nan))
    table = DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "chance", "ceiling"])
    wide = (table["high"] - table["low"]) > (table["ceiling"] - table["chance"]).abs() / 2
    if wide.any():
        warnings.warn(
            f"{len(values)} codes are too few for {', '.join(table.index[wide])}: the interval is wider than half the "
            "way from chance to ceiling",
            stacklevel=2,
        )
    return table


def factors_as_codes(labels: Int[ndarray, "sample factor"]) -> Float[ndarray, "sample factor"]:
    """Every factor as a code of its own, from -1 to 1; 0 where it is unknown."""
    greatest = np.maximum(labels.max(axis=0), 1)
    return np.where(labels >= 0, 2 * labels / greatest - 1, 0.0)
