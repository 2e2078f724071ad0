"""A user's own images: an npz file, or a folder of PNG, JPEG, WebP, TIFF and BMP files; with or without labels.

An npz holds `images` [image height width] or [image height width channel] (0..255 in integers, or 0..1 in
floats; a fourth channel is opacity), and may hold `factors` [image factor] and `factor_names` [factor]. A folder may
hold one CSV with a column `filename` and a column for each factor. Labels may be numbers or words; different ones are
the values of the factor, in ascending order. Unknown labels: an empty cell or nan, in an npz also -1.
"""

import csv
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from warnings import warn

import numpy as np
from jaxtyping import Int, Shaped, UInt8
from numpy import ndarray

from factorgrid.datasets import npz
from factorgrid.datasets.files import DAMAGE, DataWarning, one_line
from factorgrid.datasets.index import UNKNOWN, index_labels
from factorgrid.datasets.pictures import SUFFIXES, Background, Fit, composited, fitted, read_picture
from factorgrid.datasets.prepare import prepared
from factorgrid.datasets.table import Encoding, HostTable, Layout, Residence, Table, make_table
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

KINDS = "PNG, JPEG, WebP, TIFF, BMP"
MAP_FROM_BYTES = 2**30
MOST_NAMED = 10
MOST_FRACTIONS = 64  # different values of a factor that is not of whole numbers


@dataclass(frozen=True)
class Square:
    """How images become squares of `size` pixels a side; see `load_custom`."""

    size: int
    fit: Fit
    background: Background


def load_custom(
    path: Path,
    *,
    resident: Residence = "auto",
    image_size: int = 64,
    fit: Fit = "stretch",
    background: Background = "white",
) -> Table | HostTable:
    """The images at `path`, an npz or a folder.

    Args:
        path: see above.
        resident: see `make_table`.
        image_size: pixels a side; images of another size are resized, with a warning.
        fit: what happens to images that are not square: "stretch"; "crop" to the central square; "pad" with background.
        background: "white" or "black", seen through transparent pixels and beside padded images.

    Raises:
        Error: names every file that cannot be read, and says what else is wrong.
    """
    if not path.exists():
        raise Error(f"{path} does not exist; give an npz file or a folder of images, or the name of a data set")
    if not 8 <= image_size <= 1024:
        raise Error(f"image_size must be within 8..1024, got {image_size}")
    square = Square(image_size, fit, background)
    if path.is_dir():
        return _from_folder(path, resident, square)
    if path.suffix != ".npz":
        raise Error(f"{path} is neither an npz file nor a folder; give one with an array 'images', or a folder")
    return _from_npz(path, resident, square)


def image_names(path: Path) -> list[str]:
    """What the images at `path` are called, in the order of `load_custom`: files below a folder, rows of an npz."""
    if path.is_dir():
        return [picture.relative_to(path).as_posix() for picture in _pictures(_files(path))]
    return [str(row) for row in range(npz.header(path, "images")[0][0])]


def _from_npz(path: Path, resident: Residence, square: Square) -> Table | HostTable:
    try:
        names = npz.keys(path)
        shape, dtype = npz.header(path, "images")
        factors = npz.array(path, "factors") if "factors" in names else None
        named = np.atleast_1d(npz.array(path, "factor_names")).tolist() if "factor_names" in names else []
        _check_images(path, shape, dtype)
        pixels, origin = _pixels(path, shape, dtype, square)
    except (*DAMAGE, OSError) as problem:
        raise Error(f"{path} cannot be read: {one_line(problem)}") from problem
    labels, space = _labels_of_npz(path, factors, [*map(_text, named)], shape[0])
    encoding: Encoding = "float32" if pixels.dtype == np.float32 else "levels"
    layout = Layout(index_labels(labels, space), path.stem, pixels.shape[1:], encoding, origin)
    return make_table(pixels, layout, resident=resident)


