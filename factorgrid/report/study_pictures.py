"""Which figures of the paper a study can show, and why not the others: files, captions and reasons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.report.alignment import Alignment, alignments
from factorgrid.report.gumbel_softmax import draw_examples
from factorgrid.report.study_cells import Cells, Row, distinct, metric_title
from factorgrid.report.study_evidence import correlation_frames, lightgbm_note
from factorgrid.report.study_figures import LEAST_VIOLIN, Panel, draw_correlations, draw_grid, draw_panels, draw_wins
from factorgrid.report.study_planes import (
    MethodPlanes,
    draw_best,
    draw_masked,
    draw_method,
    masked_group,
    method_planes,
)
from factorgrid.study.select import cell_scores, wins

PLAIN, FACTOR = ("VAE", "D-VAE"), ("FactorVAE", "FactorDVAE")
RULES = {"median": "median", "validation": "chosen by validation", "gap": "discrete ones chosen by gap"}
CORRELATIONS = {
    "figure-4-left": ("Gap and metrics, D-VAE (Figure 4, left)", "the straight-through gap (negative: a small gap goes "
                      "along with a high score)"),
    "figure-4-right": ("Metrics and sample efficiency, D-VAE (Figure 4, right)", "statistical efficiency: accuracy of "
                       "logistic regression from 100 labels over that from 10,000"),
    "figure-6-left": ("Gap and metrics, D-VAE ∪ FactorDVAE (Figure 6, left)", "the straight-through gap (negative: a "
                      "small gap goes along with a high score)"),
    "figure-9": ("Metrics and sample efficiency by boosted trees, D-VAE (Figure 9)", "statistical efficiency: accuracy "
                 "of gradient-boosted trees from 100 labels over that from 10,000"),
}  # fmt: skip
_SAMPLES = f"Violins for {LEAST_VIOLIN} models or more, points for fewer; line: median; bar: 25 % and 75 % quantiles."


@dataclass(frozen=True)
class Picture:
    """A figure of the report, or why it is not there.

    Attributes:
        name: of its files.
        title: what it is, and which figure of the paper.
        caption: how to read it.
        path: the PNG; None if it could not be drawn.
        reason: why not.
    """

    name: str
    title: str
    caption: str = ""
    path: Path | None = None
    reason: str = ""


def score_pictures(cells: Cells, folder: Path, formats: Sequence[str]) -> list[Picture]:
    """Figures that need scores only: 2, 4, 5, 6, 7, 9, 12 and 13."""
    drawn = [_gumbel(folder, formats), *_correlations(cells, folder, formats, ("figure-4-left", "figure-4-right"))]
    drawn += [_figure_5(cells, folder, formats)]
    drawn += _correlations(cells, folder, formats, ("figure-6-left",))
    drawn += [_figure_6_right(cells, folder, formats), _figure_7(cells, folder, formats)]
    drawn += _correlations(cells, folder, formats, ("figure-9",))
    drawn.append(_figure_12(cells, folder, formats))
    return drawn


def model_pictures(
    cells: Cells, folder: Path, formats: Sequence[str], *, quick: bool
) -> tuple[list[Picture], Mapping[str, Sequence[Alignment]] | None, str]:
    """Figures that need the models: 3, 8, 10 and 11; and how far the latent planes are aligned, or why not known."""
    names = {
        "figure-3": "Latent planes of circles, the best by MIG (Figure 3)",
        "figure-10": "All latent planes of the VAE, sorted by MIG (Figure 10)",
        "figure-11": "All latent planes of the D-VAE, sorted by MIG (Figure 11)",
    }
    found = {method: "left out of a quick report" if quick else _planes(cells, method) for method in PLAIN}
    have = {method: value for method, value in found.items() if isinstance(value, MethodPlanes)}
    why = next((value for value in found.values() if isinstance(value, str)), "")
    pictures = []
    for (name, title), needs in zip(names.items(), (PLAIN, PLAIN[:1], PLAIN[1:])):
        if set(needs) <= set(have):
            rows = [have[method] for method in needs]
            pictures.append(_drawn(name, title, _plane_caption(name), folder, formats, _plane_drawer(name, rows)))
        else:
            reasons = distinct(str(found[method]) for method in needs if method not in have)
            pictures.append(Picture(name, title, reason="; ".join(reasons)))
    masked = Picture("figure-8", _TITLE_8, reason="left out of a quick report") if quick else _figure_8(
        cells, folder, formats)  # fmt: skip
    aligned = {method: alignments(value.shown) for method, value in have.items()} if len(have) == len(PLAIN) else None
    return [pictures[0], masked, *pictures[1:]], aligned, why


_TITLE_8 = "Categories of a masked semi-supervised model (Figure 8)"


def _planes(cells: Cells, method: str) -> MethodPlanes | str:
    try:
        return method_planes(cells, method)
    except Error as error:
        return str(error)


def _plane_caption(name: str) -> str:
    lines = "A lattice of positions, encoded: orange lines of constant x, blue lines of constant y, light to dark. "
    if name == "figure-3":
        return lines + "Left: a continuous position gives finitely many images. Each panel has its own scale."
    return lines + "A grid parallel to the axes is disentangled; slanted lines are a rotation, faint long ones tears."


def _plane_drawer(name: str, rows: Sequence[MethodPlanes]) -> Callable[[Path], object]:
    if name == "figure-3":
        return lambda path: draw_best(rows, path)
    return lambda path: draw_method(rows[0], path)


def _gumbel(folder: Path, formats: Sequence[str]) -> Picture:
    return _drawn(
        "figure-2",
        "Latents of a Gumbel-softmax (Figure 2)",
        "Above: probabilities of ten categories on the grid; below: the density of the latent, sampled here (cut at "
        "4). (b) is (a) with two probabilities swapped: the KL is the same, the latent varies less. An illustration: "
        "no model of this study is in it.",
        folder,
        formats,
        draw_examples,
    )


def _correlations(cells: Cells, folder: Path, formats: Sequence[str], names: Sequence[str]) -> list[Picture]:
    frames, pictures = correlation_frames(cells), []
    for name in names:
        title, what = CORRELATIONS[name]
        if name in frames:
            frame = frames[name]
            columns = [data for data in cells.outcome.data if data in set(frame["data"])]
            caption = (
                f"Spearman's rank correlation of each metric with {what}. Bold: p < 0.05, not corrected; n: models."
                + lightgbm_note(cells)
            )
            draw = _correlation_drawer(frame, cells.six, columns)
            pictures.append(_drawn(name, title, caption, folder, formats, draw))
        else:
            pictures.append(Picture(name, title, reason=_why_no_correlation(cells, name)))
    return pictures


def _correlation_drawer(frame: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> Callable[[Path], object]:
    return lambda path: draw_correlations(frame, rows, columns, path)


def _why_no_correlation(cells: Cells, name: str) -> str:
    if Row("D-VAE") not in cells.rows:
        return "no D-VAE in this study's plan"
    if name == "figure-6-left":
        both = Row("FactorDVAE") in cells.rows
        return "no three models have both scores" if both else "no FactorDVAE in this study's plan"
    if name == "figure-4-left":
        return "no three D-VAEs of a data set have both a gap and another score"
    return "the downstream task was not scored at 100 and 10,000 labels, or for fewer than three D-VAEs"


def _figure_5(cells: Cells, folder: Path, formats: Sequence[str]) -> Picture:
    title = "D-VAE and VAE (Figure 5)"
    rows = tuple(Row(method) for method in PLAIN)
    if not set(rows) <= set(cells.rows):
        return Picture("figure-5", title, reason="the study does not have both VAE and D-VAE")
    data = next((name for name in cells.outcome.data if name.startswith("mpi3d")), cells.outcome.data[0])
    left = Panel(data, {metric_title(key): _percent(cells, data, rows, key) for key in cells.six})
    right = Panel("MIG", {name: _percent(cells, name, rows, "mig") for name in cells.outcome.data})
    instead = "" if data.startswith("mpi3d") else " (the paper shows MPI3D)"
    caption = f"Left: all metrics on {data}{instead}; right: MIG on every data set. {_SAMPLES}{lightgbm_note(cells)}"
    return _drawn("figure-5", title, caption, folder, formats, lambda path: draw_panels([left, right], PLAIN, path))


def _figure_6_right(cells: Cells, folder: Path, formats: Sequence[str]) -> Picture:
    title = "MIG of FactorDVAE and FactorVAE (Figure 6, right)"
    rows = tuple(Row(method) for method in FACTOR)
    if not set(rows) <= set(cells.rows):
        return Picture("figure-6-right", title, reason="the study does not have both FactorVAE and FactorDVAE")
    panel = Panel("MIG", {name: _percent(cells, name, rows, "mig") for name in cells.outcome.data})
    caption = f"All hyperparameters and seeds. {_SAMPLES}"
    return _drawn("figure-6-right", title, caption, folder, formats, lambda path: draw_panels([panel], FACTOR, path))


def _figure_7(cells: Cells, folder: Path, formats: Sequence[str]) -> Picture:
    title = "How often each semi-supervised method is best (Figure 7)"
    if not cells.supervised:
        return Picture("figure-7", title, reason="no semi-supervised methods in this study's plan")
    shares = {labels: win_shares(cells, labels) for labels in dict.fromkeys(row.labels for row in cells.supervised)}
    shares = {labels: frame for labels, frame in shares.items() if frame.notna().any(axis=None)}
    if not shares:
        return Picture("figure-7", title, reason="no data set and metric is scored for all semi-supervised methods")
    caption = (
        "In how many % of all pairs of a data set and one of the six metrics a method is best, by the median of its "
        "models, or by the one model that is chosen by its loss on held-out labels, or (discrete methods) by its gap. "
        "Ties are split. Only pairs that were scored for all methods count."
    )
    return _drawn("figure-7", title, caption, folder, formats, lambda path: draw_wins(shares, path))


def win_shares(cells: Cells, labels: int) -> pd.DataFrame:
    """[method, rule]: in how many % of the data sets times metrics a method is best; NaN where no cell is complete."""
    methods = [row.method for row in cells.supervised if row.labels == labels]
    shares = {}
    for rule, title in RULES.items():
        scores = cell_scores(cells.outcome.table, rule=rule, methods=methods, metrics=cells.six, labels=labels)
        found = wins(scores)
        shares[title] = 100 * found / found.sum() if found.sum() else found * np.nan
    return pd.DataFrame(shares)


def _figure_8(cells: Cells, folder: Path, formats: Sequence[str]) -> Picture:
    group = masked_group(cells)
    if isinstance(group, str):
        return Picture("figure-8", _TITLE_8, reason=group)
    paths = [folder / f"figure-8.{suffix}" for suffix in formats]
    try:
        reason = draw_masked(cells, group, paths)
    except Error as error:
        reason = str(error)
    if reason:
        return Picture("figure-8", _TITLE_8, reason=reason)
    caption = (
        f"{group.method} on {group.data}, {cells.labels_of[group.name]} labels. Above: inputs and their "
        "reconstructions; below, for each supervised factor, the decoded image for every active category; outlined: "
        "the input's own."
    )
    return Picture("figure-8", _TITLE_8, caption, paths[0])


def _figure_12(cells: Cells, folder: Path, formats: Sequence[str]) -> Picture:
    title = "D-VAE and VAE, all data sets and metrics (Figures 12 and 13)"
    rows = tuple(Row(method) for method in PLAIN)
    if not set(rows) <= set(cells.rows):
        return Picture("figure-12-13", title, reason="the study does not have both VAE and D-VAE")
    samples = {(key, data): _percent(cells, data, rows, key) for key in cells.six for data in cells.outcome.data}
    caption = f"Each panel has its own scale, in %. {_SAMPLES}{lightgbm_note(cells)}"
    return _drawn(
        "figure-12-13",
        title,
        caption,
        folder,
        formats,
        lambda path: draw_grid(samples, cells.six, cells.outcome.data, PLAIN, path),
    )


def _percent(cells: Cells, data: str, rows: Sequence[Row], key: str) -> dict[str, Float[ndarray, " model"]]:
    return {row.method: 100 * cells.cell(data, row, key).values for row in rows}


def _drawn(
    name: str, title: str, caption: str, folder: Path, formats: Sequence[str], draw: Callable[[Path], object]
) -> Picture:
    """Draw in every format; an error of the user's becomes the reason why there is no picture."""
    paths = [folder / f"{name}.{suffix}" for suffix in formats]
    try:
        for path in paths:
            draw(path)
    except Error as error:
        return Picture(name, title, reason=str(error))
    return Picture(name, title, caption, paths[0])
