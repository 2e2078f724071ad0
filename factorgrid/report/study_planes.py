"""What a study's report shows of the models themselves: latent planes and traversals (Figures 3, 8, 10, 11).

They need the runs' weights. A function that cannot find them returns the reason in place of the result.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from factorgrid.datasets.rendered.circles import Circles
from factorgrid.report.captions import choose_members, member_title
from factorgrid.report.compare_planes import draw_comparison
from factorgrid.report.draw_traversals import draw_categories
from factorgrid.report.planes import Plane, draw_planes, planes
from factorgrid.report.study_cells import Cells, Row
from factorgrid.report.traversals import latent_traversals, reconstructions
from factorgrid.study.outcome import Group
from factorgrid.training import Run

CIRCLES = "circles"
NUM_INPUTS = 4  # of Figure 8, as in the paper
PLACES = (1, 5, 10)  # of Figure 3, as in the paper


@dataclass(frozen=True)
class MethodPlanes:
    """The planes of all members of a method, over all its groups.

    Attributes:
        method: its title.
        steps: of training.
        dataset: the circles.
        shown: the highest MIG first.
    """

    method: str
    steps: int
    dataset: Circles
    shown: tuple[Plane, ...]


def method_planes(cells: Cells, method: str) -> MethodPlanes | str:
    """All planes of an unsupervised method on circles, or why there are none."""
    groups = cells.groups(CIRCLES, Row(method))
    if not groups:
        return f"{method} on circles is not in this study's plan"
    done = [group for group in groups if group.state == "done"]
    if not done:
        return cells.why_empty(CIRCLES, Row(method), "mig")[1]
    found: list[Plane] = []
    steps, circles = 0, Circles()
    for group in done:
        opened = _open(cells, group)
        if isinstance(opened, str):
            return opened
        dataset = opened.dataset()
        if not isinstance(dataset, Circles) or opened.config.num_latents != 2:
            return f"{method} on circles was trained with {opened.config.num_latents} latents, and a plane needs 2"
        steps, circles = opened.config.steps, dataset
        found += planes(opened, dataset)
    ordered = sorted(found, key=lambda plane: -math.inf if plane.mig is None else plane.mig, reverse=True)
    return MethodPlanes(method, steps, circles, tuple(ordered))


def draw_method(found: MethodPlanes, path: Path) -> Path:
    """Figures 10 and 11: every plane."""
    return draw_planes(
        found.shown, f"{found.method} on circles, {len(found.shown)} models, {found.steps:,} steps", path
    )


def draw_best(rows: Sequence[MethodPlanes], path: Path) -> Path:
    """Figure 3: the best, 5th and 10th best plane of each method, or best, median and worst where there are fewer."""
    enough = all(sum(plane.mig is not None for plane in row.shown) >= PLACES[-1] for row in rows)
    titled = [(f"{row.method}, {row.steps:,} steps", f"{row.method} on circles", row.shown) for row in rows]
    return draw_comparison(titled, rows[0].dataset, path, picks=PLACES if enough else ("best", "median", "worst"))


def masked_group(cells: Cells) -> Group | str:
    """The group for Figure 8: a masked model with labels, if possible a D-VAE of MPI3D; or why there is none."""
    masked = [group for group in cells.outcome.groups if group.method.endswith("(M)") and cells.labels_of[group.name]]
    if not masked:
        return "no masked semi-supervised method in this study's plan"
    done = [group for group in masked if group.state == "done"]
    if not done:
        return f"no group of a masked method is done yet (the first, {masked[0].name}, is {masked[0].state})"
    preferred = sorted(
        done,
        key=lambda group: (
            not group.data.startswith("mpi3d"),
            group.method != "D-VAE (M)",
            -cells.labels_of[group.name],
        ),
    )
    return preferred[0]


def draw_masked(cells: Cells, group: Group, paths: Sequence[Path]) -> str:
    """Figure 8 in several formats; returns why it could not be drawn, "" if it was."""
    opened = _open(cells, group)
    if isinstance(opened, str):
        return opened
    dataset = opened.dataset()
    if dataset.space is None:
        return f"{group.data} has no factors"
    chosen = choose_members(opened, "best")[0]
    model, (inputs, _) = opened.model(chosen.name), dataset.draw(NUM_INPUTS, seed=0)
    names = dataset.space.names
    rows, seen = latent_traversals(model, inputs, latents=range(len(names))), reconstructions(model, inputs)
    for path in paths:
        draw_categories(rows, seen, names, member_title(opened, chosen), path)
    return ""


def _open(cells: Cells, group: Group) -> Run | str:
    """The run of a group, or why it cannot be read."""
    folder = cells.outcome.runs.get(group.name)
    if folder is None or not (folder / "config.json").exists():
        return f"the models of group {group.name} are not beside these results; run the report where they are"
    opened = Run.open(folder)
    return opened if opened.finished else f"the weights of group {group.name} are incomplete in {folder}"
