"""Arrays inside npz files, read slab by slab: a 12 GB array is never in memory at once. Nothing is unpickled."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from factorgrid.datasets.memory import host_bytes
from factorgrid.readable import readable_bytes

SLAB_BYTES = 2**25


def keys(path: Path) -> list[str]:
    """Names of the arrays in the file. Raises what `zipfile` raises."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def header(path: Path, key: str, *, columns_first: bool = False) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the array `key`. Raises ValueError or KeyError, or what `zipfile` raises.

    Columns may come first in the file (NumPy's Fortran order) only if `columns_first`: such an array has no slabs.
    """
    with _opened(path, key, columns_first=columns_first) as (_, shape, dtype):
        return shape, dtype


def slabs(path: Path, key: str, rank: int) -> Iterator[Shaped[ndarray, "slab ..."]]:
    """The array `key`, some rows at a time; a row is what the last `rank` axes hold, the axes before run together.

    Raises as `header`; EOFError where the file ends too early.
    """
    with _opened(path, key) as (stream, shape, dtype):
        row_shape = shape[len(shape) - rank :]
        num_rows = int(np.prod(shape[: len(shape) - rank], dtype=np.int64))
        row_bytes = int(np.prod(row_shape, dtype=np.int64)) * dtype.itemsize
        rows_per_slab = max(1, SLAB_BYTES // max(row_bytes, 1))
        for start in range(0, num_rows, rows_per_slab):
            num = min(rows_per_slab, num_rows - start)
            content = stream.read(num * row_bytes)
            if len(content) < num * row_bytes:
                raise EOFError(f"array '{key}' ends after {start + len(content) // row_bytes:,} of {num_rows:,} rows")
            yield np.frombuffer(content, dtype).reshape(num, *row_shape)
        stream.read(1)  # reaching the end makes zipfile compare the checksum


def array(path: Path, key: str) -> Shaped[ndarray, "..."]:
    """The array `key`, whole. Raises as `slabs`; ValueError, before it is read, if memory or the file is too small."""
    shape, dtype = header(path, key, columns_first=True)
    size, free = math.prod(shape) * dtype.itemsize, host_bytes()
    if size > free:
        raise ValueError(f"array '{key}' takes {readable_bytes(size)}, and {readable_bytes(free)} of memory are free")
    if size == 0:
        return np.empty(shape, dtype)
    with zipfile.ZipFile(path) as archive:
        held = archive.getinfo(f"{key}.npy").file_size
    if held < size:
        raise ValueError(f"array '{key}' should take {readable_bytes(size)}, but the file holds {readable_bytes(held)}")
    with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as stream:
        found = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # reaching the end makes zipfile compare the checksum
        return found


@contextmanager
def _opened(
    path: Path, key: str, *, columns_first: bool = False
) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
    with zipfile.ZipFile(path) as archive:
        if f"{key}.npy" not in archive.namelist():
            raise KeyError(f"no array '{key}'; it holds {', '.join(archive.namelist()) or 'nothing'}")
        with archive.open(f"{key}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if version not in readers:
                raise ValueError(f"array '{key}' is in npy format {version[0]}.{version[1]}")
            shape, fortran_order, dtype = readers[version](stream)
            if any(length < 0 for length in shape):
                raise ValueError(f"array '{key}' has the impossible shape {list(shape)}")
            if dtype.hasobject:
                raise ValueError(f"array '{key}' holds pickled objects, which are never loaded")
            if fortran_order and len(shape) > 1 and not columns_first:
                raise ValueError(f"array '{key}' is stored in Fortran order; save np.ascontiguousarray of it")
            yield stream, shape, dtype
