"""Cars3D (Reed et al. 2015), from the .mat files of the archive that its authors publish."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.io
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from factorgrid.datasets.index import Grid
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.published.remote import RemoteFile, damaged, missing, reading
from factorgrid.datasets.table import HostTable, Layout, Residence, Table, make_table
from factorgrid.factors import FactorSpace

CARS3D_SPACE = FactorSpace(("elevation", "azimuth", "object_type"), (4, 24, 183))

FILES = (
    RemoteFile(
        "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
        "cars",
        "4e866a7919c1beedf53964e6f7a23686",
        "tar",
        "data/cars",
    ),
)


def load_cars3d(root: Path, *, resident: Residence = "auto", space: FactorSpace = CARS3D_SPACE) -> Table | HostTable:
    """Factors: elevation, azimuth, object type. Types are numbered by sorted file name.

    The paper's loader takes them in the order of the directory listing, which differs between machines; a different
    order renames the values of object_type, nothing else.

    Args:
        root: data root.
        resident: see `make_table`.
        space: factors of the files, one file a type; other than the default for miniatures in tests.

    Raises:
        Error: files are missing or damaged.
    """
    folder = root / "cars"
    if not folder.is_dir():
        raise missing(folder, "cars3d")
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".mat")
    elevations, azimuths, types = space.sizes
    if len(paths) != types:
        raise damaged(folder, f"it holds {len(paths)} .mat files, not {types}", "cars3d")

    def slabs() -> Iterator[UInt8[ndarray, "slab 64 64 3"]]:
        cars = [read_car(path, elevations, azimuths) for path in paths]
        yield np.stack(cars, axis=2).reshape(-1, 64, 64, 3)

    shape = (space.num_points, 64, 64, 3)
    pixels, origin = prepared(paths, "cars3d-64", shape, np.dtype(np.uint8), slabs)
    return make_table(pixels, Layout(Grid(space), "cars3d", (64, 64, 3), "levels", origin), resident=resident)


def read_car(path: Path, elevations: int, azimuths: int) -> UInt8[ndarray, "elevation azimuth 64 64 3"]:
    """One car's images, reduced from 128 to 64 pixels with Lanczos.

    Raises:
        Error: the file is damaged, or `im` is not uint8 [128, 128, 3, azimuth, elevation].
    """
    with reading(path, "cars3d"):
        images = scipy.io.loadmat(path, variable_names=["im"])["im"]
    if images.shape != (128, 128, 3, azimuths, elevations) or images.dtype != np.uint8:
        expected = [128, 128, 3, azimuths, elevations]
        raise damaged(path, f"array 'im' is {images.dtype} {list(images.shape)}, not uint8 {expected}", "cars3d")
    views = images.transpose(4, 3, 0, 1, 2).reshape(-1, 128, 128, 3)
    small = [np.asarray(Image.fromarray(view).resize((64, 64), Image.Resampling.LANCZOS)) for view in views]
    return np.stack(small).reshape(elevations, azimuths, 64, 64, 3)
