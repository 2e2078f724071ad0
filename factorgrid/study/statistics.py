"""What samples of scores say, and how surely: medians with their intervals, comparisons, correlations.

Pure functions of arrays. Chance enters as `seed`; values that are not finite are the caller's to leave out.
"""

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike
from scipy.stats import PermutationMethod, bootstrap, mannwhitneyu, rankdata, spearmanr

from factorgrid.errors import Error

CONFIDENCE = 0.95
ALPHA = 0.05  # what a test has to undercut; 1 - CONFIDENCE is a little more, and a p of 0.05 would
RESAMPLES = 2_000
PERMUTATIONS = 9_999
MOST_PERMUTED = 30  # models; the t approximation of a rank correlation's p value is good beyond
MOST_TIED = 20  # models of the smaller sample; the normal approximation of the Mann-Whitney test is good beyond


@dataclass(frozen=True)
class Summary:
    """A sample in short.

    Attributes:
        num: how many values; with none, everything else is NaN.
        median, low, high: the median and the 25 % and 75 % quantiles (linear interpolation), as the paper gives them.
        interval: bootstrap interval of the median at `CONFIDENCE`; NaN for a single value.
    """

    num: int
    median: float
    low: float
    high: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Two samples against each other.

    Attributes:
        num_first, num_second: how many values.
        difference: median of the second minus median of the first.
        interval: bootstrap interval of that difference at `CONFIDENCE`; NaN if a sample has one value.
        superiority: probability that a value of the second exceeds one of the first, ties counted half; 0.5: equal.
        p: of the two-sided Mann-Whitney U test; for small samples exact, or by permutation if there are ties.
        least_p: the smallest p that samples of these sizes can give: at `ALPHA` or above, no test can decide.
    """

    num_first: int
    num_second: int
    difference: float
    interval: tuple[float, float]
    superiority: float
    p: float
    least_p: float


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation.

    Attributes:
        num: how many pairs.
        rho: -1 .. 1; NaN for fewer than three pairs or a constant side.
        p: two-sided; by permutation for up to `MOST_PERMUTED` pairs, else by the t approximation.
    """

    num: int
    rho: float
    p: float


