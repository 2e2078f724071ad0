"""Scores that need no labels, side by side: what each goes along with, and which model it would have chosen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from factorgrid.latents.abilities import Discrete
from factorgrid.methods import METHODS
from factorgrid.metrics import METRICS
from factorgrid.metrics.hard import hard
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, Number, P
from factorgrid.selectors import SELECTORS
from factorgrid.study.select import higher_is_better, models, select
from factorgrid.study.statistics import correlate, correlation_interval, holm

LEAST = 30  # models; fewer cannot tell scores apart
JUDGE = "mig"
MOST_NAMED = 4  # methods of a pool, in every row of a table
TOO_FEW = f"no {LEAST} models of a data set have both MIG and scores that need no labels"
USAGE = tuple(METRICS["code_usage"].keys)
SETTING = ["method", "hyperparameters"]  # models that differ in nothing else are independent ones
OF_CODES = ("code_usage", "fos", "gaussian_total_correlation", "wasserstein_correlation", "mutual_information_score")
KEYS = (
    *(key for name, selector in SELECTORS.items() if name != "validation" for key in selector.keys),
    *(key for name in OF_CODES for key in METRICS[name].keys),
)


@dataclass(frozen=True)
class Rating:
    """How well one score tells the models of a pool on one data set apart.

    Attributes:
        data, pool: where; the pool is the methods whose models have both the score and `JUDGE`.
        key: the score.
        wide: its models, a column for every score and metric.
        num: models that have both.
        rho: Spearman correlation with `JUDGE`, positive where what the score calls better is better.
        p: of `rho`; of the medians of settings where there are several.
        chosen, percentile: `JUDGE` of the model that the score calls best, and that model's place in the pool, 0 .. 1.
    """

    data: str
    pool: tuple[str, ...]
    key: str
    wide: pd.DataFrame
    num: int
    rho: float
    p: float
    chosen: float
    percentile: float

    def with_metric(self, metric: str) -> float:
        """Spearman correlation with a metric, turned as `rho`; NaN where it was not scored."""
        if metric not in self.wide:
            return math.nan
        both = _finite(self.wide, self.key, metric)
        return _sign(self.key) * correlate(both[self.key], both[metric]).rho

    def correlation(self, resamples: int) -> Number:
        """`rho` with its 95 % bootstrap interval."""
        both = _finite(self.wide, self.key, JUDGE)
        setting = both.groupby(SETTING).ngroup().to_numpy()
        units = setting if setting.max() > 0 else None
        ends = correlation_interval(both[self.key], both[JUDGE], units=units, resamples=resamples)
        low, high = sorted(_sign(self.key) * end for end in ends)
        return Number(self.rho, 2, signed=True, interval=(low, high))


def label_free_table(cells: Cells) -> Table | Absent:
    """Every label-free score in every pool of at least `LEAST` models: rank correlations, and the model it chooses."""
    judged = [key for key in cells.metrics if in_percent(key) and higher_is_better(key) and key != JUDGE]
    rows: list[dict[str, Cell]] = []
    found = rated(cells)
    for ratings in found.values():
        for one, p in zip(ratings, holm([one.p for one in ratings])):
            rows.append({
                "data set": one.data, "pool": _named(one.pool), "score": metric_title(one.key), "models": one.num,
                "with MIG": one.correlation(cells.resamples), "p": P(float(p)), "chosen": Number(100 * one.chosen),
                "percentile": Number(100 * one.percentile, 0),
                **{f"with {metric_title(key)}": Number(one.with_metric(key), 2, signed=True) for key in judged},
            })  # fmt: skip
    if not rows:
        return Absent(TOO_FEW)
    caption = (
        "Rank correlation of each score with the metrics over the models of a pool, turned so that a positive number "
        "means: what the score calls better is better. In parentheses the 95 % bootstrap interval; p: of the "
        "correlation with MIG, corrected over the scores of a pool. Where several methods or settings compete, models "
        "of one setting are no independent ones: the interval draws whole settings, and p is that of their "
        "medians. Chosen: MIG in % of the model that the score calls best; percentile: its place in the pool (100: the "
        "best, 50: as good as blind choice). Scores that have no better side by themselves (code usage) are turned by "
        "their declared direction too; code usage is that of hard codes where they were scored, else of soft codes cut "
        "into 20 bins."
    )
    return Table(rows, list(rows[0]), caption, _names(found))


def left_out_table(cells: Cells) -> Table | Absent:
    """Each data set in turn left out: the score that serves best on the others, and how it serves on this one."""
    found = rated(cells)
    rows: list[dict[str, Cell]] = []
    for pool in dict.fromkeys(pool for pool, _ in found):
        by_data = {data: _of_all_models(found[name, data]) for name, data in found if name == pool}
        first = next(iter(by_data.values()))
        shared = [key for key in first if all(key in ratings for ratings in by_data.values())]
        if len(by_data) < 2 or not shared:
            continue
        for data, ratings in by_data.items():
            others = [by_data[other] for other in by_data if other != data]
            means = {key: _mean_correlation([other[key].rho for other in others]) for key in shared}
            best = max(shared, key=lambda key: means[key])
            one = ratings[best]
            rows.append({
                "left out": data, "pool": _named(one.pool), "models": one.num, "best on the others": metric_title(best),
                "with MIG there": Number(means[best], 2, signed=True),
                "with MIG here": one.correlation(cells.resamples),
                "chosen": Number(100 * one.chosen), "percentile": Number(100 * one.percentile, 0),
            })  # fmt: skip
    if not rows:
        return Absent(f"{TOO_FEW}, of two data sets or more")
    caption = (
        "Would the data sets at hand have told which score to trust on a new one? Of the scores that all models of all "
        "data sets have, the one with the greatest mean rank correlation with MIG on the others (mean of Fisher's z), "
        "its correlation on the data set that was left out (95 % bootstrap interval), and the model that it chooses "
        "there: MIG in %, and place among the models (100: the best, 50: as good as blind choice)."
    )
    return Table(rows, list(rows[0]), caption, _names(found))


def _named(pool: Sequence[str]) -> str:
    return ", ".join(pool) if len(pool) <= MOST_NAMED else f"{len(pool)} methods"


def _names(found: Mapping[tuple[str, str], Sequence[Rating]]) -> tuple[str, ...]:
    """The methods of pools that are too large to be named in every row."""
    pools = dict.fromkeys(one.pool for ratings in found.values() for one in ratings)
    return tuple(f"{_named(pool)}: {'; '.join(pool)}" for pool in pools if len(pool) > MOST_NAMED)


def rated(cells: Cells) -> dict[tuple[str, str], list[Rating]]:
    """(kind of latents, data set) -> every score of at least `LEAST` models; "discrete" or "continuous" latents."""
    found: dict[tuple[str, str], list[Rating]] = {}
    for kind, pool in _pools(cells).items():
        for data in cells.outcome.data:
            mine = [row for row in pool if len(cells.sample(data, row, JUDGE).values)]
            table = cells.models(mine)
            if ratings := _ratings(data, [row.title for row in mine], table[table["data"] == data]):
                found[kind, data] = ratings
    return found


def _pools(cells: Cells) -> dict[str, list[Row]]:
    """Unsupervised models whose latents are alike: a gap exists for the discrete ones only."""
    pools: dict[str, list[Row]] = {"discrete": [], "continuous": []}
    for row in cells.rows:
        if not row.kind.labels:
            pools["discrete" if METHODS[row.kind.model].can(Discrete) else "continuous"].append(row)
    return pools


def _ratings(data: str, titles: Sequence[str], table: pd.DataFrame) -> list[Rating]:
    wide = models(table)
    ratings = []
    for key in (hard(key) if key in USAGE and hard(key) in wide else key for key in KEYS):
        if key not in wide or JUDGE not in wide or len(both := _finite(wide, key, JUDGE)) < LEAST:
            continue
        found = correlate(both[key], both[JUDGE])
        if np.isfinite(found.rho):  # equal scores choose nothing
            settings = both.groupby(SETTING)[[key, JUDGE]].median()
            p = found.p if len(settings) == 1 else correlate(settings[key], settings[JUDGE]).p
            chosen = select(table.merge(both[["method", "group", "member"]]), key=key, metrics=(JUDGE,)).iloc[0]
            value, percentile = float(chosen["value"]), float(chosen["percentile"])
            pool = tuple(title for title in titles if title in set(both["method"]))
            ratings.append(Rating(data, pool, key, wide, found.num, _sign(key) * found.rho, p, value, percentile))
    return ratings


def _of_all_models(ratings: Sequence[Rating]) -> dict[str, Rating]:
    """By score, those that no model of the pool is without: others would be judged by other models."""
    most = max(one.num for one in ratings)
    return {one.key: one for one in ratings if one.num == most}


def _sign(key: str) -> float:
    return 1.0 if higher_is_better(key) else -1.0


def _mean_correlation(values: Sequence[float]) -> float:
    return float(np.tanh(np.arctanh(np.clip(values, -0.999, 0.999)).mean()))


def _finite(wide: pd.DataFrame, key: str, metric: str) -> pd.DataFrame:
    """The models that have both values."""
    return wide[np.isfinite(wide[[key, metric]]).all(axis=1)]
