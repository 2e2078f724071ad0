"""A study seen cell by cell: the scores of one method on one data set, or why there are none; and how both are written.

A cell is (data, method, labels, metric). Its values are those of all hyperparameters and seeds, as in the paper.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.study.outcome import Group, Outcome
from factorgrid.study.select import SIX_KEYS
from factorgrid.study.statistics import Summary, summarise

DCI, DCI_LIGHTGBM = "dci.disentanglement", "dci_lightgbm.disentanglement"
NONE = "–"
TITLES = {
    "beta_vae_score": "BetaVAE",
    "factor_vae_score": "FactorVAE",
    "mig": "MIG",
    DCI: "DCI",
    DCI_LIGHTGBM: "DCI (LightGBM)",
    "modularity": "Modularity",
    "sap": "SAP",
    "st_gap_loss": "straight-through gap (loss)",
    "st_gap_elbo": "straight-through gap (ELBO)",
    "udr": "UDR",
    "validation_loss": "validation loss",
}


@dataclass(frozen=True)
class Row:
    """A row of most tables: a method, and how many labels it was trained with."""

    method: str
    labels: int = 0

    @property
    def title(self) -> str:
        return self.method + (f", {self.labels} labels" if self.labels else "")


@dataclass(frozen=True)
class Cell:
    """Scores of a cell.

    Attributes:
        values: the finite ones.
        lost: how many are not finite: members that diverged.
        short: why there is none, in a word or two; "" if there are some.
        reason: the same in full.
    """

    values: Float[ndarray, " model"]
    lost: int = 0
    short: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Cells:
    """All cells of a study, and what its tables consist of."""

    outcome: Outcome

    @cached_property
    def scores(self) -> Mapping[tuple[str, str, int, str], Float[ndarray, " model"]]:
        """Values by (data, method, labels, metric), those that are not finite included."""
        grouped = self.outcome.table.groupby(["data", "method", "labels", "metric"], sort=False)["value"]
        return {
            (str(data), str(method), int(labels), str(metric)): values.to_numpy(np.float64)
            for (data, method, labels, metric), values in grouped
        }

    @cached_property
    def labels_of(self) -> Mapping[str, int]:
        """How many labels each group has; results know it best."""
        scored = self.outcome.table.drop_duplicates("group").set_index("group")["labels"].to_dict()
        return {group.name: int(scored.get(group.name, group.labels)) for group in self.outcome.groups}

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every method with every number of labels, in the study's order."""
        planned = {Row(group.method, self.labels_of[group.name]) for group in self.outcome.groups}
        planned |= {Row(method, labels) for _, method, labels, _ in self.scores}
        order = {method: place for place, method in enumerate(self.outcome.methods)}
        return tuple(sorted(planned, key=lambda row: (row.labels, order.get(row.method, len(order)), row.method)))

    @property
    def unsupervised(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.labels)

    @property
    def supervised(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.labels)

    @cached_property
    def six(self) -> tuple[str, ...]:
        """Keys of the paper's six metrics; DCI by LightGBM where that was scored in more cells than the exact one."""
        cells = [metric for *_, metric in self.scores]
        lightgbm = cells.count(DCI_LIGHTGBM) > cells.count(DCI)
        return tuple(DCI_LIGHTGBM if key == DCI and lightgbm else key for key in SIX_KEYS)

    def cell(self, data: str, row: Row, metric: str) -> Cell:
        """The scores of a cell, or why it is empty."""
        values = self.scores.get((data, row.method, row.labels, metric), np.empty(0))
        finite = values[np.isfinite(values)]
        if len(finite):
            return Cell(finite, len(values) - len(finite))
        short, reason = self.why_empty(data, row, metric, lost=len(values))
        return Cell(finite, len(values), short, reason)

    def why_empty(self, data: str, row: Row, metric: str, *, lost: int = 0) -> tuple[str, str]:
        """In a word or two, and in full."""
        where = f"{row.title} on {data}"
        groups = self.groups(data, row)
        if lost:
            return "diverged", f"{where}: no finite value among {lost} models"
        if not groups:
            return "not planned", f"{where}: not in this study's plan"
        for state in ("failed", "running", "waiting"):
            mine = [group for group in groups if group.state == state]
            if mine and not any(group.state == "done" for group in groups):
                said = next((group.reason for group in mine if group.reason), "")
                return state, f"{where}: {state}" + (f": {said}" if said else "")
        return "not scored", f"{where}: {metric_title(metric)} was not scored"

    def groups(self, data: str, row: Row) -> list[Group]:
        """The groups of a cell."""
        return [
            group
            for group in self.outcome.groups
            if group.data == data and group.method == row.method and self.labels_of[group.name] == row.labels
        ]

    def provenance(self, metric: str) -> dict[str, object]:
        """How a metric was measured: the record of its first value, {} if there is none."""
        mine = self.outcome.table.loc[self.outcome.table["metric"] == metric, "provenance"]
        return dict(json.loads(mine.iloc[0])) if len(mine) else {}


def metric_title(key: str) -> str:
    """As the paper prints it; other keys in words."""
    return TITLES.get(key, key.replace(".", " ").replace("_", " "))


def percent(value: float) -> str:
    """One decimal, as the paper prints; a dash if it is not finite."""
    return f"{100 * value:.1f}" if np.isfinite(value) else NONE


def number(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else NONE


def p_value(p: float) -> str:
    """Two significant digits; below 0.001 only that."""
    if not np.isfinite(p):
        return NONE
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def with_interval(found: Summary) -> str:
    """ "17.4 (15.1 to 19.2) n 50": the median in percent, its bootstrap interval, how many models."""
    interval = "" if found.num < 2 else f" ({percent(found.interval[0])} to {percent(found.interval[1])})"
    return f"{percent(found.median)}{interval} n {found.num}"


def with_quantiles(found: Summary) -> str:
    """ "17.4 [13.2, 20.0] n 50": the median in percent, the 25 % and 75 % quantiles, how many models."""
    quantiles = "" if found.num < 2 else f" [{percent(found.low)}, {percent(found.high)}]"
    return f"{percent(found.median)}{quantiles} n {found.num}"


def summary_of(cell: Cell, *, resamples: int) -> Summary:
    return summarise(cell.values, resamples=resamples)


def written(cell: Cell, write: Callable[[Summary], str], *, resamples: int) -> str:
    """A cell by one of the ways above, or what stands in place of a number."""
    return write(summary_of(cell, resamples=resamples)) if len(cell.values) else empty(cell)


def empty(cell: Cell) -> str:
    """What stands in place of a number."""
    return f"{NONE} {cell.short}"


def setting_text(hyperparameters: str) -> str:
    """Hyperparameters in words, "γ = 10"; "" if there are none."""
    values = json.loads(hyperparameters or "{}")
    greek = {"gamma": "γ", "beta": "β", "omega": "ω", "lambda_od": "λ_od"}
    return ", ".join(f"{greek.get(name, name)} = {value:g}" for name, value in sorted(values.items()))


def counted(num: int, noun: str) -> str:
    """ "1 row", "2 rows"."""
    return f"{num:,} {noun}" + ("" if num == 1 else "s")


def distinct(reasons: Iterable[str]) -> tuple[str, ...]:
    """In order, each once, without blanks."""
    return tuple(dict.fromkeys(reason for reason in reasons if reason))
