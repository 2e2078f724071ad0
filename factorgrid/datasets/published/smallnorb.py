"""SmallNORB (LeCun, Huang, Bottou 2004), from the binary matrix files that its authors publish.

As in disentanglement_lib and the paper: training and test images together, the left camera only, 96 x 96 reduced
to 64 x 64. Which of ten toys of a category is shown is a hidden factor, drawn anew for each image.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int, Shaped, UInt8
from numpy import ndarray
from PIL import Image

from factorgrid.datasets.index import index_labels
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.published.remote import RemoteFile, damaged, missing, reading
from factorgrid.datasets.table import HostTable, Layout, Residence, Table, make_table
from factorgrid.factors import FactorSpace

FULL_SPACE = FactorSpace(("category", "instance", "elevation", "azimuth", "lighting"), (5, 10, 9, 18, 6))
VISIBLE = (0, 2, 3, 4)

PARTS = ("smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing")
SUMS = {
    (0, "dat"): "66054832f9accfe74a0f4c36a75bc0a2",
    (0, "cat"): "23c8b86101fbf0904a000b43d3ed2fd9",
    (0, "info"): "51dee1210a742582ff607dfd94e332e3",
    (1, "dat"): "e4ad715691ed5a3a5f138751a4ceb071",
    (1, "cat"): "5aa791cd7e6016cf957ce9bdb93b8603",
    (1, "info"): "a9454f3864d7fd4bb3ea7fc3eb84924e",
}
FILES = tuple(
    RemoteFile(
        f"https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/{PARTS[part]}-{kind}.mat.gz",
        f"small_norb/{PARTS[part]}-{kind}.mat",
        md5,
        "gz",
    )
    for (part, kind), md5 in SUMS.items()
)

# The first four bytes of a file say what its elements are.
ELEMENTS: dict[int, np.dtype] = {507333717: np.dtype("u1"), 507333716: np.dtype("<i4"), 507333713: np.dtype("<f4")}
ELEMENTS[507333715] = np.dtype("<f8")


def load_smallnorb(
    root: Path, *, resident: Residence = "auto", clip: bool = False, full_space: FactorSpace = FULL_SPACE
) -> Table | HostTable:
    """Factors: category, elevation, azimuth, lighting.

    Args:
        root: data root.
        resident: see `make_table`.
        clip: cut values to [0, 1]. By default they are as the paper's loader makes them: its reduction overshoots
            at edges, so a few lie outside.
        full_space: factors of the files, the hidden one second; other than the default for miniatures in tests.

    Raises:
        Error: a file is missing, damaged, or the files do not show each combination exactly once.
    """
    paths = [[_present(root, part, kind) for kind in ("dat", "cat", "info")] for part in PARTS]
    sources = [path for part in paths for path in part]
    shape = (full_space.num_points, 64, 64, 1)
    pixels, origin = prepared(
        sources, "smallnorb-64", shape, np.dtype(np.int16), lambda: _reduced_images(paths, full_space)
    )
    visible = FactorSpace([full_space.names[i] for i in VISIBLE], [full_space.sizes[i] for i in VISIBLE])
    labels = full_space.factors(np.arange(full_space.num_points))[:, list(VISIBLE)]
    layout = Layout(index_labels(labels, visible), "smallnorb", (64, 64, 1), "levels", origin)
    return make_table(np.clip(pixels, 0, 255).astype(np.uint8) if clip else pixels, layout, resident=resident)


def _present(root: Path, part: str, kind: str) -> Path:
    """The file, unpacked or not."""
    path = root / "small_norb" / f"{part}-{kind}.mat"
    packed = path.with_name(path.name + ".gz")
    if not path.exists() and not packed.exists():
        raise missing(path, "smallnorb")
    return path if path.exists() else packed


def _reduced_images(paths: list[list[Path]], space: FactorSpace) -> Iterator[Shaped[ndarray, "slab 64 64 1"]]:
    """The images of all parts in the order of their factors."""
    images = np.concatenate([_images(part[0]) for part in paths])
    labels = np.concatenate([_labels(*part[1:]) for part in paths])
    where = f"{paths[0][0].parent}/smallnorb-*"
    if len(images) != len(labels) or len(images) != space.num_points:
        what = f"{len(images):,} images and {len(labels):,} labels, not {space.num_points:,} of each"
        raise damaged(Path(where), what, "smallnorb")
    space.check(labels)
    position = np.full(space.num_points, -1)
    position[space.index(labels)] = np.arange(len(labels))
    if (position < 0).any():
        raise damaged(Path(where), "some factor combinations occur twice, others never", "smallnorb")
    for start in range(0, len(position), 512):
        yield np.stack([reduce(images[i]) for i in position[start : start + 512]])[..., None]


def reduce(image: UInt8[ndarray, "96 96"]) -> Int[ndarray, "64 64"]:
    """Lanczos from 96 to 64 pixels; int16, a few values outside 0..255.

    The paper's loader hands PIL signed bytes, which PIL takes for 32-bit integers (mode "I"): it then neither clips
    between the two passes nor at the end, and results differ from those of an 8-bit image at edges.
    """
    return np.asarray(Image.fromarray(image.astype(np.int32)).resize((64, 64), Image.Resampling.LANCZOS), np.int16)


def _images(path: Path) -> UInt8[ndarray, "image 96 96"]:
    """The left camera's images."""
    matrix = read_matrix(path)
    if matrix.dtype != np.uint8 or matrix.ndim != 4 or matrix.shape[1:] != (2, 96, 96):
        raise damaged(path, f"it is {matrix.dtype} {list(matrix.shape)}, not bytes [image, 2, 96, 96]", "smallnorb")
    return matrix[:, 0].copy()