def _check_images(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if len(shape) == 4 and shape[3] not in (1, 3, 4) and shape[1] in (1, 3, 4):
        what = "looks like [image, channel, height, width]; use images.transpose(0, 2, 3, 1)"
    elif len(shape) == 3 and shape[2] in (1, 3, 4):
        what = "looks like one image [height, width, channel]; use images[None]"
    elif len(shape) not in (3, 4) or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
        what = "has another shape"
    elif dtype.kind not in "biuf":
        raise Error(f"{path}: 'images' must be numbers, got {dtype}")
    else:
        return
    raise Error(f"{path}: 'images' must be [image, height, width] or [..., 1, 3 or 4]; {list(shape)} {what}")


def _pixels(path: Path, shape: tuple[int, ...], dtype: np.dtype, square: Square) -> tuple[Shaped[ndarray, "..."], str]:
    """Images [image size size channel], uint8 or float32 in [0, 1], and where they come from."""
    whole = (*shape, 1) if len(shape) == 3 else shape
    fits = whole[1:3] == (square.size, square.size) and whole[3] != 4
    if dtype == np.uint8 and fits and math.prod(whole) > MAP_FROM_BYTES:
        rows = (slab.reshape(-1, *whole[1:]) for slab in npz.slabs(path, "images", len(shape) - 1))
        return prepared([path], f"{path.stem}-images", whole, dtype, lambda: rows)
    images = npz.array(path, "images").reshape(whole)
    if images.dtype == bool:
        images = images.astype(np.uint8) * 255
    low, high = images.min(), images.max()
    if images.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise Error(f"{path}: integer 'images' must be within 0..255, got values from {low} to {high}")
        images = images.astype(np.uint8)
    else:
        if np.isnan(low):
            first = int(np.flatnonzero(np.isnan(images.reshape(len(images), -1)).any(axis=1))[0])
            raise Error(f"{path}: 'images' has values that are not numbers (nan), first in image {first}")
        if not (low >= 0 and high <= 1):
            hint = "; divide them by 255" if low >= 0 and 1 < high <= 255 else ""
            raise Error(f"{path}: floating-point 'images' must be within 0..1, got values from {low} to {high}{hint}")
        images = images.astype(np.float32)
    if images.shape[3] == 4:
        images = np.stack([composited(image, square.background) for image in images])
    if images.shape[1:3] != (square.size, square.size):
        _warn_of_resizing(path, {(images.shape[2], images.shape[1])}, square)
        images = np.stack([fitted(image, square.size, square.fit, square.background) for image in images])
    return images, _origin(path, images)


def _labels_of_npz(
    path: Path, factors: Shaped[ndarray, "..."] | None, names: list[str], num_images: int
) -> tuple[Int[ndarray, "image factor"], FactorSpace | None]:
    if factors is None or factors.shape == (num_images, 0):
        return np.zeros((num_images, 0), np.int64), None
    table = factors[:, None] if factors.ndim == 1 else factors
    if table.ndim != 2 or len(table) != num_images:
        raise Error(f"{path}: 'factors' must be [{num_images}, factor], a row an image, got {list(factors.shape)}")
    if table.dtype.kind not in "biufUS":
        raise Error(f"{path}: 'factors' must be numbers or words, got {table.dtype}")
    names = names or [f"factor_{i + 1}" for i in range(table.shape[1])]
    if len(names) != table.shape[1]:
        raise Error(f"{path}: {len(names)} 'factor_names' for {table.shape[1]} columns of 'factors'")
    columns = [[_cell(value) for value in column.tolist()] for column in table.T]
    return _numbered(path, names, columns)


def _cell(value: object) -> str:
    """An entry of `factors` as a cell of a CSV would hold it; empty where unknown."""
    text = _text(value)
    return "" if value == -1 or text in ("-1", "nan") else text


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbered(
    path: Path, names: Sequence[str], columns: Sequence[Sequence[str]]
) -> tuple[Int[ndarray, "image factor"], FactorSpace | None]:
    """Cells -> the number of each among the different values of its column, ascending; -1 where empty or nan."""
    if not names:
        return np.zeros((len(columns[0]) if columns else 0, 0), np.int64), None
    numbers, words = [], []
    for name, column in zip(names, columns):
        cells = ["" if cell.lower() == "nan" else cell for cell in column]
        if all(_number(cell) is not None for cell in cells if cell):
            cells = _whole_numbers(path, name, cells)
        values = sorted({cell for cell in cells if cell}, key=_by_number_then_word)
        if not values:
            raise Error(f"{path}: factor '{name}' has no values; fill it or leave it out")
        number = {value: i for i, value in enumerate(values)}
        numbers.append([number.get(cell, UNKNOWN) for cell in cells])
        words.append(values)
    return np.array(numbers, np.int64).T, FactorSpace(names, [len(values) for values in words], words)


def _whole_numbers(path: Path, name: str, cells: Sequence[str]) -> list[str]:
    """Numbers written in one way each: 2.0 as 2. Fractions are values only if few of them occur again and again."""
    plain = [_plain(cell) for cell in cells]
    found = sorted({float(cell) for cell in plain if cell})
    if not all(number.is_integer() for number in found):
        said = f"{path}: factor '{name}' has fractions and {len(found)} different values, {found[0]} .. {found[-1]}"
        if len(found) > min(MOST_FRACTIONS, sum(map(bool, plain)) // 2):
            raise Error(f"{said}; group them first, such as with np.digitize, or leave it out")
        warn(f"{said}; they are taken as classes", DataWarning, stacklevel=6)
    return plain


def _plain(cell: str) -> str:
    """2, 2.0 and 02 as 2; whole numbers of any length."""
    try:
        return str(int(cell)) if cell else ""
    except ValueError:
        number = float(cell)
        return f"{number + 0.0:.0f}" if number.is_integer() else repr(number)


def _number(cell: str) -> float | None:
    """A finite number, or None for a word."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _by_number_then_word(cell: str) -> tuple[int, float, str]:
    number = _number(cell)
    return (1, 0.0, cell) if number is None else (0, number, cell)


def _from_folder(folder: Path, resident: Residence, square: Square) -> Table | HostTable:
    files = _files(folder)
    pictures = _pictures(files)
    tables = [path for path in files if path.suffix.lower() == ".csv"]
    if not pictures:
        raise Error(f"{folder} holds no pictures ({KINDS})")
    if len(tables) > 1:
        raise Error(f"{folder} holds {len(tables)} CSV files ({_listed([t.name for t in tables])}); keep one")
    others = [str(path.relative_to(folder)) for path in files if path not in {*pictures, *tables}]
    if others:
        warn(f"{folder}: neither pictures ({KINDS}) nor CSV, so not read: {_listed(others)}", DataWarning, stacklevel=4)
    names = [path.relative_to(folder).as_posix() for path in pictures]
    labels, space = _read_csv(tables[0], names) if tables else (np.zeros((len(names), 0), np.int64), None)
    images = _read_pictures(folder, pictures, square)
    layout = Layout(index_labels(labels, space), folder.name, images.shape[1:], "levels", _origin(folder, images))
    return make_table(images, layout, resident=resident)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder)))
    except OSError as problem:
        raise Error(f"{folder} cannot be searched for pictures: {one_line(problem)}") from problem


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _pictures(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if path.suffix.lower() in SUFFIXES]


def _read_pictures(
    folder: Path, paths: list[Path], square: Square
) -> UInt8[ndarray, "image {square.size} {square.size} channel"]:
    """All pictures, made square; one channel if all are grey, else three. An Error names all that cannot be read."""
    images, sizes, bad, size = [], set(), [], square.size
    for path in paths:
        try:
            pixels = read_picture(path, square.background)
        except Exception as problem:  # Pillow raises many kinds
            bad.append(f"{path.relative_to(folder)} ({one_line(problem).replace(str(path), 'it')})")
            continue
        if pixels.shape[:2] != (size, size):
            sizes.add((pixels.shape[1], pixels.shape[0]))
        images.append(fitted(pixels, size, square.fit, square.background))
    if bad:
        raise Error(
            f"{folder}: {len(bad)} of {len(paths)} pictures cannot be read: {_listed(bad)}; replace or remove them"
        )
    if sizes:
        _warn_of_resizing(folder, sizes, square)
    channels = max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (size, size, channels)) for image in images])


def _read_csv(path: Path, names: list[str]) -> tuple[Int[ndarray, "image factor"], FactorSpace | None]:
    """The labels of the pictures called `names`; those without a row have none."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            rows, header = list(reader), list(reader.fieldnames or [])
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise Error(f"{path} cannot be read: {one_line(problem)}; save it as UTF-8 with commas") from problem
    if "filename" not in header:
        raise Error(f"{path} has no column 'filename'; its columns: {', '.join(header) or 'none'}")
    if "" in header:
        raise Error(f"{path}: a column has no name; pandas writes numbers of rows so: to_csv(..., index=False)")
    ragged = [i + 2 for i, row in enumerate(rows) if None in row or None in row.values()]
    if ragged:
        raise Error(f"{path}: line {ragged[0]} has not {len(header)} cells as its header has")
    listed = [row["filename"].strip() for row in rows]
    unknown = sorted(set(listed) - set(names))
    if unknown:
        raise Error(f"{path} names {len(unknown)} pictures that are not in the folder: {_listed(unknown)}")
    if len(set(listed)) < len(listed):
        twice = sorted({name for name in listed if listed.count(name) > 1})
        raise Error(f"{path} names pictures twice: {_listed(twice)}")
    row_of = dict(zip(listed, rows))
    factor_names = [name for name in header if name != "filename"]
    columns = [[row_of.get(name, {}).get(factor, "").strip() for name in names] for factor in factor_names]
    if not factor_names:
        return np.zeros((len(names), 0), np.int64), None
    return _numbered(path, factor_names, columns)


def _warn_of_resizing(path: Path, sizes: set[tuple[int, int]], square: Square) -> None:
    first = " x ".join(map(str, sorted(sizes)[0]))
    more = f" and {len(sizes) - 1} other sizes" if len(sizes) > 1 else ""
    done = {
        "stretch": "are stretched (fit='crop' or 'pad' does not)",
        "crop": "are cropped",
        "pad": f"are padded with {square.background}",
    }
    oblong = f"; those that are not square {done[square.fit]}" if any(w != h for w, h in sizes) else ""
    warn(
        f"{path}: images of {first}{more} are resized to {square.size} x {square.size}{oblong}",
        DataWarning,
        stacklevel=5,
    )


def _origin(path: Path, images: Shaped[ndarray, "..."]) -> str:
    return f"{path.name}, {len(images)} images, md5 of pixels {hashlib.md5(images.data).hexdigest()}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
