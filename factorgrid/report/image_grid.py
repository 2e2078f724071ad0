"""Drawing many small images on one axis, in cells of size one, with rows that may differ in length."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy import ndarray

from factorgrid.report.style import ACCENT, FAINT, INK

GAP = 0.06  # of a cell
ROOM = 0.26  # of a cell, below a row that has bars
BLANKED = 0.75  # of an unused cell's ink that is taken away
Image = Float[ndarray, "height width channel"]


def draw_cells(axis: Axes, rows: Sequence[Sequence[Image | None]], *, room: float = 0.0) -> None:
    """Images in rows from the top left; None leaves a cell blank. Values are cut to [0, 1].

    Cell (row r, column c) covers x in c..c+1 and y in r..r+1 of the axis, y downwards; `room` of an image's height at
    its bottom stays free, for `bars`.
    """
    shape = next(image.shape for row in rows for image in row if image is not None)
    gap = max(1, round(GAP * shape[1]))
    height, width = shape[0] + gap + round(room * shape[0]), shape[1] + gap
    columns = max(len(row) for row in rows)
    sheet = np.ones((len(rows) * height, columns * width, 3), np.float32)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            if image is not None:
                # one channel becomes three equal ones by broadcasting
                sheet[r * height : r * height + shape[0], c * width : c * width + shape[1]] = image.clip(0, 1)
    axis.imshow(sheet, extent=(0, columns, len(rows), 0))
    axis.set(xticks=[], yticks=[], xlim=(0, columns), ylim=(len(rows), 0), aspect=height / width)
    for spine in axis.spines.values():
        spine.set_visible(False)


def label_rows(axis: Axes, labels: Sequence[str], *, first: int = 0) -> None:
    """A label left of each row, from row `first` on."""
    axis.set_yticks([first + i + 0.5 - GAP / 2 for i in range(len(labels))], labels)
    axis.tick_params(axis="y", length=0, pad=4)


def label_columns(axis: Axes, labels: Sequence[str], *, first: int = 0, rotation: float = 0) -> None:
    """A label above each column, from column `first` on."""
    axis.set_xticks([first + i + 0.5 - GAP / 2 for i in range(len(labels))], labels, rotation=rotation)
    axis.tick_params(axis="x", length=0, pad=2, labeltop=True, labelbottom=False, labelsize=7)


def faded(images: Float[ndarray, "column height width channel"], use: Float[ndarray, " column"] | None) -> list[Image]:
    """The images of a row, those of unused columns greyed."""
    if use is None:
        return list(images)
    return [image if share > 0 else 0.8 - (1 - BLANKED) * (0.8 - image) for image, share in zip(images, use)]


def bars(axis: Axes, row: int, use: Float[ndarray, " column"], *, room: float = ROOM) -> None:
    """How often each column is used, the row's largest share filling the free `room` below its images."""
    floor, full = row + 1 - 0.02, 0.85 * room / (1 + room)
    heights = full * use / use.max()
    columns = np.arange(len(use))
    axis.bar(columns + 0.5 - GAP / 2, -heights, width=0.8, bottom=floor, color=ACCENT, alpha=0.55, linewidth=0)
    axis.plot([0, len(use) - GAP], [floor, floor], color=FAINT, linewidth=0.5)


def outline(axis: Axes, row: int, column: int, *, room: float = 0.0) -> None:
    """A frame around one cell."""
    side = 1 - GAP / 2
    tall = side if not room else (1 + GAP / 2) / (1 + GAP + room)
    axis.add_patch(Rectangle((column, row), side, tall, fill=False, edgecolor=ACCENT, linewidth=1.4, clip_on=False))


def note(axis: Axes, column: float, row: float, text: str) -> None:
    """Small text whose left end is at the middle of a row's height."""
    axis.text(column, row + 0.5, text, va="center", ha="left", fontsize=8, color=INK)
