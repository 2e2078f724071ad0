"""Scores along the values of a hyperparameter: the curve of a sweep, and its table."""

import itertools
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from factorgrid.evaluation import directions
from factorgrid.report.captions import setting
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.style import jitter, picture, setting_colors
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent
from factorgrid.training import Run

MOST_METRICS = 8
LONGEST_LINE = 26  # of a panel's title
DASHES = ("-o", "--s", ":^", "-.D")  # line and marker of a data set
Points = Mapping[float, Float[ndarray, " model"]]


@dataclass(frozen=True)
class Sweep:
    """A method whose models differ in one hyperparameter, or in several of which one is shown.

    Attributes:
        method: its title.
        data: on which data set.
        name: of the hyperparameter.
        scores: metric -> value of the hyperparameter -> scores as measured; all values of the others together.
    """

    method: str
    data: str
    name: str
    scores: Mapping[str, Points]


def sweeps(cells: Cells) -> list[Sweep]:
    """Every method, data set and hyperparameter with two values or more."""
    found = []
    for row in cells.rows:
        table = cells.models([row])
        table = table[np.isfinite(table["value"])]
        values = pd.DataFrame([json.loads(text or "{}") for text in table["hyperparameters"]], index=table.index)
        for name in values.columns:
            if values[name].nunique() < 2:
                continue
            for data, part in table.groupby("data", sort=False):
                found.append(Sweep(row.title, str(data), str(name), _points(part, values[name])))
    return found


def sweep_curves(cells: Cells) -> Drawing | Absent:
    """The curves of all sweeps: a panel for each score and hyperparameter, a line for each method and data set."""
    found = sweeps(cells)
    if not found:
        return Absent("no method has several values of a hyperparameter")
    metrics = [key for key in cells.metrics if any(key in sweep.scores for sweep in found)][:MOST_METRICS]
    caption = (
        "Median over seeds at every value (and over the values of other hyperparameters, if there are any), with the "
        "25 % and 75 % quantiles; points: models. Shares in %. Its numbers: the table of scores by hyperparameters."
    )
    told = "mig" if "mig" in metrics else metrics[0]
    alt = "; ".join(_in_words(sweep, told) for sweep in found[:6])
    return Drawing(caption, partial(draw_sweeps, found, metrics), alt=alt)


def learning_curves(cells: Cells) -> Drawing | Absent:
    """Scores along the steps of training, of studies that measure on the way: a line for each method and data set."""
    if cells.outcome.curve.empty:
        return Absent("nothing was scored on the way (snapshot_every of a study)")
    everything = pd.concat([cells.outcome.curve, cells.outcome.table], ignore_index=True)
    everything = everything[np.isfinite(everything["value"])]
    found = [
        Sweep(f"{method}, {labels} labels" if labels else str(method), str(data), "step", _points(part, part["steps"]))
        for (data, method, labels), part in everything.groupby(["data", "method", "labels"], sort=False)
        if part["steps"].nunique() > 1
    ]
    metrics = [key for key in cells.metrics if any(key in sweep.scores for sweep in found)][:MOST_METRICS]
    if not metrics:
        return Absent("no score is finite both on the way and at the end")
    told = "mig" if "mig" in metrics else metrics[0]
    caption = (
        "Scores measured on the way: medians over seeds (and over hyperparameters, if there are any) after so many "
        "steps, with the 25 % and 75 % quantiles; points: models. Shares in %."
    )
    return Drawing(
        caption, partial(draw_sweeps, found, metrics), alt="; ".join(_in_words(sweep, told) for sweep in found[:6])
    )


def draw_learning_curve(run: Run, scores: pd.DataFrame, path: Path) -> Path:
    """Scores along the steps of training, as `evaluation.learning_curve` gives them; a line for each setting."""
    metrics = [name for name in directions() if name in scores.columns]
    tidy = scores.melt(["member", "step"], metrics, "metric").dropna(subset="value")
    settings = tidy["member"].map({member.name: setting(member) for member in run.members})
    found = [
        Sweep(text or run.config.method.title, run.config.data, "step", _points(part, part["step"]))
        for text, part in tidy.groupby(settings, sort=False)
    ]
    return draw_sweeps(found, metrics[:MOST_METRICS], path)


def draw_sweeps(found: Sequence[Sweep], metrics: Sequence[str], path: Path) -> Path:
    """A row of panels for each hyperparameter, a column for each metric; colours are methods, dashes data sets."""
    names = list(dict.fromkeys(sweep.name for sweep in found))
    with picture(path, 2.5 * len(metrics) + 0.6, 2.2 * len(names) + 0.6) as figure:
        axes = figure.subplots(len(names), len(metrics), squeeze=False)
        colors = setting_colors(list(dict.fromkeys(sweep.method for sweep in found)))
        dashes = dict(zip(dict.fromkeys(sweep.data for sweep in found), itertools.cycle(DASHES)))
        for r, name in enumerate(names):
            for c, metric in enumerate(metrics):
                axis, scale = axes[r, c], 100.0 if in_percent(metric) else 1.0
                for sweep in found:
                    if sweep.name != name or metric not in sweep.scores:
                        continue
                    points = sweep.scores[metric]
                    x = np.array(sorted(points))
                    quantiles = [np.quantile(points[value], [0.25, 0.5, 0.75]) for value in x]
                    low, middle, high = scale * np.array(quantiles).T
                    color, line = colors[sweep.method], f"{sweep.method} on {sweep.data}"
                    axis.plot(x, middle, dashes[sweep.data], color=color, markersize=3.5, label=line)
                    axis.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
                    for value in x:
                        values = scale * points[value]
                        spread = jitter(len(values), 0.02 * float(np.ptp(x)))
                        axis.plot(value + spread, values, ".", color=color, markersize=3, alpha=0.4)
                axis.set_xlabel(name)
                title = metric_title(metric) + (" in %" if in_percent(metric) else "")
                axis.set_title("\n".join(textwrap.wrap(title, LONGEST_LINE)))
                axis.spines[["top", "right"]].set_visible(False)
        named: dict[str, Any] = {}  # a method may be in some panels only
        for axis in axes.flat:
            handles, labels = axis.get_legend_handles_labels()
            named |= dict(zip(labels, handles))
        if named:
            figure.legend(list(named.values()), list(named), loc="outside lower left", ncols=2)
    return path


def _points(part: pd.DataFrame, values: pd.Series) -> dict[str, Points]:
    scores: dict[str, Points] = {}
    for metric, table in part.groupby("metric", sort=False):
        setting = values.loc[table.index]
        scores[str(metric)] = {
            float(one): table.loc[setting == one, "value"].to_numpy(np.float64) for one in sorted(setting.unique())
        }
    return scores


def _in_words(sweep: Sweep, metric: str) -> str:
    points = sweep.scores.get(metric, {})
    scale = 100.0 if in_percent(metric) else 1.0
    numbers = ", ".join(f"{value:g}: {scale * np.median(scores):.3g}" for value, scores in points.items())
    return f"{metric_title(metric)} of {sweep.method} on {sweep.data} by {sweep.name}: {numbers or 'none'}"


def several(cells: Cells, row: Row) -> int:
    """How many settings the models of a method have."""
    return int(cells.models([row])["hyperparameters"].nunique())
