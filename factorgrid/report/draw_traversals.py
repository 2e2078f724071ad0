"""Pictures of reconstructions and traversals; the arrays they show come from `traversals`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.report import image_grid
from factorgrid.report.style import picture, set_title
from factorgrid.report.traversals import Reconstructions, TraversalRow

CELL = 0.62  # inches
MOST_INCHES = 14.5  # for all columns of images
INACTIVE = 0.01  # nats: a dimension below this tells the decoder nothing
INPUTS = "abcdefghijklmnopqrstuvwxyz"


def draw_reconstructions(shown: Reconstructions, title: str, path: Path) -> Path:
    """A row of inputs, a row decoded from codes, and for discrete models a row decoded from categories.

    Of a refined model: a row by its own decoder and a row by the refined one, from the same codes.
    """
    rows = [("input", shown.images), ("reconstruction", shown.decoded)]
    if shown.own is not None:
        rows[1:] = [("own decoder", shown.own), ("refined decoder", shown.decoded)]
    if shown.rounded is not None:
        rows.append(("from categories", shown.rounded))
    with picture(path, CELL * (len(shown.images) + 2), CELL * len(rows) + 0.5) as figure:
        axis = figure.subplots()
        image_grid.draw_cells(axis, [list(images) for _, images in rows])
        image_grid.label_rows(axis, [name for name, _ in rows])
        set_title(figure, f"Reconstructions\n{title}")
    return path


def draw_traversals(
    rows: Sequence[TraversalRow],
    shown: Reconstructions,
    title: str,
    path: Path,
    *,
    names: Sequence[str] = (),
) -> Path:
    """A row for each latent dimension, the most used first; a block of columns for each base image.

    Where the use of columns is known it stands as bars below them, and what no datum looks like is grey.

    Args:
        rows: of `latent_traversals`.
        shown: `reconstructions` of the same base images.
        title: of which run and member.
        path: of the picture.
        names: the factor that latent i was supervised with, for the first latents.
    """
    num_bases = len(rows[0].images)
    widest = max(len(row.values) for row in rows)
    columns = max(widest, 2)
    cell = min(CELL, MOST_INCHES / (num_bases * columns))
    room = _room(rows)
    height = cell * (len(rows) + 1) * (1 + room) + 0.3 * cell + 0.7
    with picture(path, cell * num_bases * columns + 1.9, height) as figure:
        axes = figure.subplots(1, num_bases, squeeze=False)[0]
        for base, axis in enumerate(axes):
            head = [shown.images[base], shown.decoded[base], *[None] * (columns - 2)]
            cells = [image_grid.faded(row.images[base], row.use) for row in rows]
            image_grid.draw_cells(axis, [head, *cells], room=room)
            image_grid.note(axis, 2.1, 0.0, "input, its reconstruction")
            for r, row in enumerate(rows):
                image_grid.outline(axis, r + 1, int(row.own[base]), room=room)
                if row.use is not None:
                    image_grid.bars(axis, r + 1, row.use)
            _mark_values(axis, rows)
        image_grid.label_rows(axes[0], [_row_label(row, names) for row in rows], first=1)
        along = "-2 .. 2 around the prior" if rows[0].measure == "KL" else "the range of the codes"
        along = "categories of the grid" if rows[0].categories is not None else along
        what = f"Latent traversals along {along}; outlined: nearest to the input's own code"
        set_title(figure, f"{what}{_about_use(rows)}\n{title}")
    return path


def draw_categories(
    rows: Sequence[TraversalRow],
    shown: Reconstructions,
    names: Sequence[str],
    title: str,
    path: Path,
) -> Path:
    """Figure 8 of the paper: every supervised factor of a masked model read off, a column for each active category.

    Args:
        rows: of `latent_traversals`: row i is of latent i.
        shown: `reconstructions` of the same inputs.
        names: of the factors: factor i is tied to latent i.
        title, path: of the picture.
    """
    num_inputs = len(shown.images)
    widest = max(*(len(row.values) for row in rows), num_inputs)
    cell = min(CELL, MOST_INCHES / widest)
    room = _room(rows)
    heights = [2.0, *[num_inputs * (1 + room)] * len(rows)]
    width, height = cell * widest + 1.6, cell * (sum(heights) + 0.3) + 0.36 * len(heights) + 0.6
    with picture(path, width, height) as figure:
        top, *axes = figure.subplots(len(heights), 1, gridspec_kw={"height_ratios": heights})
        blank = [None] * (widest - num_inputs)
        image_grid.draw_cells(top, [[*shown.images, *blank], [*shown.decoded, *blank]])
        image_grid.label_columns(top, INPUTS[:num_inputs])
        image_grid.label_rows(top, ["input", "reconstruction"])
        for axis, row, name in zip(axes, rows, names):
            shaded = [image_grid.faded(images, row.use) for images in row.images]
            cells = [[*images, *[None] * (widest - len(images))] for images in shaded]
            image_grid.draw_cells(axis, cells, room=room)
            if row.use is not None:
                image_grid.bars(axis, num_inputs - 1, row.use)
            image_grid.label_rows(axis, INPUTS[:num_inputs])
            image_grid.label_columns(axis, [str(value) for value in range(len(row.values))])
            axis.set_ylabel(f"{name}\n{len(row.values)} values", rotation=0, ha="right", va="center", labelpad=8)
            for base, own in enumerate(row.own):
                image_grid.outline(axis, base, int(own), room=room)
        what = "Every active category of the supervised dimensions; outlined: the input's own category"
        set_title(figure, f"{what}{_about_use(rows)}\n{title}")
    return path


def _room(rows: Sequence[TraversalRow]) -> float:
    return image_grid.ROOM if any(row.use is not None for row in rows) else 0.0


def _about_use(rows: Sequence[TraversalRow]) -> str:
    if not _room(rows):
        return ""
    return "\nBars: how many images of the data are nearest to each column; grey: none, so no datum looks like that"


def _amount_of_kl(kl: float) -> str:
    return f"KL {kl:.2f}" if kl >= INACTIVE else "KL 0: unused"


def _row_label(row: TraversalRow, names: Sequence[str]) -> str:
    name = f" = {names[row.latent]}" if row.latent < len(names) else ""
    amount = f"{row.measure} {row.kl:.2g}" if row.measure != "KL" else _amount_of_kl(row.kl)
    return f"latent {row.latent}{name}\n{amount}"


def _mark_values(axis: image_grid.Axes, rows: Sequence[TraversalRow]) -> None:
    """The values below the last row, if all rows have the same ones."""
    if not all(_same(row.values, rows[0].values) for row in rows):
        return
    row = rows[0]
    labels = [f"{v:.1f}" for v in row.values] if row.categories is None else [str(k) for k in row.categories]
    axis.set_xticks(np.arange(len(labels)) + 0.5 - image_grid.GAP / 2, labels)
    axis.tick_params(axis="x", length=0, pad=2, labelsize=7)
    axis.set_xlabel("value" if row.categories is None else "category")


def _same(a: Float[ndarray, " one"], b: Float[ndarray, " other"]) -> bool:
    return len(a) == len(b) and bool((a == b).all())
