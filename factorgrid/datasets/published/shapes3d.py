"""Shapes3D (Burgess and Kim 2018), from the HDF5 file that its authors publish, or an npz made from it."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from factorgrid.datasets import npz
from factorgrid.datasets.index import Grid
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.published.remote import RemoteFile, damaged, missing, reading
from factorgrid.datasets.rendered.shapes3d_twin import SHAPES3D_SPACE
from factorgrid.datasets.table import HostTable, Layout, Residence, Table, make_table
from factorgrid.factors import FactorSpace

FILES = (
    RemoteFile(
        "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
        "3dshapes/3dshapes.h5",
        "099a2078d58cec4daad0702c55d06868",
    ),
)

# disentanglement_lib reads an npz that was never published; people make it from the HDF5 file.
NPZ_NAMES = ("3dshapes.npz", "look-at-object-room_floor-hueXwall-hueXobj-hueXobj-sizeXobj-shapeXview-azi.npz")
ROWS_PER_SLAB = 2000


def load_shapes3d(
    root: Path, *, resident: Residence = "auto", space: FactorSpace = SHAPES3D_SPACE
) -> Table | HostTable:
    """Factors: hues of floor, wall and object, scale, shape, orientation.

    Args:
        root: data root.
        resident: see `make_table`.
        space: factors of the file; other than the default for miniatures in tests.

    Raises:
        Error: the file is missing, damaged, of another shape, or its labels are not in row-major order.
    """
    folder = root / "3dshapes"
    path = next((folder / n for n in ("3dshapes.h5", *NPZ_NAMES) if (folder / n).exists()), None)
    if path is None:
        raise missing(folder / "3dshapes.h5", "shapes3d")
    with reading(path, "shapes3d"):
        shape, dtype = _header(path)
    # the npz may keep an axis for each factor
    if shape not in ((space.num_points, 64, 64, 3), (*space.sizes, 64, 64, 3)) or dtype != np.uint8:
        expected = [space.num_points, 64, 64, 3]
        raise damaged(path, f"array 'images' is {dtype} {list(shape)}, not uint8 {expected}", "shapes3d")

    def slabs() -> Iterator[UInt8[ndarray, "slab 64 64 3"]]:
        with reading(path, "shapes3d"):
            labels = _labels(path)
            if labels is not None and not np.array_equal(_ranks(labels), space.factors(np.arange(space.num_points))):
                raise damaged(path, "its labels are not in row-major order", "shapes3d")
            for images in _image_slabs(path):
                yield images.reshape(-1, 64, 64, 3)

    pixels, origin = prepared([path], "shapes3d", (space.num_points, 64, 64, 3), np.dtype(np.uint8), slabs)
    return make_table(pixels, Layout(Grid(space), "shapes3d", (64, 64, 3), "levels", origin), resident=resident)


def _header(path: Path) -> tuple[tuple[int, ...], np.dtype]:
    if path.suffix == ".npz":
        return npz.header(path, "images")
    with h5py.File(path, "r") as file:
        return tuple(file["images"].shape), file["images"].dtype


def _labels(path: Path) -> Float[ndarray, "image factor"] | None:
    if path.suffix == ".npz":
        return npz.array(path, "labels").reshape(-1, 6).astype(float) if "labels" in npz.keys(path) else None
    with h5py.File(path, "r") as file:
        return file["labels"][()].astype(float) if "labels" in file else None


def _image_slabs(path: Path) -> Iterator[UInt8[ndarray, "slab ..."]]:
    if path.suffix == ".npz":
        yield from npz.slabs(path, "images", 3)
        return
    with h5py.File(path, "r") as file:
        images = file["images"]
        for start in range(0, len(images), ROWS_PER_SLAB):
            yield images[start : start + ROWS_PER_SLAB]


def _ranks(labels: Float[ndarray, "image factor"]) -> Int[ndarray, "image factor"]:
    """Each column's values numbered in ascending order."""
    return np.stack([np.unique(column, return_inverse=True)[1] for column in labels.T], axis=1)
