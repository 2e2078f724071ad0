"""The paper's claim about the course of training: posteriors become one-hot while the KL rises (Section 3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.stats import spearmanr, wilcoxon

from factorgrid.errors import Error
from factorgrid.method import MAX_PROBABILITY
from factorgrid.papers.friede2023.methods import D_VAE, label, played, title_of
from factorgrid.readable import counted
from factorgrid.report.claims import Finding, Test, Verdict, demoted, judge
from factorgrid.report.curves import UNITS, term_title
from factorgrid.report.model_arrays import Arrays, model_arrays
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.style import COLORS, FAINT, picture
from factorgrid.report.values import Absent, Number
from factorgrid.study.outcomes import Group
from factorgrid.study.statistics import median_interval
from factorgrid.training import Run

ONE_HOT = 0.9  # mean probability of the likeliest category from which we call posteriors one-hot
RISES: Mapping[str, bool] = {"reconstruction": False, "kl": True, MAX_PROBABILITY: True}  # or falls, says the paper


@dataclass(frozen=True)
class Course:
    """Loss terms of all D-VAEs of a data set through training.

    Attributes:
        data: the data set.
        title: of the method.
        steps: where the rows of the histories lie.
        terms: of each member.
        left_out: how many members were trained for another number of steps.
    """

    data: str
    title: str
    steps: Float[ndarray, " row"]
    terms: Mapping[str, Float[ndarray, "member row"]]
    left_out: int = 0

    def certainty(self, row: int) -> float:
        """The median member's mean probability of the likeliest category in a row, in [0, 1]."""
        return float(np.nanmedian(self.terms[MAX_PROBABILITY][:, row]))


def one_hot(cells: Cells) -> Finding | Absent:
    """The reconstruction loss falls, the KL rises and posteriors become one-hot."""
    found = courses(cells)
    if isinstance(found, Absent):
        return found
    tests = [_trend(one, name, several=len(found) > 1) for one in found for name in RISES]
    also = [
        f"On {one.data} the likeliest category has a mean probability of {one.certainty(0):.2f} at the beginning and "
        f"of {one.certainty(-1):.2f} at the end (1: one-hot; all latents count, used or not)."
        + (f" {counted(one.left_out, 'model')} of another number of steps: left out." if one.left_out else "")
        for one in found
    ]
    effect = "rank correlation with the step, median of the models"
    result = judge(tests, effect=effect, test="Wilcoxon's signed-rank test over models", unit="tests", also=also)
    least = min(one.certainty(-1) for one in found)
    if isinstance(result, Finding) and result.verdict is Verdict.SUPPORTED and least < ONE_HOT:
        return demoted(result, f"ever surer, but not one-hot: {least:.2f} at the end")
    return result


def figure(cells: Cells) -> Drawing | Absent:
    """The three terms through training, a column for each data set."""
    found = courses(cells)
    if isinstance(found, Absent):
        return found
    caption = (
        "Each D-VAE (thin) and the median of all (thick). Below: the mean probability of the likeliest category over "
        "images and latents, without noise; 1 is one-hot, and a latent that is not used has little."
    )
    return Drawing(caption, partial(_draw, found))


def courses(cells: Cells) -> list[Course] | Absent:
    """The histories of the D-VAEs, a data set each."""
    row = played(cells, D_VAE)
    if row is None:
        return Absent(f"no {title_of(D_VAE)} in this study's plan")
    found: list[Course] = []
    why = Absent(f"no {title_of(D_VAE)} of this study is done yet")
    for data in cells.outcome.data:
        parts: list[Arrays] = []
        left_out = 0
        for group in (group for group in cells.groups(data, row) if group.state == "done"):
            arrays = model_arrays(cells, group, "course", _history)
            if isinstance(arrays, Absent):
                why = arrays
                continue
            own = {name: arrays[name][_own_rows(cells, group, len(arrays[name]))] for name in RISES}
            if not parts or np.array_equal(arrays["steps"], parts[0]["steps"]):
                parts.append({"steps": arrays["steps"], **own})
            else:
                left_out += len(own[MAX_PROBABILITY])
        if parts:
            terms = {name: np.concatenate([part[name] for part in parts]).astype(np.float64) for name in RISES}
            found.append(Course(data, label(row), parts[0]["steps"].astype(np.float64), terms, left_out))
    return found or why


def _own_rows(cells: Cells, group: Group, num: int) -> ndarray:
    """Which rows of a group's history are of its own members: they are in the order of the members' names."""
    config = cells.outcome.configs.get(group.name)
    names = [] if config is None else sorted(member.name for member in config.members)
    return cells.are_own(group, names) if len(names) == num else np.ones(num, bool)


def _history(run: Run) -> Arrays:
    history = run.history
    if MAX_PROBABILITY not in history:
        raise Error(f"{run.path.name} was trained by a version that did not keep how probable categories are")
    wide = {name: history.pivot(index="member", columns="step", values=name) for name in RISES}
    steps = wide[MAX_PROBABILITY].columns.to_numpy()
    return {"steps": steps, **{name: table.to_numpy(np.float32) for name, table in wide.items()}}


def _trend(course: Course, name: str, *, several: bool) -> Test | Absent:
    where = f"{term_title(name)}, {course.data}" if several else term_title(name)
    rows = [row for row in course.terms[name] if np.isfinite(row).all()]
    if len(rows) < 2 or len(course.steps) < 3:
        return Absent(f"{course.data}: fewer than two models, or three rows of history")
    values = np.nan_to_num([float(spearmanr(course.steps, row).statistic) for row in rows])
    p = float(wilcoxon(values).pvalue) if np.any(values) else 1.0
    middle = float(np.median(values))
    return Test(
        where,
        Number(middle, 2, signed=True, interval=median_interval(values)),
        len(rows),
        p,
        supports=(middle > 0) is RISES[name],
        least_p=2.0 ** (1 - len(rows)),
        beside={
            "at the beginning": Number(float(np.median([row[0] for row in rows])), 2),
            "at the end": Number(float(np.median([row[-1] for row in rows])), 2),
        },
    )


def _draw(found: list[Course], path: Path) -> Path:
    with picture(path, 3.0 * len(found) + 0.8, 1.7 * len(RISES) + 0.6) as canvas:
        axes = canvas.subplots(len(RISES), len(found), squeeze=False, sharex="col")
        for column, course in zip(axes.T, found):
            for axis, name in zip(column, RISES):
                axis.plot(course.steps, course.terms[name].T, color=COLORS[0], linewidth=0.5, alpha=0.4)
                axis.plot(course.steps, np.nanmedian(course.terms[name], axis=0), color=COLORS[0], linewidth=1.8)
                axis.spines[["top", "right"]].set_visible(False)
                axis.set_title(term_title(name), fontsize=8)
                axis.set_ylabel(UNITS.get(name, "nats"), fontsize=8)
            column[0].set_title(f"{course.title} on {course.data}\n{term_title('reconstruction')}", fontsize=8)
            column[-1].set_ylim(0, 1.02)
            column[-1].axhline(1.0, color=FAINT, linewidth=0.7, linestyle=":")
            column[-1].set_xlabel("step")
            column[-1].locator_params(axis="x", nbins=4)
    return path