def _labels(category_path: Path, info_path: Path) -> Int[ndarray, "image 5"]:
    """Columns as in `FULL_SPACE`."""
    category, info = read_matrix(category_path), read_matrix(info_path)
    if category.ndim != 1 or category.dtype != np.int32:
        raise damaged(category_path, f"it is {category.dtype} {list(category.shape)}, not int32 [image]", "smallnorb")
    if info.shape != (len(category), 4) or info.dtype != np.int32:
        what = f"it is {info.dtype} {list(info.shape)}, not int32 [{len(category)}, 4]"
        raise damaged(info_path, what, "smallnorb")
    # azimuths are counted in tens of degrees, in steps of twenty
    return np.column_stack([category, info[:, 0], info[:, 1], info[:, 2] // 2, info[:, 3]])


def read_matrix(path: Path) -> Shaped[ndarray, "..."]:
    """A file in SmallNORB's matrix format, gzipped or not.

    Little-endian: int32 magic number (the element type), int32 number of dimensions, their sizes (at least three
    int32, of which only as many count as there are dimensions), then the elements in row-major order.

    Raises:
        Error: the file is not such a matrix, or ends too early or too late.
    """
    with reading(path, "smallnorb"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    start = np.frombuffer(content[: len(content[:8]) // 4 * 4], "<i4")
    if len(start) < 2 or int(start[0]) not in ELEMENTS:
        raise damaged(path, "it does not begin with the magic number of a SmallNORB matrix", "smallnorb")
    element, num_axes = ELEMENTS[int(start[0])], int(start[1])
    if not 1 <= num_axes <= 8 or len(content) < 8 + 4 * max(3, num_axes):
        raise damaged(path, "its header ends too early", "smallnorb")
    shape = tuple(int(size) for size in np.frombuffer(content, "<i4", num_axes, 8))
    offset = 8 + 4 * max(3, num_axes)
    expected = offset + int(np.prod(shape, dtype=np.int64)) * element.itemsize
    if len(content) != expected:
        raise damaged(path, f"it holds {len(content):,} bytes, not {expected:,}", "smallnorb")
    return np.frombuffer(content, element, offset=offset).reshape(shape)
