"""dSprites (Matthey et al. 2017), from the npz that its authors publish; and Color-dSprites, the same in colours.

Images are 0/1 and kept as bits on the device: 377 MB for all 737,280.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from factorgrid.datasets import npz
from factorgrid.datasets.index import Grid
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.published.remote import RemoteFile, damaged, reading
from factorgrid.datasets.rendered.dsprites_twin import DSPRITES_SPACE, colored
from factorgrid.datasets.table import HostTable, Layout, Residence, Table, make_table
from factorgrid.factors import FactorSpace

FILES = (
    RemoteFile(
        "https://github.com/deepmind/dsprites-dataset/raw/master/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
        "dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    ),
)


def load_dsprites(
    root: Path, *, resident: Residence = "auto", space: FactorSpace = DSPRITES_SPACE
) -> Table | HostTable:
    """Factors: shape, scale, orientation, x and y position; the file's first factor, colour, has one value.

    Args:
        root: data root.
        resident: see `make_table`.
        space: factors of the file; other than the default for miniatures in tests.

    Raises:
        Error: the file is missing, damaged, or of another shape.
    """
    pixels, origin = _bits(root, "dsprites", space)
    layout = Layout(Grid(space), "dsprites", (64, 64, 1), "bits", origin)
    return make_table(pixels, layout, resident=resident)


def load_color_dsprites(
    root: Path, *, resident: Residence = "auto", space: FactorSpace = DSPRITES_SPACE
) -> Table | HostTable:
    """As `load_dsprites`, each drawn image in a colour uniform in [0.5, 1]^3 that is not a factor."""
    pixels, origin = _bits(root, "color_dsprites", space)
    layout = Layout(Grid(space), "color_dsprites", (64, 64, 3), "bits", origin, colored)
    return make_table(pixels, layout, resident=resident)


def _bits(root: Path, name: str, space: FactorSpace) -> tuple[UInt8[ndarray, "image byte"], str]:
    path = root / FILES[0].path
    with reading(path, name):
        shape, dtype = npz.header(path, "imgs")
    if shape != (space.num_points, 64, 64) or dtype != np.uint8:
        expected = [space.num_points, 64, 64]
        raise damaged(path, f"array 'imgs' is {dtype} {list(shape)}, not uint8 {expected}", name)

    def slabs() -> Iterator[UInt8[ndarray, "slab byte"]]:
        with reading(path, name):
            if "latents_classes" in npz.keys(path):
                classes = npz.array(path, "latents_classes")[:, 1:]
                if not np.array_equal(classes, space.factors(np.arange(space.num_points))):
                    raise damaged(path, "its images are not in the order of their factors", name)
            for images in npz.slabs(path, "imgs", 2):
                if images.max() > 1:
                    raise damaged(path, f"array 'imgs' holds the value {images.max()}, not only 0 and 1", name)
                yield np.packbits(images.reshape(len(images), -1), axis=1)

    return prepared([path], "dsprites-bits", (space.num_points, 64 * 64 // 8), np.dtype(np.uint8), slabs)
