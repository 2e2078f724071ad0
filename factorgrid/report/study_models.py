"""What the best and the median model of every method make of images: reconstructions and latent traversals."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy import ndarray

from factorgrid.report import image_grid
from factorgrid.report.model_arrays import Arrays, model_arrays, small
from factorgrid.report.paper import Drawing, FigureEntry
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.style import picture
from factorgrid.report.traversals import latent_traversals, reconstructions
from factorgrid.report.values import Absent
from factorgrid.study.outcomes import Group
from factorgrid.study.select import higher_is_better
from factorgrid.training import Run

NUM_IMAGES = 8
NUM_DATA = 512  # that say which latents are used
NUM_LATENTS = 4  # the most used ones
MOST_FIGURES = 12  # of a study with more methods and data sets, the first ones
SEED = 7


def model_figures(cells: Cells) -> dict[str, FigureEntry]:
    """A figure for every method on every data set."""
    pairs = [(data, row) for data in cells.outcome.data for row in cells.rows if _done(cells, data, row)]
    return {
        f"models-{place + 1}": FigureEntry(
            f"Best and median model of {row.title} on {data}", "", partial(_figure, data=data, row=row)
        )
        for place, (data, row) in enumerate(pairs[:MOST_FIGURES])
    }


def _figure(cells: Cells, data: str, row: Row) -> Drawing | Absent:
    found = None
    for key in ("mig", *cells.metrics):
        scores = {group.name: _scores(cells, group, key) for group in _done(cells, data, row)}
        ordered = sorted(
            ((value, group, member) for group, own in scores.items() for member, value in own.items()),
            reverse=higher_is_better(key),
        )
        if ordered:
            found = key, ordered
            break
    if found is None:
        return Absent(f"{row.title} on {data}: no scores to choose by")
    key, ordered = found
    groups = {group.name: group for group in _done(cells, data, row)}
    chosen = {"best": ordered[0], "median": ordered[(len(ordered) - 1) // 2]}
    parts: dict[str, Arrays] = {}
    for pick, (_, group, member) in chosen.items():
        arrays = model_arrays(cells, groups[group], f"shown-{pick}", partial(_compute, member=member))
        if isinstance(arrays, Absent):
            return arrays
        parts[pick] = arrays
    names = {pick: f"{pick} of {len(ordered)} by {metric_title(key)}: {value:.3g} ({member})"
             for pick, (value, _, member) in chosen.items()}  # fmt: skip
    caption = (
        f"Of each: {NUM_IMAGES} images, their reconstructions, and the {NUM_LATENTS} most used latents of the first "
        "image, each taking its values while the others stay."
    )
    return Drawing(caption, partial(_draw, parts, names), photographs=True, alt="; ".join(names.values()))


def _compute(run: Run, member: str) -> dict[str, ndarray]:
    model = run.model(member)
    images, _ = run.dataset().draw(NUM_IMAGES, SEED)
    data, _ = run.dataset().draw(NUM_DATA, SEED + 1)
    shown = reconstructions(model, images)
    rows = latent_traversals(model, images[:1], kl=model.usage(data), num_columns=NUM_IMAGES, data=data)[:NUM_LATENTS]
    pictures = {"images": shown.images, "decoded": shown.decoded}
    pictures |= {f"latent{row.latent}": row.images[0] for row in rows}
    return small(pictures)


def _draw(parts: Mapping[str, Arrays], names: Mapping[str, str], path: Path) -> Path:
    most = max(len(arrays) for arrays in parts.values())
    with picture(path, 1.3 + 0.62 * NUM_IMAGES * len(parts) + 0.7, 0.62 * most + 0.6) as figure:
        for axis, (pick, arrays) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts.items()):
            titles = {"images": "input", "decoded": "reconstruction"}
            image_grid.draw_cells(axis, [list(images[:, ...] / np.float32(255)) for images in arrays.values()])
            image_grid.label_rows(axis, [titles.get(name, name.replace("latent", "latent ")) for name in arrays])
            axis.set_title(names[pick], fontsize=8.5)
    return path


def _done(cells: Cells, data: str, row: Row) -> list[Group]:
    return [group for group in cells.groups(data, row) if group.state == "done"]


def _scores(cells: Cells, group: Group, key: str) -> dict[str, float]:
    table = cells.outcome.table
    mine = table[(table["group"] == group.name) & (table["metric"] == key) & np.isfinite(table["value"])]
    return dict(zip(mine["member"], mine["value"]))
