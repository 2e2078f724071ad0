"""A picture of a data set: what each factor does, or for images without factors a sheet of them."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy import ndarray

from factorgrid.datasets.dataset import Dataset
from factorgrid.datasets.table import HostTable, Table
from factorgrid.errors import check_whole
from factorgrid.factors import FactorSpace
from factorgrid.files import replacing

STRIP_IMAGES = 10
SHEET_ROWS = 6
GAP = 2


def preview(dataset: Dataset, path: Path, seed: int) -> None:
    """Write a PNG: a row for each factor, which alone varies along it, from one start drawn by `seed`.

    What factors leave open (a colour, a hidden factor) is the same in all images where that is possible. Combinations
    without an image stay blank. A data set without factors gives a sheet of images drawn by `seed`.

    Raises:
        Error: `path` cannot be written.
    """
    check_whole(seed, "seed", most=2**31 - 1)
    if dataset.space is None:
        images, _ = dataset.draw(STRIP_IMAGES * SHEET_ROWS, seed)
        titles, strips = [""] * SHEET_ROWS, [images[i::SHEET_ROWS] for i in range(SHEET_ROWS)]
    else:
        titles, strips = _traversals(dataset, dataset.space, seed)
    figure = Figure(figsize=(9, 0.9 * len(strips) + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(dataset.name, fontsize=11)
    for axis, title, images in zip(figure.subplots(len(strips), 1, squeeze=False)[:, 0], titles, strips):
        axis.imshow(strip(images), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axis.set(xticks=[], yticks=[], frame_on=False)
        axis.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _traversals(
    dataset: Dataset, space: FactorSpace, seed: int
) -> tuple[list[str], list[Float[ndarray, "column height width channel"]]]:
    start = _start(dataset, space, seed)
    titles, strips = [], []
    for i, (name, size) in enumerate(zip(space.names, space.sizes)):
        values = np.unique(np.linspace(0, size - 1, min(size, STRIP_IMAGES)).round().astype(int))
        factors = np.repeat(start[None], len(values), axis=0)
        factors[:, i] = values
        titles.append(f"{name}\n{space.said(i)}")
        strips.append(_observe_or_blank(dataset, factors, seed))
    return titles, strips


def _start(dataset: Dataset, space: FactorSpace, seed: int) -> Int[ndarray, " factor"]:
    """A factor vector that has an image."""
    if isinstance(dataset, Table | HostTable):
        _, factors = dataset.layout.index.draw(jax.random.key(seed), 1000)
        known = np.asarray(factors)[(np.asarray(factors) >= 0).all(axis=1)]
        if len(known):
            return known[0]
    return space.sample(np.random.default_rng(seed), 1)[0]


def _observe_or_blank(
    dataset: Dataset, factors: Int[ndarray, "column factor"], seed: int
) -> Float[ndarray, "column height width channel"]:
    """One image at a time, so that each draws what its factors leave open from the same key."""
    images = np.ones((len(factors), *dataset.image_shape), np.float32)
    found = np.ones(len(factors), bool)
    if isinstance(dataset, Table | HostTable):
        found = np.asarray(dataset.layout.find(jax.random.key(seed), jnp.asarray(factors, jnp.int32))[1])
    for i in np.flatnonzero(found):
        images[i] = dataset.observe(factors[i : i + 1], seed)[0]
    return images


def strip(images: Float[ndarray, "column height width channel"]) -> Float[ndarray, "height total channel"]:
    """Images side by side, white gaps between and, up to `STRIP_IMAGES`, after them. Values are cut to [0, 1]."""
    _, height, width, channels = images.shape
    result = np.ones((height, STRIP_IMAGES * (width + GAP) - GAP, channels), np.float32)
    for i, image in enumerate(images.clip(0, 1)):
        result[:, i * (width + GAP) : i * (width + GAP) + width] = image
    return result
