"""MPI3D toy, realistic and real (Gondal et al. 2019), from the npz files that their authors publish.

Several files go by these names. Which one lies on disk is read from its number of images and its checksum:

* 1,036,800 images: the files published today, six object colours and six shapes;
* 460,800 images: the first edition, with four of each, that disentanglement_lib and the paper use (its host has been
  dead since 2023). But "MPI3D complex", other objects, has as many images; no checksum of either is published, so a
  file of this size is loaded as the first edition with a warning that states its checksum.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from warnings import warn

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from factorgrid.datasets import npz
from factorgrid.datasets.files import DataWarning
from factorgrid.datasets.index import Grid
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.published.remote import RemoteFile, damaged, reading
from factorgrid.datasets.rendered.mpi3d_toy_twin import NAMES
from factorgrid.datasets.table import HostTable, Layout, Residence, Table, make_table
from factorgrid.errors import Error, unknown_name
from factorgrid.factors import FactorSpace

Variant = Literal["toy", "realistic", "real"]

MPI3D_SPACE = FactorSpace(NAMES, (6, 6, 2, 3, 3, 40, 40))
FIRST_EDITION_SPACE = FactorSpace(NAMES, (4, 4, 2, 3, 3, 40, 40))

# Colours green, red, blue, brown and shapes cone, cube, hexagonal, sphere: the names in the first edition's readme,
# looked up in today's. Inferred from the names; nobody has compared pixels.
PAPER_COLORS, PAPER_SHAPES = (1, 2, 3, 4), (0, 1, 3, 5)

SUMS = {
    "toy": "55889cb7c7dfc655d6e0277beee88868",
    "realistic": "59a6225b88b635365f70c91b3e52f70f",
    "real": "0f33f609918fb5c97996692f91129802",
}


def files(variant: Variant) -> tuple[RemoteFile, ...]:
    """The published file of one of the three sets."""
    base = "https://storage.googleapis.com/mpi3d_disentanglement_dataset/data"
    name = f"mpi3d_{variant}"
    return (RemoteFile(f"{base}/{name}.npz", f"{name}/{name}.npz", SUMS[variant]),)


def load_mpi3d(
    root: Path,
    variant: Variant,
    *,
    resident: Residence = "auto",
    subset: str = "all",
    full_space: FactorSpace = MPI3D_SPACE,
    first_space: FactorSpace = FIRST_EDITION_SPACE,
) -> Table | HostTable:
    """Factors: object colour, shape and size, camera height, background colour, two axes of the arm.

    Args:
        root: data root.
        variant: "toy", "realistic" or "real".
        resident: see `make_table`.
        subset: "all", or "paper": of today's file, the colours and shapes that by their names make the first
            edition, the one that the paper uses.
        full_space, first_space: factors of the two editions; other than the defaults for miniatures in tests.

    Raises:
        Error: the file is missing, damaged, or neither edition.
    """
    if subset not in ("all", "paper"):
        raise unknown_name("subset of MPI3D", subset, ("all", "paper"))
    name = f"mpi3d_{variant}"
    path = root / name / f"{name}.npz"
    with reading(path, name):
        shape, dtype = npz.header(path, "images")
    # the two published layouts: images in a row, or an axis for each factor
    count, expected = int(np.prod(shape[:-3], dtype=np.int64)), (full_space.num_points, first_space.num_points)
    if shape[-3:] != (64, 64, 3) or dtype != np.uint8 or count not in expected:
        sizes = " or ".join(f"[{num}, 64, 64, 3]" for num in expected)
        raise damaged(path, f"array 'images' is {dtype} {list(shape)}, not uint8 {sizes}", name)

    def slabs() -> Iterator[UInt8[ndarray, "slab 64 64 3"]]:
        with reading(path, name):
            yield from npz.slabs(path, "images", 3)

    pixels, origin = prepared([path], name, (count, 64, 64, 3), np.dtype(np.uint8), slabs)
    space = full_space if count == full_space.num_points else first_space
    if space == first_space:
        _say_which(path, name, subset, origin)
    elif subset == "paper":
        kept = paper_rows(full_space)
        layout = Layout(Grid(first_space), name, (64, 64, 3), "levels", f"{origin}; inferred subset of the paper")
        return make_table(pixels, layout, resident=resident, kept=kept)
    return make_table(pixels, Layout(Grid(space), name, (64, 64, 3), "levels", origin), resident=resident)


def paper_rows(full_space: FactorSpace) -> Int[ndarray, " image"]:
    """Rows of today's file that show the first edition's colours and shapes, in the first edition's order."""
    values = [np.arange(size) for size in full_space.sizes]
    values[0], values[1] = np.array(PAPER_COLORS), np.array(PAPER_SHAPES)
    grid = np.stack(np.meshgrid(*values, indexing="ij"), axis=-1)
    return full_space.index(grid.reshape(-1, full_space.num_factors)).astype(np.int64)


def _say_which(path: Path, name: str, subset: str, origin: str) -> None:
    if subset == "paper":
        raise Error(f"{path} is already the 4 x 4 edition; subset 'paper' restricts the 6 x 6 one; leave it out")
    warn(
        f"{path} has the number of images of the 4 x 4 edition of {name}, but 'MPI3D complex' has as many and no "
        f"checksum tells them apart ({origin}); loaded as the 4 x 4 edition; look at it with: "
        f"factorgrid data preview {name}",
        DataWarning,
        stacklevel=3,
    )
