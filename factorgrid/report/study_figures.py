"""How the figures of a study are drawn: samples side by side, heat maps of correlations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy import ndarray

from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.style import COLORS, FAINT, INK, jitter, picture, setting_colors
from factorgrid.study.statistics import ALPHA

LEAST_VIOLIN = 10  # values: a density estimated from fewer is mostly invented
WIDTH = 0.72  # of all samples at a label together
Samples = Mapping[str, Mapping[str, Float[ndarray, " model"]]]


@dataclass(frozen=True)
class Panel:
    """Samples of several methods at every label along x.

    Attributes:
        title: above the panel.
        samples: label -> method -> scores in percent; a method may lack some labels.
    """

    title: str
    samples: Samples


def draw_panels(panels: Sequence[Panel], methods: Sequence[str], path: Path) -> Path:
    """Panels side by side, as wide as they have labels; a colour for each method."""
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
    methods: Sequence[str],
    path: Path,
) -> Path:
    """A small panel for every row (metric) and column (data set); rows share their scale where it is useful.

    Args:
        samples: by (row, column): method -> scores in percent; missing panels say so.
        rows, columns: keys in order.
        methods: a colour for each.
        path: of the picture.
    """
    width = max(1.65, 0.3 * len(methods))
    with picture(path, width * len(columns) + 0.9, 1.3 * len(rows) + 0.7) as figure:
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


def draw_samples(axis: Axes, samples: Samples, methods: Sequence[str]) -> None:
    """Violins of `LEAST_VIOLIN` values or more, points of fewer; medians as lines, quartiles as bars."""
    width = WIDTH / len(methods)
    for place, shown in enumerate(samples.values()):
        for side, (method, color) in enumerate(_colors(methods).items()):
            values = np.asarray(shown.get(method, []), np.float64)
            if len(values):
                _draw_sample(axis, place + (side - (len(methods) - 1) / 2) * (width + 0.06), values, color, width)
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


def percents(
    cells: Cells, data: str, rows: Sequence[Row], key: str, *, scale: float = 100.0
) -> dict[str, Float[ndarray, " model"]]:
    """Samples of some methods by their titles, in percent."""
    return {row.title: scale * cells.sample(data, row, key).values for row in rows}


def _draw_sample(axis: Axes, x: float, values: Float[ndarray, " model"], color: Any, width: float) -> None:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    if len(values) >= LEAST_VIOLIN and np.ptp(values) > 1e-6:
        for body in axis.violinplot(values, [x], widths=width, showextrema=False)["bodies"]:  # type: ignore[attr-defined]
            body.set(facecolor=color, edgecolor="none", alpha=0.55)
        axis.vlines(x, low, high, color=INK, linewidth=2.2)
    else:
        axis.scatter(x + jitter(len(values), width * 0.6), values, s=14, color=color, linewidths=0, alpha=0.85)
    axis.hlines(median, x - width / 2.6, x + width / 2.6, color=INK, linewidth=1.6, zorder=3)


def _write_correlation(axis: Axes, row: int, column: int, rho: float, p: float) -> None:
    if not np.isfinite(rho):
        axis.text(column, row, "–", ha="center", va="center", color=FAINT)
        return
    color = "white" if abs(rho) > 0.65 else INK
    weight = "bold" if p < ALPHA else "normal"
    axis.text(column, row, f"{rho:.2f}", ha="center", va="center", color=color, fontsize=8.5, fontweight=weight)


def _legend(figure: Figure, methods: Sequence[str], panels: Sequence[Panel]) -> None:
    """Colours of the methods that have a sample."""
    drawn = {name for panel in panels for shown in panel.samples.values() for name, v in shown.items() if len(v)}
    handles = [Patch(color=color, alpha=0.75, label=name) for name, color in _colors(methods).items() if name in drawn]
    if handles:
        figure.legend(handles=handles, loc="outside upper right", ncols=min(4, len(handles)))


def _colors(methods: Sequence[str]) -> dict[str, Any]:
    """Of two methods the first is orange, the second blue, as in the paper."""
    return dict(zip(methods, COLORS[1::-1])) if len(methods) == 2 else setting_colors(list(methods))


def _broken(name: str) -> str:
    """A data set's name on two lines where it is long."""
    return name.replace("_twin", "\n_twin")
