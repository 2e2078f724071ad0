"""Figure 3 of the paper: latent planes of several runs one below the other, and why circles are discrete."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy import ndarray

from factorgrid.datasets.rendered.circles import HIGH, LOW, Circles
from factorgrid.errors import Error
from factorgrid.report.captions import run_title
from factorgrid.report.image_grid import draw_cells
from factorgrid.report.planes import Plane, add_position_scales, draw_circles, draw_plane, label_planes, planes
from factorgrid.report.style import COLORS, picture
from factorgrid.training import Run

BATCH = 64
WINDOW = 2  # pixels of x that the staircase shows


@dataclass(frozen=True)
class Staircase:
    """What a continuous x becomes.

    Attributes:
        x: positions of the whole range, y at the middle.
        centers: the horizontal centre of the disc that is drawn, in pixels.
        num_images: how many different images those positions give.
    """

    x: Float[ndarray, " position"]
    centers: Float[ndarray, " position"]
    num_images: int


def compare_planes(
    runs: Sequence[Run],
    path: str | Path,
    *,
    picks: Sequence[str | int] = ("best", "median", "worst"),
    show_data: bool = True,
    whole: bool = False,
) -> Path:
    """Draw the latent planes of some members of several two-latent runs on circles, a row for each run.

    Args:
        runs: evaluated by MIG; the VAE first and the D-VAE below it, as in the paper.
        path: of the picture.
        picks: which members, by MIG: "best", "median", "worst", or places such as (1, 5, 10) in the paper.
        show_data: a panel at the left: how a continuous position gives finitely many images.
        whole: each panel shows all of [-1, 1], not just the part that its model uses.

    Returns:
        `path`.

    Raises:
        Error: a run that is not of circles or not scored by MIG, or has too few members for a place.
    """
    datasets = [_circles(run) for run in runs]
    rows = [(run_title(run), str(run.path), planes(run, dataset)) for run, dataset in zip(runs, datasets)]
    return draw_comparison(rows, datasets[0], Path(path), picks=picks, show_data=show_data, whole=whole)


def draw_comparison(
    rows: Sequence[tuple[str, str, Sequence[Plane]]],
    dataset: Circles,
    path: Path,
    *,
    picks: Sequence[str | int] = ("best", "median", "worst"),
    show_data: bool = True,
    whole: bool = False,
) -> Path:
    """The picture of `compare_planes` from planes that are there already, perhaps of several runs together.

    Args:
        rows: for each row of panels its title, where its planes come from (for errors), and all its planes, the
            highest MIG first.
        dataset: what the panel at the left shows.
        path, picks, show_data, whole: as above.

    Raises:
        Error: planes that were not scored by MIG, or too few for a place.
    """
    chosen = [_pick(origin, ordered, picks) for _, origin, ordered in rows]
    data_width, plane_width = 2.3 if show_data else 0.0, 2.3 * len(picks) + 1.2
    with picture(path, data_width + plane_width, 2.75 * len(rows) + 0.2, layout="compressed") as figure:
        right: Figure | SubFigure = figure
        if show_data:
            left, right = figure.subfigures(1, 2, width_ratios=[data_width, plane_width], squeeze=False)[0]
            _draw_data(left, dataset)
        axes = right.subplots(len(rows), len(picks), squeeze=False)
        for r, (title, _, ordered) in enumerate(rows):
            for c, (plane, pick) in enumerate(zip(chosen[r], picks)):
                draw_plane(axes[r, c], plane, whole=whole)
                axes[r, c].set_title(_panel_title(title, len(ordered), plane, pick, first=c == 0))
        label_planes(axes)
        add_position_scales(right, list(axes.flat))
    return path


def staircase(dataset: Circles, *, num: int = 38 * BATCH) -> Staircase:
    """Circles drawn along x."""
    x = np.linspace(LOW, HIGH, num, dtype=np.float32)
    positions = np.stack([x, np.full_like(x, 0.5)], axis=1)
    centers: list[ndarray] = []
    different: set[bytes] = set()
    for start in range(0, num, BATCH):  # large images would not fit at once
        images = draw_circles(dataset, positions[start : start + BATCH])[..., 0]
        mass = images.sum(axis=1)
        centers.append((mass @ np.arange(images.shape[2])) / mass.sum(axis=1))
        different.update(np.packbits(image > 0).tobytes() for image in images)
    return Staircase(x, np.concatenate(centers), len(different))


def _circles(run: Run) -> Circles:
    dataset = run.dataset()
    if not isinstance(dataset, Circles):
        raise Error(f"latent planes are drawn of circles, and {run.path} was trained on '{run.config.data}'")
    return dataset


def _pick(origin: str, ordered: Sequence[Plane], picks: Sequence[str | int]) -> list[Plane]:
    """Members by place; `ordered` has the highest MIG first."""
    scored = [plane for plane in ordered if plane.mig is not None]
    if not scored:
        raise Error(f"{origin} has no score 'mig'; run: factorgrid evaluate {origin} --metrics mig")
    places = {"best": 1, "median": (len(scored) + 1) // 2, "worst": len(scored)}
    found = []
    for pick in picks:
        place = places.get(str(pick), pick)
        if not isinstance(place, int) or not 1 <= place <= len(scored):
            raise Error(
                f"cannot pick '{pick}' of the {len(scored)} scored members of {origin}; give best, median, worst, "
                f"or a place within 1..{len(scored)}"
            )
        found.append(scored[place - 1])
    return found


def _panel_title(title: str, num: int, plane: Plane, pick: str | int, *, first: bool) -> str:
    """The first panel of a row also has its title."""
    place = pick if isinstance(pick, str) else f"no. {pick}"
    own = f"{place} of {num}: MIG {plane.mig:.1%}"
    return f"{title}\n{own}" if first else own


def _draw_data(part: SubFigure, dataset: Circles) -> None:
    """Three circles above, the staircase of x below."""
    top, bottom = part.subplots(2, 1, height_ratios=[1, 2])
    positions = np.asarray([[LOW, 0.35], [0.5, 0.5], [HIGH, 0.65]], np.float32)
    draw_cells(top, [list(draw_circles(dataset, positions))])
    top.set_title("circles")
    _draw_staircase(bottom, staircase(dataset), dataset.image_shape[1])


def _draw_staircase(axis: Axes, found: Staircase, image_size: int) -> None:
    start = 0.5 - WINDOW / image_size / 2
    shown = (found.x >= start) & (found.x <= start + WINDOW / image_size)
    axis.plot(found.x[shown], found.x[shown] * image_size - 0.5, color="0.75", linewidth=0.8)
    axis.plot(found.x[shown], found.centers[shown], ".", color=COLORS[0], markersize=2.5)
    axis.set(xlabel="x", ylabel="centre of the drawn disc (pixels)")
    axis.set_title(f"x is continuous,\nyet gives only {found.num_images} images")
