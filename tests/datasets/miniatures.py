"""Miniatures of the published files, in their authors' formats."""

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from factorgrid.datasets.dataset import Dataset
from factorgrid.datasets.published import cars3d, dsprites, mpi3d, shapes3d, smallnorb
from factorgrid.factors import FactorSpace

MAGIC = {"|u1": 507333717, "<i4": 507333716}


@dataclass(frozen=True)
class Miniature:
    """A published data set of few images on disk.

    Attributes:
        load: (root, **options) -> the data set.
        space: factors of the files, hidden ones included.
        images: what the files hold, in the order of the factors.
        files: all of them.
    """

    load: Callable[..., Dataset]
    space: FactorSpace
    images: np.ndarray
    files: tuple[Path, ...]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


def write_dsprites(root: Path, name: str = "dsprites") -> Miniature:
    space = FactorSpace(("shape", "scale", "orientation", "x_position", "y_position"), (3, 2, 4, 2, 2))
    images = noise(space.num_points, 64, 64) % 2
    factors = space.factors(np.arange(space.num_points))
    classes = np.concatenate([np.zeros((len(images), 1), np.int64), factors], axis=1)
    path = root / "dsprites" / "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = np.array({"title": "dSprites dataset", "latents_sizes": np.array([1, *space.sizes])}, dtype=object)
    np.savez_compressed(
        path, metadata=metadata, imgs=images, latents_classes=classes, latents_values=classes.astype(float)
    )
    loader = {"dsprites": dsprites.load_dsprites, "color_dsprites": dsprites.load_color_dsprites}[name]
    return Miniature(lambda root, **options: loader(root, space=space, **options), space, images[..., None], (path,))


def norb_matrix(array: np.ndarray) -> bytes:
    """SmallNORB's format: magic number, number of axes, at least three sizes, elements; little-endian."""
    sizes = (*array.shape, 1, 1)[: max(3, array.ndim)]
    header = struct.pack(f"<{2 + len(sizes)}i", MAGIC[array.dtype.str], array.ndim, *sizes)
    return header + array.tobytes()


def write_smallnorb(root: Path, packed: bool = False) -> Miniature:
    space = FactorSpace(("category", "instance", "elevation", "azimuth", "lighting"), (5, 4, 2, 3, 2))
    images = noise(space.num_points, 96, 96)
    images[:8, :, :48], images[:8, :, 48:] = 0, 255  # sharp edges, at which Lanczos overshoots
    factors = space.factors(np.arange(space.num_points))
    rng = np.random.default_rng(1)
    files = []
    for part, instances in zip(smallnorb.PARTS, ((1, 3), (0, 2))):
        rows = rng.permutation(np.flatnonzero(np.isin(factors[:, 1], instances)))
        category, instance, elevation, azimuth, lighting = factors[rows].T
        right = rng.integers(0, 256, size=images[rows].shape, dtype=np.uint8)
        content = {
            "dat": np.stack([images[rows], right], axis=1),
            "cat": category.astype("<i4"),
            "info": np.stack([instance, elevation, 2 * azimuth, lighting], axis=1).astype("<i4"),
        }
        for kind, array in content.items():
            path = root / "small_norb" / f"{part}-{kind}.mat"
            path.parent.mkdir(parents=True, exist_ok=True)
            if packed:
                path = path.with_name(path.name + ".gz")
            path.write_bytes(gzip.compress(norb_matrix(array)) if packed else norb_matrix(array))
            files.append(path)
    load = lambda root, **options: smallnorb.load_smallnorb(root, full_space=space, **options)  # noqa: E731
    return Miniature(load, space, images, tuple(files))


def write_cars3d(root: Path) -> Miniature:
    space = FactorSpace(("elevation", "azimuth", "object_type"), (2, 3, 3))
    images = noise(*space.sizes, 128, 128, 3)
    folder = root / "cars"
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for car in (2, 0, 1):  # written out of order: types are numbered by name
        path = folder / f"car_{car + 7:03d}_mesh.mat"
        content = {"im": images[:, :, car].transpose(2, 3, 4, 1, 0), "mask": np.zeros((128, 128, 3, 2), np.uint8)}
        scipy.io.savemat(path, content, do_compression=True)
        files.append(path)
    (folder / "list.txt").write_text("car_007_mesh\n")
    load = lambda root, **options: cars3d.load_cars3d(root, space=space, **options)  # noqa: E731
    return Miniature(load, space, images.reshape(-1, 128, 128, 3), tuple(sorted(files)))


def write_shapes3d(root: Path, form: str = "h5") -> Miniature:
    space = FactorSpace(shapes3d.SHAPES3D_SPACE.names, (2, 2, 2, 3, 2, 2))
    images = noise(space.num_points, 64, 64, 3)
    steps = np.array([0.1, 0.1, 0.1, 0.0714, 1.0, 4.2857])
    labels = space.factors(np.arange(space.num_points)) * steps + np.array([0, 0, 0, 0.75, 0, -30])
    folder = root / "3dshapes"
    folder.mkdir(parents=True, exist_ok=True)
    if form == "h5":
        path = folder / "3dshapes.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=images, chunks=(7, 64, 64, 3), compression="gzip")
            file.create_dataset("labels", data=labels)
    else:
        path = folder / shapes3d.NPZ_NAMES[form == "grid"]
        np.savez(path, images=images.reshape(*space.sizes, 64, 64, 3) if form == "grid" else images, labels=labels)
    load = lambda root, **options: shapes3d.load_shapes3d(root, space=space, **options)  # noqa: E731
    return Miniature(load, space, images, (path,))


MPI3D_FULL = FactorSpace(mpi3d.NAMES, (6, 6, 1, 1, 2, 2, 1))
MPI3D_FIRST = FactorSpace(mpi3d.NAMES, (4, 4, 1, 1, 2, 2, 1))


def write_mpi3d(root: Path, variant: mpi3d.Variant = "toy", edition: str = "full", grid: bool = False) -> Miniature:
    space = MPI3D_FULL if edition == "full" else MPI3D_FIRST
    images = noise(space.num_points, 64, 64, 3)
    path = root / f"mpi3d_{variant}" / f"mpi3d_{variant}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, images=images.reshape(*space.sizes, 64, 64, 3) if grid else images)

    def load(root: Path, **options: object) -> Dataset:
        return mpi3d.load_mpi3d(root, variant, full_space=MPI3D_FULL, first_space=MPI3D_FIRST, **options)

    return Miniature(load, space, images, (path,))


WRITERS: dict[str, Callable[[Path], Miniature]] = {
    "dsprites": write_dsprites,
    "color_dsprites": lambda root: write_dsprites(root, "color_dsprites"),
    "smallnorb": write_smallnorb,
    "cars3d": write_cars3d,
    "shapes3d": write_shapes3d,
    "mpi3d_toy": lambda root: write_mpi3d(root, "toy"),
    "mpi3d_realistic": lambda root: write_mpi3d(root, "realistic"),
    "mpi3d_real": lambda root: write_mpi3d(root, "real"),
}
