"""Choosing models by a score, how well that works, and what the score goes along with; all from the tidy table.

Tables in and out: `table` has the columns of `outcomes.COLUMNS`. All models of a data set that are in it compete,
whatever their method, hyperparameters and seed: whoever calls chooses the pool by its rows.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from factorgrid.errors import Error
from factorgrid.evaluation import directions
from factorgrid.metrics import METRICS, SIX
from factorgrid.study.statistics import correlate

GAP = "st_gap_loss"
VALIDATION = "validation_loss"
SIX_KEYS = tuple(next(iter(METRICS[name].keys)) for name in SIX)
IDENTITY = ["data", "labels", "method", "hyperparameters", "group", "member", "seed"]
Rule = Literal["median", "validation", "gap"]
Name = TypeVar("Name", bound=Hashable)


def higher_is_better(key: str) -> bool:
    """The declared direction of a metric's or selector's value; what is not declared counts as higher is better."""
    return directions().get(key, True)


def models(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each model: the columns of `IDENTITY`, then one for every metric (NaN where it was not scored).

    Raises:
        Error: two values of one metric for the same model.
    """
    keys = [*IDENTITY, "metric"]
    if table.duplicated(keys).any():
        twice = table[table.duplicated(keys)].iloc[0]
        raise Error(f"group {twice['group']} has two values of {twice['metric']} for {twice['member']}")
    return table.pivot(index=IDENTITY, columns="metric", values="value").rename_axis(columns=None).reset_index()


def correlations(
    table: pd.DataFrame,
    *,
    key: str = GAP,
    metrics: Sequence[str] = SIX_KEYS,
) -> pd.DataFrame:
    """Spearman correlation of a score with metrics, over the models of a data set.

    Args:
        table: tidy results of the pool.
        key: the score: a straight-through gap, UDR, a statistical efficiency, ...
        metrics: what it is correlated with.

    Returns:
        Columns data, metric, num (models with both values), rho, p; a row for each data set and metric that both exist.
    """
    rows = []
    for data, wide in _pools(table):
        for metric in metrics:
            if key not in wide or metric not in wide:
                continue
            both = wide[[key, metric]].to_numpy(np.float64)
            both = both[np.isfinite(both).all(axis=1)]
            found = correlate(both[:, 0], both[:, 1])
            rows.append({"data": data, "metric": metric, "num": found.num, "rho": found.rho, "p": found.p})
    return pd.DataFrame(rows, columns=["data", "metric", "num", "rho", "p"])


def select(
    table: pd.DataFrame,
    *,
    key: str = GAP,
    metrics: Sequence[str] = SIX_KEYS,
) -> pd.DataFrame:
    """The model with the best score of a pool, per data set, and how its metrics compare with the rest of the pool.

    Ties go to the first in the order of method, hyperparameters, group, member.

    Args:
        table: tidy results of the pool.
        key: the score; its declared direction counts.
        metrics: what the chosen model is judged by; higher is better in all of them.

    Returns:
        Columns data, metric; method, hyperparameters, group, member: the chosen model; num: models with both values;
        value: its metric; median, best: of the pool; gain: value / median - 1; rank: one more than the number of
        models that are worse (ties count against the choice); better: how many are better; percentile: rank / num.
        Only data sets and metrics that were scored.
    """
    rows = []
    for data, wide in _pools(table):
        scored = _finite(wide, key)
        if scored.empty:
            continue
        chosen = scored.loc[_best(scored, key)]
        for metric in metrics:
            others = _finite(scored, metric)
            if others.empty or not np.isfinite(chosen[metric]):
                continue
            value, values = float(chosen[metric]), others[metric].to_numpy(np.float64)
            median, rank = float(np.median(values)), 1 + int(np.sum(values < value))
            rows.append(
                {
                    "data": data,
                    "metric": metric,
                    **{name: chosen[name] for name in ("method", "hyperparameters", "group", "member")},
                    "num": len(values),
                    "value": value,
                    "median": median,
                    "gain": _gain(value, median),
                    "best": float(values.max()),
                    "rank": rank,
                    "better": int(np.sum(values > value)),
                    "percentile": rank / len(values),
                }
            )
    return pd.DataFrame(rows, columns=_SELECTED)


