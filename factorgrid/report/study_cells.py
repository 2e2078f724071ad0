"""A study seen cell by cell: the scores of one method on one data set, or why there are none.

A cell is (data, row, metric); a row is a method with its number of labels. Its values are those of all
hyperparameters and seeds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from factorgrid.metrics import METRICS
from factorgrid.metrics.hard import hard, soft
from factorgrid.report.values import NOTHING, Absent, Cell, Number, distinct
from factorgrid.study.outcomes import Group, Kind, Outcome
from factorgrid.study.statistics import RESAMPLES, Summary, summarise

TITLES = {
    "beta_vae_score": "BetaVAE",
    "factor_vae_score": "FactorVAE",
    "mig": "MIG",
    "dci.disentanglement": "DCI",
    "dci_lightgbm.disentanglement": "DCI (LightGBM)",
    "modularity": "Modularity",
    "sap": "SAP",
    "infomec.modularity": "InfoM",
    "infomec.explicitness": "InfoE",
    "infomec.compactness": "InfoC",
    "code_usage.perplexity": "code usage (perplexity)",
    "code_usage.active_categories": "categories in use",
    "st_gap_loss": "straight-through gap (loss)",
    "st_gap_elbo": "straight-through gap (ELBO)",
    "st_gap_relative": "straight-through gap (share of the loss)",
    "posterior_entropy": "posterior entropy (nats)",
    "elbo": "ELBO (nats)",
    "udr": "UDR",
    "fos": "FoS",
    "gaussian_total_correlation": "Gaussian total correlation",
    "wasserstein_correlation": "Wasserstein correlation",
    "wasserstein_correlation.normalised": "Wasserstein correlation, normalised",
    "mutual_information_score": "mutual information of latents",
    "downstream_lr.accuracy_100": "accuracy from 100 labels, LR",
    "downstream_gbt.accuracy_100": "accuracy from 100 labels, GBT",
    "psnr": "PSNR (dB)",
    "psnr_hard": "PSNR of categories (dB)",
    "ssim": "SSIM",
    "ssim_hard": "SSIM of categories",
    "validation_loss": "validation loss",
}
NOT_PLANNED = "not planned"


@dataclass(frozen=True)
class Row:
    """A row of most tables: a method of the study, by its own title, and what it is."""

    method: str
    kind: Kind

    @property
    def title(self) -> str:
        return self.method + (f", {self.kind.labels} labels" if self.kind.labels else "")


@dataclass(frozen=True)
class Sample:
    """Scores of a cell.

    Attributes:
        values: the finite ones.
        lost: how many are not finite: members that diverged.
        absent: why there is none, if there is none.
    """

    values: Float[ndarray, " model"]
    lost: int = 0
    absent: Absent = NOTHING


@dataclass(frozen=True)
class Cells:
    """All cells of a study.

    Attributes:
        outcome: the study.
        resamples: of every bootstrap.
        with_models: whether figures may ask trained models, or what was saved of them.
    """

    outcome: Outcome
    resamples: int = RESAMPLES
    with_models: bool = True

    @cached_property
    def scores(self) -> Mapping[tuple[str, str, int, str], Float[ndarray, " model"]]:
        """Values by (data, method, labels, metric), those that are not finite included."""
        grouped = self.outcome.table.groupby(["data", "method", "labels", "metric"], sort=False)["value"]
        return {
            (str(data), str(method), int(labels), str(metric)): values.to_numpy(np.float64)
            for (data, method, labels, metric), values in grouped
        }

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every method with every number of labels, in the study's order."""
        planned = dict.fromkeys(Row(group.method, group.kind) for group in self.outcome.groups)
        order = {method: place for place, method in enumerate(self.outcome.methods)}
        return tuple(sorted(planned, key=lambda row: (row.kind.labels, order.get(row.method, len(order)), row.method)))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What was scored, in the library's order: the first value of every metric, then all of the selectors.

        A metric of hard codes stands behind that of soft ones.
        """
        scored = {metric for *_, metric in self.scores}
        keys = [[name(key) for key in metric.keys] for metric in METRICS.values() for name in (str, hard)]
        first, others = [one[0] for one in keys], {key for one in keys for key in one[1:]}
        rest = [key for key in dict.fromkeys(self.outcome.table["metric"]) if key not in (*first, *others)]
        return tuple(key for key in dict.fromkeys([*first, *rest]) if key in scored)

    def models(self, rows: Sequence[Row]) -> pd.DataFrame:
        """The part of the table that belongs to some rows: a pool of models that compete."""
        table = self.outcome.table
        keep = np.zeros(len(table), bool)
        for row in rows:
            keep |= ((table["method"] == row.method) & (table["labels"] == row.kind.labels)).to_numpy(bool)
        return table[keep]

    def sample(self, data: str, row: Row, metric: str) -> Sample:
        """The scores of a cell, or why it is empty."""
        values = self.scores.get((data, row.method, row.kind.labels, metric), np.empty(0))
        finite = values[np.isfinite(values)]
        if len(finite):
            return Sample(finite, len(values) - len(finite))
        return Sample(finite, len(values), self.why_empty(data, row, metric, lost=len(values)))

    def why_empty(self, data: str, row: Row, metric: str, *, lost: int = 0) -> Absent:
        where = f"{row.title} on {data}"
        groups = self.groups(data, row)
        if lost:
            return Absent(f"{where}: no finite value among {lost} models", "diverged")
        if not groups:
            return Absent(f"{where}: not in this study's plan", NOT_PLANNED)
        for state in ("failed", "running", "waiting"):
            mine = [group for group in groups if group.state == state]
            if mine and not any(group.state == "done" for group in groups):
                said = next((group.reason for group in mine if group.reason), "")
                return Absent(f"{where}: {state}" + (f": {said}" if said else ""), state)
        return Absent(f"{where}: {metric_title(metric)} was not scored", "not scored")

    def are_own(self, group: Group, members: Sequence[str]) -> Bool[ndarray, " member"]:
        """Which members of a group count as its own: of merged studies, a model that two have is that of the first."""
        table = self.outcome.table
        return np.isin(members, table.loc[table["group"] == group.name, "member"].unique())

    def groups(self, data: str, row: Row) -> list[Group]:
        """The groups of a cell."""
        return [group for group in self.outcome.groups if group.cell == (data, row.method, row.kind.labels)]

    def notes(self, data: str, row: Row, sample: Sample) -> list[str]:
        """Why a cell is empty, unless it was never planned; and what is missing in one that is not empty."""
        if not len(sample.values):
            return [] if sample.absent.short == NOT_PLANNED else [sample.absent.reason]
        notes = [f"{row.title} on {data}: {sample.lost} more without a finite value"] if sample.lost else []
        waiting = [group for group in self.groups(data, row) if group.state != "done"]
        if waiting:
            states = ", ".join(distinct(group.state for group in waiting))
            num = sum(group.members for group in waiting)
            notes.append(f"{row.title} on {data}: {num} more models planned ({states})")
        return notes

    def summary(self, sample: Sample) -> Summary:
        return summarise(sample.values, resamples=self.resamples)

    def median(self, sample: Sample, *, quantiles: bool = False, scale: float = 100.0, digits: int = 1) -> Cell:
        """The median of a cell with its bootstrap interval, or with its quantiles, and n; in percent by default."""
        if not len(sample.values):
            return sample.absent
        found = self.summary(sample)
        pair = (found.low, found.high) if quantiles else found.interval
        beside = None if found.num < 2 else (scale * pair[0], scale * pair[1])
        value = scale * found.median
        if quantiles:
            return Number(value, digits, quantiles=beside, num=found.num)
        return Number(value, digits, interval=beside, num=found.num)

    def provenance(self, metric: str) -> dict[str, object]:
        """How a metric was measured: the record of its first value, {} if there is none."""
        mine = self.outcome.table.loc[self.outcome.table["metric"] == metric, "provenance"]
        return dict(json.loads(mine.iloc[0])) if len(mine) else {}


def metric_title(key: str) -> str:
    """As people print it; unknown keys in words."""
    if key not in TITLES and soft(key) != key:
        return f"{metric_title(soft(key))} of hard codes"
    return TITLES.get(key, key.replace(".", " ").replace("_", " "))


def setting_title(hyperparameters: str) -> str:
    """Hyperparameters in words, "γ = 10"; "" if there are none."""
    values = json.loads(hyperparameters or "{}")
    greek = {"gamma": "γ", "beta": "β", "omega": "ω", "lambda_od": "λ_od"}
    return ", ".join(f"{greek.get(name, name)} = {value:g}" for name, value in sorted(values.items()))