def summarise(values: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> Summary:
    """Median, quantiles and the bootstrap interval of the median of finite values [num].

    >>> summarise([1.0, 2.0, 3.0, 4.0]).median
    2.5
    """
    sample = _sample(values)
    if not len(sample):
        return Summary(0, math.nan, math.nan, math.nan, (math.nan, math.nan))
    low, median, high = np.quantile(sample, [0.25, 0.5, 0.75]).tolist()
    return Summary(len(sample), median, low, high, median_interval(sample, resamples=resamples, seed=seed))


def median_interval(values: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the median; NaN for fewer than two values.

    Percentiles, not BCa: the jackknife that BCa needs is not consistent for a median. With fewer than about ten
    values it covers less than it says.
    """
    sample = _sample(values)
    if len(sample) < 2:
        return math.nan, math.nan
    found = bootstrap(
        (sample,), np.median, n_resamples=resamples, confidence_level=CONFIDENCE, method="percentile",
        vectorized=True, rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def compare(first: ArrayLike, second: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Is the second sample larger than the first? Mann-Whitney U test, effect size, difference of the medians.

    Raises:
        Error: an empty sample.
    """
    a, b = _sample(first), _sample(second)
    if not len(a) or not len(b):
        raise Error(f"a comparison needs values on both sides, got {len(a)} and {len(b)}")
    tied = len(np.unique(np.concatenate([a, b]))) < len(a) + len(b)
    method: Any = "auto"
    if tied and min(len(a), len(b)) <= MOST_TIED:  # SciPy's own choice would undercut what so few models can say
        method = PermutationMethod(n_resamples=PERMUTATIONS, rng=np.random.default_rng(seed))
    found = mannwhitneyu(b, a, alternative="two-sided", method=method)
    return Comparison(
        len(a),
        len(b),
        float(np.median(b) - np.median(a)),
        _difference_interval(a, b, resamples=resamples, seed=seed),
        float(found.statistic) / (len(a) * len(b)),
        float(found.pvalue),
        min(1.0, 2 / math.comb(len(a) + len(b), len(a))),
    )


def holm(p_values: ArrayLike) -> Float[ndarray, " test"]:
    """p values of a family of tests after Holm's correction (1979), in the given order; NaN stays and does not count.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    adjusted = np.full(p.shape, math.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p[order]))
    return adjusted


def correlate(first: ArrayLike, second: ArrayLike, *, seed: int = 0) -> Correlation:
    """Spearman's rank correlation of pairs [num].

    Raises:
        Error: samples of different lengths.
    """
    a, b = _pairs(first, second)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return Correlation(len(a), math.nan, math.nan)
    found = spearmanr(a, b)
    rho = float(found.statistic)
    p = _permutation_p(a, b, seed) if len(a) <= MOST_PERMUTED else float(found.pvalue)
    return Correlation(len(a), rho, p)


def correlation_interval(
    first: ArrayLike, second: ArrayLike, *, units: ArrayLike | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of Spearman's rank correlation of pairs [num]; NaN where there is none.

    Resamples in which one side is constant have no correlation and are left out.

    Args:
        first, second: the pairs.
        units: [num]: pairs with the same number are drawn together, since they are no independent ones, such as the
            seeds of one method where methods differ; NaN for fewer than three. None: each pair by itself.
        resamples, seed: of the bootstrap.
    """
    a, b = _pairs(first, second)
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan, math.nan
    _, unit = np.unique(np.arange(len(a)) if units is None else np.asarray(units), return_inverse=True)
    num_units = int(unit.max()) + 1
    drawn = np.random.default_rng(seed).integers(num_units, size=(resamples, num_units))
    places = drawn + num_units * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * num_units).reshape(resamples, num_units)
    times = counts[:, unit].astype(np.float64)  # that each pair is drawn
    x, y = (_ranks_of_drawn(values, times) for values in (a, b))
    spread = np.sqrt((times * x**2).sum(axis=1) * (times * y**2).sum(axis=1))
    kept = spread > 1e-9 * len(a)
    if num_units < 3 or not kept.any():
        return math.nan, math.nan
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile((times * x * y).sum(axis=1)[kept] / spread[kept], [tail, 1 - tail]).tolist()
    return low, high


def least_correlation_p(num: int) -> float:
    """The smallest p that a rank correlation of so many pairs can have: that of equal or reversed orders."""
    if num < 2:
        return 1.0
    return max(1 / (PERMUTATIONS + 1), min(1.0, 2 / math.factorial(min(num, 20)))) if num <= MOST_PERMUTED else 0.0


def chosen_p(ranks: ArrayLike, sizes: ArrayLike, *, seed: int = 0) -> float:
    """How often a random choice from every pool does as well, by the mean of the percentiles.

    Args:
        ranks: [pool]: one more than the number of models in each pool that are worse than the chosen one: 1 .. size.
        sizes: [pool]: how many models each pool has.

    Returns:
        One-sided p of the hypothesis that the choices are uniform and independent; exact for a single pool.
    """
    place, size = np.asarray(ranks, np.float64), np.asarray(sizes, np.float64)
    if len(place) == 1:
        return float((size[0] - place[0] + 1) / size[0])
    rng = np.random.default_rng(seed)
    random = (rng.integers(1, size.astype(int) + 1, (PERMUTATIONS, len(size))) / size).mean(axis=1)
    return float((1 + np.sum(random >= (place / size).mean() - 1e-12)) / (PERMUTATIONS + 1))


@dataclass(frozen=True)
class Wins:
    """How often one side is best, over cells (data set and metric) that share models.

    Attributes:
        won: cells in which it has the highest median; ties are split.
        expected: the same if all methods were alike.
        cells: how many there are.
        superiority: probability that a model of the side scores higher than another one, mean over the cells.
        p: two-sided, of the superiority: whole models change places between the sides of a data set.
        least_p: the smallest p that so many exchanges can give.
    """

    won: float
    expected: float
    cells: int
    superiority: float
    p: float
    least_p: float


def count_wins(pools: Sequence[Sequence[ndarray]], side: Collection[int], *, seed: int = 0) -> Wins:
    """Is one side better over all cells, and in how many is it best?

    The metrics of a model go together, so cells are no independent trials: whole models change places.

    Args:
        pools: for each data set, the scores of every method's models [model, metric]; higher is better. A metric that
            is not finite in all of them is left out.
        side: places of the methods that count as one side; others must be left.
        seed: of the exchanges.

    Raises:
        Error: no cell that all methods have a score in.
    """
    rng = np.random.default_rng(seed)
    won, expected, cells, arrangements = 0.0, 0.0, 0, 1
    observed, chance = 0.0, np.zeros(PERMUTATIONS)
    for methods in pools:
        sizes = [len(scores) for scores in methods]
        scores = np.concatenate(methods).astype(np.float64)
        scores = scores[:, np.isfinite(scores).all(axis=0)]
        num = scores.shape[1]
        if not num or not all(sizes):
            continue
        ends = np.cumsum([0, *sizes])
        medians = np.stack([np.median(scores[a:b], axis=0) for a, b in itertools.pairwise(ends)])
        best = np.isclose(medians, medians.max(axis=0), rtol=0, atol=1e-12)
        won += float((best / best.sum(axis=0))[sorted(side)].sum())
        expected += num * len(side) / len(methods)
        cells += num
        # the superiority is linear in each model's mean rank
        ranks = rankdata(scores, axis=0).mean(axis=1)
        ours = np.concatenate([np.arange(ends[place], ends[place + 1]) for place in side])
        a, b = len(ours), len(ranks) - len(ours)
        shuffled = rng.permuted(np.tile(ranks, (PERMUTATIONS, 1)), axis=1)[:, :a].sum(axis=1)
        observed += num * (float(ranks[ours].sum()) - a * (a + 1) / 2) / (a * b)
        chance += num * (shuffled - a * (a + 1) / 2) / (a * b)
        arrangements *= math.comb(a + b, a)
    if not cells:
        raise Error("there is no data set and metric that all methods have finite scores of")
    far = np.abs(chance / cells - 0.5) >= abs(observed / cells - 0.5) - 1e-9
    p = float((1 + far.sum()) / (PERMUTATIONS + 1))
    return Wins(won, expected, cells, observed / cells, p, max(1 / (PERMUTATIONS + 1), min(1.0, 2 / arrangements)))


def _difference_interval(
    first: Float[ndarray, " first"], second: Float[ndarray, " second"], *, resamples: int, seed: int
) -> tuple[float, float]:
    if len(first) < 2 or len(second) < 2:
        return math.nan, math.nan

    def difference(a: ndarray, b: ndarray, axis: int) -> ndarray:
        return np.median(b, axis=axis) - np.median(a, axis=axis)

    found = bootstrap(
        (first, second), difference, n_resamples=resamples, confidence_level=CONFIDENCE, method="percentile",
        vectorized=True, rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _ranks_of_drawn(
    values: Float[ndarray, " pair"], times: Float[ndarray, "resample pair"]
) -> Float[ndarray, "resample pair"]:
    """Ranks of the values (ties share theirs) in samples that have each so many times, less their mean."""
    _, place = np.unique(values, return_inverse=True)
    equal = times @ (place[:, None] == np.arange(place.max() + 1))  # how many have each value
    ranks = (np.cumsum(equal, axis=1) - equal / 2)[:, place]
    return ranks - (times * ranks).sum(axis=1, keepdims=True) / times.sum(axis=1, keepdims=True)


def _permutation_p(first: Float[ndarray, " pair"], second: Float[ndarray, " pair"], seed: int) -> float:
    """Share of shuffled pairings whose correlation is as far from 0; the observed pairing is one of them."""
    a, b = rankdata(first), rankdata(second)
    a, b = a - a.mean(), b - b.mean()
    shuffled = np.random.default_rng(seed).permuted(np.tile(b, (PERMUTATIONS, 1)), axis=1) @ a
    return float((1 + np.sum(np.abs(shuffled) >= abs(float(a @ b)) - 1e-9)) / (PERMUTATIONS + 1))


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[ndarray, ndarray]:
    a, b = _sample(first), _sample(second)
    if len(a) != len(b):
        raise Error(f"a correlation needs pairs, got {len(a)} and {len(b)} values")
    return a, b


def _sample(values: ArrayLike) -> Float[ndarray, " num"]:
    sample = np.asarray(values, np.float64).reshape(-1)
    if not np.isfinite(sample).all():
        raise Error("a sample holds values that are not finite; leave them out first, and say how many they were")
    return sample
