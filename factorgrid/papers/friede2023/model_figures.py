"""Figures that show models: latent planes of Circles (3, 10 and 11) and the categories of a masked model (8).

All of them are drawn from small arrays (see `factorgrid.report.model_arrays`).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from factorgrid import datasets
from factorgrid.datasets.rendered.circles import Circles
from factorgrid.errors import Error
from factorgrid.papers.friede2023.methods import D_VAE, VAE, label, played, title_of
from factorgrid.report.captions import choose_members, member_title
from factorgrid.report.draw_traversals import draw_categories
from factorgrid.report.model_arrays import Arrays, model_arrays, small
from factorgrid.report.paper import Drawing
from factorgrid.report.plane_rows import draw_comparison
from factorgrid.report.planes import Plane, draw_planes, planes
from factorgrid.report.study_cells import Cells
from factorgrid.report.traversals import USE_IMAGES, Reconstructions, TraversalRow, latent_traversals, reconstructions
from factorgrid.report.values import Absent
from factorgrid.study.outcomes import Group, Kind
from factorgrid.training import Run

CIRCLES = "circles"
NUM_INPUTS = 4  # of Figure 8, as in the paper
PLACES = (1, 5, 10)  # of Figure 3, as in the paper
LINES = "A lattice of positions, encoded: orange lines of constant x, blue lines of constant y, light to dark. "


@dataclass(frozen=True)
class MethodPlanes:
    """The planes of all members of a method, over all its groups.

    Attributes:
        title: of the method.
        steps: of training.
        dataset: the circles.
        shown: the highest MIG first.
    """

    title: str
    steps: int
    dataset: Circles
    shown: tuple[Plane, ...]


def method_planes(cells: Cells, kind: Kind) -> MethodPlanes | Absent:
    """All planes of an unsupervised method on circles."""
    row = played(cells, kind)
    groups = [] if row is None else cells.groups(CIRCLES, row)
    if row is None or not groups:
        return Absent(f"{title_of(kind)} on circles is not in this study's plan")
    done = [group for group in groups if group.state == "done"]
    if not done:
        return cells.why_empty(CIRCLES, row, "mig")
    found: list[Plane] = []
    steps, circles = 0, Circles()
    for group in done:
        arrays = model_arrays(cells, group, "planes", _codes)
        if isinstance(arrays, Absent):
            return arrays
        steps, circles = int(arrays["steps"]), _circles(json.loads(str(arrays["data_options"])))
        scores = _scores(cells, group)
        members = arrays["members"].tolist()
        codes = zip(members, arrays["codes"].astype(np.float32), cells.are_own(group, members))
        found += [Plane(member, scores.get(member), code) for member, code, own in codes if own]
    ordered = sorted(found, key=lambda plane: -math.inf if plane.mig is None else plane.mig, reverse=True)
    return MethodPlanes(label(row), steps, circles, tuple(ordered))


def figure_3(cells: Cells) -> Drawing | Absent:
    """The best, 5th and 10th best plane of each method, or best, median and worst where there are fewer."""
    rows = [method_planes(cells, kind) for kind in (VAE, D_VAE)]
    shown = [row for row in rows if isinstance(row, MethodPlanes)]
    if len(shown) < len(rows):
        return next(row for row in rows if isinstance(row, Absent))
    scored = [sum(plane.mig is not None for plane in row.shown) for row in shown]
    if not all(scored):
        return Absent("the models of a method were not scored by MIG")
    enough = all(num >= PLACES[-1] for num in scored)
    titled = [(f"{row.title}, {row.steps:,} steps", f"{row.title} on circles", row.shown) for row in shown]
    picks = PLACES if enough else ("best", "median", "worst")
    caption = LINES + "Left: a continuous position gives finitely many images. Each panel has its own scale."
    return Drawing(caption, lambda path: draw_comparison(titled, shown[0].dataset, path, picks=picks))


def figure_of_planes(cells: Cells, kind: Kind) -> Drawing | Absent:
    """Figures 10 and 11: every plane of a method."""
    found = method_planes(cells, kind)
    if isinstance(found, Absent):
        return found
    title = f"{found.title} on circles, {len(found.shown)} models, {found.steps:,} steps"
    caption = (
        LINES + "A grid parallel to the axes is disentangled; slanted lines are a rotation, faint long ones tears."
    )
    return Drawing(caption, partial(draw_planes, found.shown, title))


figure_10, figure_11 = partial(figure_of_planes, kind=VAE), partial(figure_of_planes, kind=D_VAE)


def masked_group(cells: Cells) -> Group | Absent:
    """The group for Figure 8: a masked model with labels, if possible a D-VAE of MPI3D."""
    masked = [group for group in cells.outcome.groups if group.kind.masked and group.kind.labels]
    if not masked:
        return Absent("no masked semi-supervised method in this study's plan")
    done = [group for group in masked if group.state == "done"]
    if not done:
        first = masked[0]
        return Absent(f"no group of a masked method is done yet (the first, {first.name}, is {first.state})")
    return min(
        done,
        key=lambda group: (
            not group.data.startswith("mpi3d"),
            group.kind.model != D_VAE.model,
            -group.kind.labels,
        ),
    )


def figure_8(cells: Cells) -> Drawing | Absent:
    """Four inputs, their reconstructions, and the decoded image for every active category."""
    group = masked_group(cells)
    if isinstance(group, Absent):
        return group
    arrays = model_arrays(cells, group, "categories", _categories)
    if isinstance(arrays, Absent):
        return arrays
    caption = (
        f"{group.method} on {group.data}, {group.kind.labels} labels. Above: inputs and their reconstructions; below, "
        "for each supervised factor, the decoded image for every active category; outlined: the input's own."
    )
    seen = Reconstructions(_floats(arrays["inputs"]), _floats(arrays["decoded"]), None)
    rows, names = _rows(arrays), arrays["names"].tolist()
    title = str(arrays["title"])
    return Drawing(caption, lambda path: draw_categories(rows, seen, names, title, path), photographs=True)


def _codes(run: Run) -> Arrays:
    dataset = run.dataset()
    if not isinstance(dataset, Circles) or run.config.num_latents != 2:
        what = f"{run.config.num_latents} latents on {run.config.data}"
        raise Error(f"{run.path} was trained with {what}, and a plane needs 2 on circles")
    found = planes(run, dataset)
    return {
        "members": np.asarray([plane.member for plane in found]),
        "codes": np.stack([plane.codes for plane in found]).astype(np.float16),
        "steps": np.asarray(run.config.steps),
        "data_options": np.asarray(json.dumps(dict(run.config.data_options))),
    }


def _circles(options: Mapping[str, Any]) -> Circles:
    found = datasets.load(CIRCLES, **options)
    assert isinstance(found, Circles)
    return found


def _scores(cells: Cells, group: Group) -> dict[str, float]:
    table = cells.outcome.table
    mine = table[(table["group"] == group.name) & (table["metric"] == "mig") & np.isfinite(table["value"])]
    return dict(zip(mine["member"].tolist(), mine["value"].tolist()))


def _categories(run: Run) -> Arrays:
    dataset = run.dataset()
    if dataset.space is None:
        raise Error(f"{run.config.data} has no factors")
    chosen = choose_members(run, "best")[0]
    model, (inputs, _) = run.model(chosen.name), dataset.draw(NUM_INPUTS, seed=0)
    names = dataset.space.names
    data, _ = dataset.draw(USE_IMAGES, seed=1)
    rows, seen = latent_traversals(model, inputs, latents=range(len(names)), data=data), reconstructions(model, inputs)
    pictures = {"inputs": seen.images, "decoded": seen.decoded}
    pictures |= {f"row{place}": row.images for place, row in enumerate(rows)}
    values = {f"values{place}": row.values for place, row in enumerate(rows)}
    own = {f"own{place}": row.own for place, row in enumerate(rows)}
    own |= {f"use{place}": row.use for place, row in enumerate(rows) if row.use is not None}
    kl = np.asarray([row.kl for row in rows], np.float32)
    title = np.asarray(member_title(run, chosen))
    return {**small(pictures), **values, **own, "kl": kl, "names": np.asarray(names), "title": title}


def _rows(arrays: Arrays) -> Sequence[TraversalRow]:
    return [
        TraversalRow(
            place,
            float(kl),
            arrays[f"values{place}"],
            None,
            arrays[f"own{place}"],
            _floats(arrays[f"row{place}"]),
            use=arrays.get(f"use{place}"),  # arrays saved before it was counted have none
        )
        for place, kl in enumerate(arrays["kl"])
    ]


def _floats(images: ndarray) -> ndarray:
    return images.astype(np.float32) / 255
