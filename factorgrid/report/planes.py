"""The latent plane of two-latent models on circles (Figures 3, 10 and 11 of the paper).

A lattice of positions is drawn and encoded; lines join the codes of neighbours. A disentangled plane is an
axis-parallel grid; a rotation shows as slanted lines, a tear as long ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy import ndarray

from factorgrid.datasets.rendered.circles import HIGH, LOW, Circles
from factorgrid.errors import Error
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import Chosen, choose_members, run_title, scores_of
from factorgrid.report.style import FAINT, INK, cool, picture, set_title, warm
from factorgrid.training import Run

NUM_POSITIONS = 24
MOST_COLUMNS = 10
LEAST_WINDOW = 0.1  # of collapsed models


@dataclass(frozen=True)
class Plane:
    """One member's picture of the lattice of positions.

    Attributes:
        member: its name.
        mig: its score; None if it was not scored.
        codes: the code at each x and y.
    """

    member: str
    mig: float | None
    codes: Float[ndarray, "x y 2"]


def lattice(num: int = NUM_POSITIONS) -> Float[ndarray, "x y 2"]:
    """Positions (x, y) of a square lattice over the range of Circles, both ends included, float32."""
    line = np.linspace(LOW, HIGH, num, dtype=np.float32)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)


def encode_positions(
    model: TrainedModel, dataset: Circles, positions: Float[ndarray, "x y 2"]
) -> Float[ndarray, "x y 2"]:
    """The codes of circles drawn at those positions.

    Raises:
        Error: the model has other than two latents.
    """
    if model.num_latents != 2:
        raise Error(f"a latent plane needs a model with 2 latents, this one has {model.num_latents}")
    images = np.asarray(dataset.at(jnp.asarray(positions.reshape(-1, 2))))
    return model.encode(images).reshape(positions.shape)


def planes(
    run: Run, dataset: Circles, *, members: Sequence[Chosen] | None = None, num: int = NUM_POSITIONS
) -> tuple[Plane, ...]:
    """The plane of every member (or of `members`), the highest MIG first, those without a score last.

    Raises:
        Error: the run has other than two latents, or has not finished training.
    """
    positions, migs = lattice(num), scores_of(run, "mig")
    found = [
        Plane(
            chosen.name,
            migs.get(chosen.name),
            encode_positions(run.model(chosen.name), dataset, positions),
        )
        for chosen in members or choose_members(run, "all")
    ]
    return tuple(sorted(found, key=lambda plane: -math.inf if plane.mig is None else plane.mig, reverse=True))


def draw_planes(shown: Sequence[Plane], title: str, path: Path) -> Path:
    """All planes, in the given order, with their MIG."""
    columns = min(len(shown), max(5, math.ceil(math.sqrt(len(shown)))), MOST_COLUMNS)
    rows = math.ceil(len(shown) / columns)
    side = 3.6 if len(shown) == 1 else 2.3
    with picture(path, side * columns + 0.9, (side + 0.3) * rows + 0.7, layout="compressed") as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat[len(shown) :]:
            axis.set_visible(False)
        for axis, plane in zip(axes.flat, shown):
            draw_plane(axis, plane)
            axis.set_title(plane_title(plane))
        add_position_scales(figure, list(axes.flat))
        ordered = "sorted by MIG" if shown[0].mig is not None and len(shown) > 1 else ""
        scored = "not scored" if shown[0].mig is None else ordered
        set_title(figure, f"Latent planes of circles{', ' + scored if scored else ''}\n{title}")
    return path


def draw_plane(axis: Axes, plane: Plane) -> None:
    """One lattice in the latent plane: lines of constant x in orange, of constant y in blue, light to dark.

    The square that is shown holds all codes, and each panel has its own: a model need not use all of [-1, 1].
    """
    shades = np.linspace(0, 1, len(plane.codes))
    style: dict[str, Any] = {"linewidths": 0.8, "alpha": 0.8}
    axis.add_collection(LineCollection(list(plane.codes.swapaxes(0, 1)), colors=cool()(shades), **style))
    axis.add_collection(LineCollection(list(plane.codes), colors=warm()(shades), **style))
    axis.scatter(plane.codes[..., 0], plane.codes[..., 1], s=2.5, color=INK, linewidths=0, zorder=3)
    (left, bottom), side = plane_window(plane)
    axis.set(xlim=(left, left + side), ylim=(bottom, bottom + side), aspect="equal")
    for direction in (axis.xaxis, axis.yaxis):
        direction.set_major_locator(MaxNLocator(3))
    axis.tick_params(length=2, pad=2, labelsize=7, labelcolor=FAINT)


def plane_window(plane: Plane) -> tuple[Float[ndarray, " 2"], float]:
    """Lower left corner and side of the square around the codes."""
    low, high = plane.codes.min(axis=(0, 1)), plane.codes.max(axis=(0, 1))
    side = max(1.12 * float((high - low).max()), LEAST_WINDOW)
    return (low + high) / 2 - side / 2, side


def plane_title(plane: Plane) -> str:
    """Member and score."""
    return plane.member if plane.mig is None else f"{plane.member}: MIG {plane.mig:.1%}"


def add_position_scales(figure: Figure | SubFigure, axes: Sequence[Axes]) -> None:
    """What the colours mean: two slim scales right of the given axes."""
    norm = Normalize(LOW, HIGH)
    for name, colors in (("lines of constant x", warm()), ("lines of constant y", cool())):
        bar = figure.colorbar(
            ScalarMappable(norm, colors), ax=list(axes), fraction=0.02, pad=0.01, aspect=25, ticks=[LOW, HIGH]
        )
        bar.set_label(name, labelpad=-8)
        bar.outline.set_visible(False)


def describe(run: Run) -> str:
    """The title of a run's planes."""
    return f"{run_title(run)}, {len(run.members)} members"
