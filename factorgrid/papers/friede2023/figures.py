"""The paper's figures that need scores only: 2, 4, 5, 6, 7, 9, 12 and 13."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from numpy import ndarray

from factorgrid.papers.friede2023.evidence import CORRELATED, correlated, correlation_table
from factorgrid.papers.friede2023.gumbel_softmax import draw_examples
from factorgrid.papers.friede2023.methods import (
    D_VAE,
    FACTOR_D_VAE,
    FACTOR_VAE,
    VAE,
    lightgbm_note,
    played,
    six,
    supervised,
    title_of,
)
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.study_figures import (
    LEAST_VIOLIN,
    Panel,
    draw_correlations,
    draw_grid,
    draw_panels,
    percents,
)
from factorgrid.report.style import COLORS, INK, picture
from factorgrid.report.values import Absent
from factorgrid.study.outcomes import Kind
from factorgrid.study.select import Rule, cell_scores, wins

RULES: Mapping[Rule, str] = {
    "median": "median",
    "validation": "chosen by validation",
    "gap": "discrete ones chosen by gap",
}
SAMPLES = f"Violins for {LEAST_VIOLIN} models or more, points for fewer; line: median; bar: 25 % and 75 % quantiles."


def figure_2(cells: Cells) -> Drawing | Absent:
    """An illustration: the same in every report."""
    caption = (
        "Above: probabilities of ten categories on the grid; below: the density of the latent, sampled here (cut at "
        "4). (b) is (a) with two probabilities swapped: the KL is the same, the latent varies less. An illustration: "
        "no model of this study is in it."
    )
    return Drawing(caption, draw_examples)


def figure_of_correlations(cells: Cells, name: str) -> Drawing | Absent:
    """Figures 4, 6 (left) and 9: a heat map, and its numbers."""
    found = correlated(cells, name)
    if isinstance(found, Absent):
        return found
    columns = [data for data in cells.outcome.data if data in set(found["data"])]
    caption = (
        f"Spearman's rank correlation of each metric with {CORRELATED[name].words}. Bold: p < 0.05, not corrected; n: "
        "models." + lightgbm_note(cells)
    )
    draw = partial(draw_correlations, found, six(cells), columns)
    return Drawing(caption, draw, correlation_table(cells, name, found))


def figure_5(cells: Cells) -> Drawing | Absent:
    """Left: all metrics on MPI3D; right: MIG on every data set."""
    rows = _pair(cells, VAE, D_VAE)
    if isinstance(rows, Absent):
        return rows
    data = next((name for name in cells.outcome.data if name.startswith("mpi3d")), cells.outcome.data[0])
    left = Panel(data, {metric_title(key): percents(cells, data, rows, key) for key in six(cells)})
    right = Panel("MIG", {name: percents(cells, name, rows, "mig") for name in cells.outcome.data})
    instead = "" if data.startswith("mpi3d") else " (the paper shows MPI3D)"
    caption = f"Left: all metrics on {data}{instead}; right: MIG on every data set. {SAMPLES}{lightgbm_note(cells)}"
    return Drawing(caption, partial(draw_panels, [left, right], _names(rows)))


def figure_6_right(cells: Cells) -> Drawing | Absent:
    """MIG of FactorVAE and FactorDVAE."""
    rows = _pair(cells, FACTOR_VAE, FACTOR_D_VAE)
    if isinstance(rows, Absent):
        return rows
    panel = Panel("MIG", {name: percents(cells, name, rows, "mig") for name in cells.outcome.data})
    return Drawing(f"All hyperparameters and seeds. {SAMPLES}", partial(draw_panels, [panel], _names(rows)))


def figure_7(cells: Cells) -> Drawing | Absent:
    """How often each semi-supervised method is best."""
    if not supervised(cells):
        return Absent("no semi-supervised methods in this study's plan")
    shares = {labels: win_shares(cells, labels) for labels in dict.fromkeys(r.kind.labels for r in supervised(cells))}
    shares = {labels: frame for labels, frame in shares.items() if frame.notna().any(axis=None)}
    if not shares:
        return Absent("no data set and metric is scored for all semi-supervised methods")
    caption = (
        "In how many % of all pairs of a data set and one of the six metrics a method is best, by the median of its "
        "models, or by the one model that is chosen by its loss on held-out labels, or (discrete methods) by its gap. "
        "Ties are split. Only pairs that were scored for all methods count."
    )
    return Drawing(caption, partial(draw_wins, shares))


def figure_12(cells: Cells) -> Drawing | Absent:
    """D-VAE and VAE on all data sets, by all metrics."""
    rows = _pair(cells, VAE, D_VAE)
    if isinstance(rows, Absent):
        return rows
    samples = {(key, data): percents(cells, data, rows, key) for key in six(cells) for data in cells.outcome.data}
    caption = f"Each panel has its own scale, in %. {SAMPLES}{lightgbm_note(cells)}"
    return Drawing(caption, partial(draw_grid, samples, six(cells), cells.outcome.data, _names(rows)))


def win_shares(cells: Cells, labels: int) -> pd.DataFrame:
    """[method, rule]: in how many % of the data sets times metrics a method is best; NaN where no cell is complete."""
    rows = [row for row in supervised(cells) if row.kind.labels == labels]
    pools = {row: cells.models([row]) for row in rows}
    shares = {}
    for rule, title in RULES.items():
        found = wins(cell_scores(pools, rule=rule, metrics=six(cells)))
        shares[title] = 100 * found / found.sum() if found.sum() else found * np.nan
    frame = pd.DataFrame(shares)
    frame.index = pd.Index([row.method for row in rows])
    return frame


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


def _draw_bars(axis: Axes, frame: pd.DataFrame) -> None:
    rules = list(frame.columns)
    thickness = 0.8 / len(rules)
    places = np.arange(len(frame))[::-1]
    for index, rule in enumerate(rules):
        offset = (len(rules) / 2 - index - 0.5) * thickness
        values: Float[ndarray, " method"] = frame[rule].to_numpy(np.float64)
        axis.barh(places + offset, np.nan_to_num(values), thickness * 0.9, color=COLORS[index], label=rule)
        for place, value in zip(places, values):
            if np.isfinite(value):
                axis.text(value + 0.6, place + offset, f"{value:.0f}", va="center", fontsize=7, color=INK)
    axis.set_yticks(places, list(frame.index))
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right"]].set_visible(False)


def _pair(cells: Cells, first: Kind, second: Kind) -> tuple[Row, Row] | Absent:
    one, other = played(cells, first), played(cells, second)
    if one is None or other is None:
        return Absent(f"the study does not have both {title_of(first)} and {title_of(second)}")
    return one, other


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(row.title for row in rows)
