"""Two encoders against each other: paired tests of their scores."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from factorgrid.errors import Error
from factorgrid.metrics import higher_is_better
from factorgrid.study.statistics import ALPHA, holm, median_interval

if TYPE_CHECKING:
    from pandas import DataFrame


def compare(
    scores_a: Sequence[Mapping[str, float]], scores_b: Sequence[Mapping[str, float]], *, seed: int = 0
) -> "DataFrame":
    """Is b better than a? Wilcoxon's signed-rank test of every score that all have, over pairs.

    Args:
        scores_a, scores_b: a mapping of scores per pair, as `score` gives them: equal seeds, folds or data sets of
            both encoders in the same order.
        seed: of the bootstrap.

    Returns:
        A row per result key: num (pairs), difference (median of b - a) with its 95 % bootstrap interval (low, high),
        p (exact for few pairs without ties), p_holm (corrected for the number of scores), better: "a", "b", or
        "undecided" where p_holm is 0.05 or more.

    Raises:
        Error: unequal numbers of scores, fewer than two, or no score that all have.

    >>> a = [{"mig": 0.1 + 0.01 * i} for i in range(8)]
    >>> b = [{"mig": 0.2 + 0.02 * i} for i in range(8)]
    >>> compare(a, b).loc["mig", "better"]
    'b'
    """
    from pandas import DataFrame
    from scipy.stats import wilcoxon

    if len(scores_a) != len(scores_b) or len(scores_a) < 2:
        raise Error(f"a paired comparison needs two pairs or more, got {len(scores_a)} and {len(scores_b)} scores")
    shared = [key for key in scores_a[0] if all(key in scores for scores in (*scores_a, *scores_b))]
    if not shared:
        raise Error("no score is in all that are compared; score both sides with the same metrics")
    rows = []
    for key in shared:
        differences = np.array([b[key] - a[key] for a, b in zip(scores_a, scores_b)])
        differences = differences[np.isfinite(differences)]
        # without a difference nothing is to be ranked
        p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
        low, high = median_interval(differences, seed=seed)
        median = float(np.median(differences)) if len(differences) else np.nan
        rows.append((len(differences), median, low, high, p))
    table = DataFrame(rows, index=shared, columns=["num", "difference", "low", "high", "p"])
    table["p_holm"] = holm(table["p"].to_numpy())
    ahead = [(d > 0) == higher_is_better(key) for key, d in zip(shared, table["difference"])]
    decided = table["p_holm"] < ALPHA
    table["better"] = np.where(decided, np.where(ahead, "b", "a"), "undecided")
    return table
