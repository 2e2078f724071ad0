"""The latent plane of two-latent models on circles (Figures 3, 10 and 11 of the paper).

A lattice of positions is drawn and encoded; lines join the codes of neighbours. A disentangled plane is an
axis-parallel grid; a rotation shows as slanted lines, a tear as long and faint ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy import ndarray

from factorgrid.datasets.rendered.circles import HIGH, LOW, Circles
from factorgrid.errors import Error
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import Chosen, choose_members, run_title, scores_of
from factorgrid.report.style import FAINT, INK, cool, picture, set_title, warm
from factorgrid.training import Run

NUM_POSITIONS = 24
MOST_COLUMNS = 10
JUMP = 0.15  # of the window: longer steps between neighbours are tears
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
    return model.encode(draw_circles(dataset, positions.reshape(-1, 2))).reshape(positions.shape)


def draw_circles(
    dataset: Circles, positions: Float[ndarray, "position 2"]
) -> Float[ndarray, "position height width channel"]:
    """Circles at those positions, by one compiled program: drawn edge by edge they take a hundred times as long."""
    return np.asarray(_drawn(dataset, jnp.asarray(positions)))


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


def draw_planes(shown: Sequence[Plane], title: str, path: Path, *, whole: bool = False) -> Path:
    """All planes, in the given order, with their MIG; `whole` as for `draw_plane`."""
    columns = min(len(shown), max(5, math.ceil(math.sqrt(len(shown)))), MOST_COLUMNS)
    rows = math.ceil(len(shown) / columns)
    side = 3.6 if len(shown) == 1 else 2.3
    with picture(path, side * columns + 0.9, (side + 0.3) * rows + 0.7, layout="compressed") as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat[len(shown) :]:
            axis.set_visible(False)
        for axis, plane in zip(axes.flat, shown):
            draw_plane(axis, plane, whole=whole)
            axis.set_title(plane_title(plane))
        label_planes(axes[: math.ceil(len(shown) / columns)])
        add_position_scales(figure, list(axes.flat))
        ordered = "sorted by MIG" if shown[0].mig is not None and len(shown) > 1 else ""
        scored = "not scored" if shown[0].mig is None else ordered
        set_title(figure, f"Latent planes of circles{', ' + scored if scored else ''}\n{title}")
    return path


def draw_plane(axis: Axes, plane: Plane, *, whole: bool = False) -> None:
    """One lattice in the latent plane: lines of constant x in orange, of constant y in blue, light to dark.

    The square that is shown holds all codes, and each panel has its own: a model need not use all of [-1, 1]. With
    `whole` the square is [-1, 1], or larger around 0 where codes lie outside, so that one sees how much is used.
    """
    (left, bottom), side = plane_window(plane, whole=whole)
    for lines, colors in ((plane.codes.swapaxes(0, 1), cool()), (plane.codes, warm())):
        axis.add_collection(_lines(lines, colors, longest=JUMP * side))
    axis.scatter(plane.codes[..., 0], plane.codes[..., 1], s=2, color=INK, linewidths=0, zorder=3)
    axis.set(xlim=(left, left + side), ylim=(bottom, bottom + side), aspect="equal")
    for direction in (axis.xaxis, axis.yaxis):
        direction.set_major_locator(FixedLocator([-1, 0, 1]) if whole and side < 2.2 else MaxNLocator(3))
    axis.tick_params(length=2, pad=2, labelsize=7, labelcolor=FAINT)


def label_planes(axes: ndarray) -> None:
    """Which latent is which: below the last row and left of the first column of a grid of axes."""
    for axis in axes[-1]:
        axis.set_xlabel("latent 0", labelpad=1)
    for axis in axes[:, 0]:
        axis.set_ylabel("latent 1", labelpad=1)


def plane_window(plane: Plane, *, whole: bool = False) -> tuple[Float[ndarray, " 2"], float]:
    """Lower left corner and side of the square around the codes, or of the `whole` plane around 0."""
    if whole:
        half = 1.06 * max(1.0, float(np.abs(plane.codes).max()))
        return np.asarray([-half, -half]), 2 * half
    low, high = plane.codes.min(axis=(0, 1)), plane.codes.max(axis=(0, 1))
    side = max(1.12 * float((high - low).max()), LEAST_WINDOW)
    return (low + high) / 2 - side / 2, side


def _lines(lines: Float[ndarray, "line point 2"], colors: Colormap, *, longest: float) -> LineCollection:
    """A colour for each line; steps longer than `longest` are tears, and drawn faintly."""
    segments = np.stack([lines[:, :-1], lines[:, 1:]], axis=2)
    shades = np.repeat(colors(np.linspace(0, 1, len(lines)))[:, None], segments.shape[1], axis=1)
    torn = np.linalg.norm(segments[:, :, 1] - segments[:, :, 0], axis=-1) > longest
    shades[..., 3] = np.where(torn, 0.3, 0.9)
    return LineCollection(list(segments.reshape(-1, 2, 2)), colors=shades.reshape(-1, 4), linewidths=0.8)


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


@eqx.filter_jit
def _drawn(dataset: Circles, positions: Float[Array, "position 2"]) -> Float[Array, "position height width channel"]:
    return dataset.at(positions)


def describe(run: Run) -> str:
    """The title of a run's planes."""
    return f"{run_title(run)}, {len(run.members)} members"
