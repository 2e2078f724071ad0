"""How the figures of a study are drawn: samples side by side, heat maps of correlations, shares of wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy import ndarray

from factorgrid.report.study_cells import metric_title
from factorgrid.report.style import COLORS, FAINT, INK, jitter, picture
from factorgrid.study.statistics import ALPHA

GAUSSIAN_COLOR, DISCRETE_COLOR = COLORS[1], COLORS[0]
LEAST_VIOLIN = 10  # values: a density estimated from fewer is mostly invented
WIDTH = 0.36  # of a sample; two stand beside each other at every label
Samples = Mapping[str, Mapping[str, Float[ndarray, " model"]]]


@dataclass(frozen=True)
class Panel:
    """Samples of two methods at every label along x.

    Attributes:
        title: above the panel.
        samples: label -> method -> scores in percent; a method may lack some labels.
    """

    title: str
    samples: Samples


def draw_panels(panels: Sequence[Panel], methods: tuple[str, str], path: Path) -> Path:
    """Panels side by side, as wide as they have labels: the first method in orange, the second in blue."""
    widths = [max(1.5, float(len(panel.samples))) for panel in panels]
    # never so narrow that a title does not fit
    with picture(path, max(4.2 * len(panels), 0.95 * sum(widths) + 0.8 * len(panels)), 3.3) as figure:
        axes = figure.subplots(1, len(panels), squeeze=False, width_ratios=widths)[0]
        for axis, panel in zip(axes, panels):
            draw_samples(axis, panel.samples, methods)
            axis.set_title(panel.title)
        axes[0].set_ylabel("score in %")
        _legend(figure, methods, panels)
    return path


def draw_grid(
    samples: Mapping[tuple[str, str], Mapping[str, Float[ndarray, " model"]]],
    rows: Sequence[str],
    columns: Sequence[str],
    methods: tuple[str, str],
    path: Path,
) -> Path:
    """A small panel for every row (metric) and column (data set); rows share their scale where it is useful.

    Args:
        samples: by (row, column): method -> scores in percent; missing panels say so.
        rows, columns: keys in order.
        methods: the first in orange, the second in blue.
        path: of the picture.
    """
    with picture(path, 1.65 * len(columns) + 0.9, 1.3 * len(rows) + 0.7) as figure:
        axes = figure.subplots(len(rows), len(columns), squeeze=False)
        for r, row in enumerate(rows):
            for c, column in enumerate(columns):
                axis = axes[r, c]
                shown = samples.get((row, column), {})
                draw_samples(axis, {"": shown}, methods)
                if not any(len(values) for values in shown.values()):
                    axis.set(yticks=[])
                    axis.text(0.5, 0.5, "no scores", transform=axis.transAxes, ha="center", color=FAINT, fontsize=8)
                axis.set_xticks([])
                axis.margins(y=0.14)
                axis.locator_params(axis="y", nbins=4)
                if r == 0:
                    axis.set_title(_broken(column), fontsize=8.5)
                if c == 0:
                    axis.set_ylabel(metric_title(row))
        _legend(figure, methods, [Panel("", {"": shown}) for shown in samples.values()])
    return path


def draw_samples(axis: Axes, samples: Samples, methods: tuple[str, str]) -> None:
    """Violins of `LEAST_VIOLIN` values or more, points of fewer; medians as lines, quartiles as bars."""
    for place, shown in enumerate(samples.values()):
        for side, (method, color) in enumerate(zip(methods, (GAUSSIAN_COLOR, DISCRETE_COLOR))):
            values = np.asarray(shown.get(method, []), np.float64)
            if len(values):
                _draw_sample(axis, place + (side - 0.5) * (WIDTH + 0.06), values, color)
    axis.set_xticks(range(len(samples)), [_broken(label) for label in samples])
    axis.set_xlim(-0.6, len(samples) - 0.4)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", length=0)


def draw_correlations(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str], path: Path) -> Path:
    """A heat map of rank correlations: metrics down, data sets across; bold where p is below 0.05.

    Args:
        frame: of `factorgrid.study.select.correlations`.
        rows: metrics in order.
        columns: data sets in order.
        path: of the picture.
    """
    values = np.full((len(rows), len(columns)), np.nan)
    p = np.full_like(values, np.nan)
    num = np.zeros(values.shape, int)
    for row in frame.itertuples():
        if row.metric in rows and row.data in columns:
            place = list(rows).index(row.metric), list(columns).index(row.data)
            values[place], p[place], num[place] = row.rho, row.p, row.num
    with picture(path, 0.95 * len(columns) + 2.2, 0.42 * len(rows) + 1.2) as figure:
        axis = figure.subplots()
        image = axis.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
        for r, c in np.ndindex(values.shape):
            _write_correlation(axis, r, c, float(values[r, c]), float(p[r, c]))
        most = num.max(axis=0)
        axis.set_xticks(range(len(columns)), [f"{_broken(name)}\nn {n}" for name, n in zip(columns, most)])
        axis.set_yticks(range(len(rows)), [metric_title(name) for name in rows])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axis, shrink=0.9, ticks=[-1, -0.5, 0, 0.5, 1])
        bar.outline.set_visible(False)
        bar.set_label("rank correlation")
    return path


def draw_wins(shares: Mapping[int, pd.DataFrame], path: Path) -> Path:
    """Bars of how often each method is best: a panel for each number of labels, a colour for each rule.

    Args:
        shares: labels -> [method, rule], in percent; NaN for a rule that does not apply.
        path: of the picture.
    """
    height = max(len(frame) for frame in shares.values())
    with picture(path, 4.4 * len(shares) + 0.6, 0.46 * height + 1.2) as figure:
        axes = figure.subplots(1, len(shares), squeeze=False, sharex=True)[0]
        for axis, (labels, frame) in zip(axes, shares.items()):
            _draw_bars(axis, frame)
            axis.set_title(f"{labels} labels")
            axis.set_xlabel("best in % of data sets × metrics")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return path


def _draw_sample(axis: Axes, x: float, values: Float[ndarray, " model"], color: str) -> None:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    if len(values) >= LEAST_VIOLIN and np.ptp(values) > 1e-6:
        for body in axis.violinplot(values, [x], widths=WIDTH, showextrema=False)["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=color, edgecolor="none", alpha=0.55)
        axis.vlines(x, low, high, color=INK, linewidth=2.2)
    else:
        axis.scatter(x + jitter(len(values), WIDTH * 0.6), values, s=14, color=color, linewidths=0, alpha=0.85)
    axis.hlines(median, x - WIDTH / 2.6, x + WIDTH / 2.6, color=INK, linewidth=1.6, zorder=3)


def _draw_bars(axis: Axes, frame: pd.DataFrame) -> None:
    rules = list(frame.columns)
    thickness = 0.8 / len(rules)
    places = np.arange(len(frame))[::-1]
    for index, rule in enumerate(rules):
        offset = (len(rules) / 2 - index - 0.5) * thickness
        values = frame[rule].to_numpy(np.float64)
        axis.barh(places + offset, np.nan_to_num(values), thickness * 0.9, color=COLORS[index], label=rule)
        for place, value in zip(places, values):
            if np.isfinite(value):
                axis.text(value + 0.6, place + offset, f"{value:.0f}", va="center", fontsize=7, color=INK)
    axis.set_yticks(places, list(frame.index))
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right"]].set_visible(False)


def _write_correlation(axis: Axes, row: int, column: int, rho: float, p: float) -> None:
    if not np.isfinite(rho):
        axis.text(column, row, "–", ha="center", va="center", color=FAINT)
        return
    color = "white" if abs(rho) > 0.65 else INK
    weight = "bold" if p < ALPHA else "normal"
    axis.text(column, row, f"{rho:.2f}", ha="center", va="center", color=color, fontsize=8.5, fontweight=weight)


def _legend(figure: Figure, methods: tuple[str, str], panels: Sequence[Panel]) -> None:
    """Colours of the methods that have a sample."""
    drawn = {name for panel in panels for shown in panel.samples.values() for name, v in shown.items() if len(v)}
    colors = zip(methods, (GAUSSIAN_COLOR, DISCRETE_COLOR))
    handles = [Patch(color=color, alpha=0.75, label=name) for name, color in colors if name in drawn]
    if handles:
        figure.legend(handles=handles, loc="outside upper right", ncols=2)


def _broken(name: str) -> str:
    """A data set's name on two lines where it is long."""
    return name.replace("_twin", "\n_twin")