def select_setting(
    table: pd.DataFrame,
    *,
    key: str = GAP,
    metric: str = "mig",
) -> pd.DataFrame:
    """The method and hyperparameters whose models have the best median score, per data set, and their median metric.

    Returns:
        Columns data; method, hyperparameters: the chosen setting; num: its models; score: its median of `key`; value:
        its median of `metric`; median: of the whole pool; gain: value / median - 1; num_settings: how many competed.
    """
    rows = []
    for data, wide in _pools(table):
        scored = _finite(_finite(wide, key), metric)
        if scored.empty:
            continue
        settings = scored.groupby(["method", "hyperparameters"], sort=True)[[key, metric]].median()
        chosen = _best(settings, key)
        method, hyperparameters = chosen
        mine = (scored["method"] == method) & (scored["hyperparameters"] == hyperparameters)
        value, median = float(settings.loc[chosen, metric]), float(scored[metric].median())
        rows.append(
            {
                "data": data,
                "method": method,
                "hyperparameters": hyperparameters,
                "num": int(mine.sum()),
                "score": float(settings.loc[chosen, key]),
                "value": value,
                "median": median,
                "gain": _gain(value, median),
                "num_settings": len(settings),
            }
        )
    return pd.DataFrame(rows, columns=_SET)


def cell_scores(
    pools: Mapping[Name, pd.DataFrame], *, rule: Rule = "median", metrics: Sequence[str] = SIX_KEYS
) -> pd.DataFrame:
    """What each of several competitors reaches on every data set and metric.

    Args:
        pools: tidy results of each competitor.
        rule: "median" over its models; "validation": the model with the lowest loss on the held-out labels; "gap":
            the one with the smallest straight-through gap, of competitors that have one; by validation of others.
        metrics: keys.

    Returns:
        Index (data, metric), a column for each competitor, NaN where it has no such model.
    """
    found: dict[Name, dict[tuple[str, str], float]] = {name: {} for name in pools}
    for name, table in pools.items():
        for data, wide in _pools(table):
            chosen = _chosen(wide, rule)
            for metric in metrics:
                if chosen is not None and metric in chosen:
                    found[name][data, metric] = float(chosen[metric])
    places = list(dict.fromkeys(place for cells in found.values() for place in cells))
    values = [[cells.get(place, math.nan) for cells in found.values()] for place in places]
    index = pd.MultiIndex.from_arrays([[d for d, _ in places], [m for _, m in places]], names=["data", "metric"])
    columns = pd.Index(list(found), tupleize_cols=False)
    return pd.DataFrame(np.reshape(np.asarray(values, np.float64), (len(places), len(found))), index, columns)


def wins(scores: pd.DataFrame) -> pd.Series:
    """How many cells each method wins; a cell whose best value is shared is split, and counts one in all.

    Args:
        scores: [cell, method], higher is better; cells in which a method has no value are left out.
    """
    values = scores.dropna().to_numpy(np.float64)
    if not len(values):
        return pd.Series(0.0, index=scores.columns)
    best = np.isclose(values, values.max(axis=1, keepdims=True), rtol=0, atol=1e-12)
    return pd.Series((best / best.sum(axis=1, keepdims=True)).sum(axis=0), index=scores.columns)


_SELECTED = ["data", "metric", "method", "hyperparameters", "group", "member", "num", "value", "median", "gain", "best",
             "rank", "better", "percentile"]  # fmt: skip
_SET = ["data", "method", "hyperparameters", "num", "score", "value", "median", "gain", "num_settings"]


def _pools(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The models of each data set, in the table's order of data sets."""
    return [(str(data), models(table[table["data"] == data])) for data in dict.fromkeys(table["data"])]


def _chosen(wide: pd.DataFrame, rule: Rule) -> pd.Series | None:
    if rule == "median":
        return wide.drop(columns=IDENTITY).median()
    key = GAP if rule == "gap" and not _finite(wide, GAP).empty else VALIDATION
    scored = _finite(wide, key)
    return None if scored.empty else scored.loc[_best(scored, key)]


def _best(scored: pd.DataFrame, key: str) -> Any:
    """The index of the row with the best value by the score's declared direction; of several, the first."""
    return scored[key].idxmax() if higher_is_better(key) else scored[key].idxmin()


def _finite(wide: pd.DataFrame, key: str) -> pd.DataFrame:
    return wide[np.isfinite(wide[key])] if key in wide else wide.iloc[:0]


def _gain(value: float, median: float) -> float:
    return value / median - 1 if median > 0 else math.nan
