"""Big files, turned once into plain .npy files that can be memory-mapped.

The .npy lies beside its source. Its name holds a digest of the names, sizes and times of the source files, so a
changed source is prepared anew. It is written under a temporary name and renamed: there is never half a file.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from factorgrid.datasets.files import one_line
from factorgrid.datasets.progress import byte_bar
from factorgrid.errors import Error

# Part of the name: raise it when the preparation of any data set changes.
VERSION = 1


def prepared(
    sources: Sequence[Path],
    label: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    slabs: Callable[[], Iterable[Shaped[ndarray, "slab ..."]]],
) -> tuple[Shaped[ndarray, "..."], str]:
    """The memory-mapped result of preparing `sources`, and what they are, with checksums.

    Args:
        sources: existing files that the result is made of; the result is written to the folder of the first.
        label: what the result is; names of results of different preparations must differ.
        shape, dtype: of the result.
        slabs: yields the result in order, some rows at a time; not called if the result exists.

    Raises:
        Error: the folder cannot be written, or the disk is full; and whatever `slabs` raises.
    """
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sources]
    digest = hashlib.sha256(repr((VERSION, label, shape, str(dtype), stats)).encode()).hexdigest()[:12]
    target = sources[0].parent / f"{label}-{digest}.npy"
    if not target.exists():
        with _locked(target, label), _temporary(target) as file:
            if not target.exists():  # else another process has made it while this one waited
                _write(file, label, shape, dtype, slabs())
                _record(sources, target)
                os.replace(file.name, target)
        for stale in set(target.parent.glob(f"{label}-*.npy")) - {target}:
            stale.unlink(missing_ok=True)
            stale.with_suffix(".json").unlink(missing_ok=True)
    origin = json.loads(target.with_suffix(".json").read_text())["origin"]
    return np.load(target, mmap_mode="r"), origin


@contextmanager
def _locked(target: Path, label: str) -> Iterator[None]:
    """Holds the other processes that want to prepare the same until this one has; says why it cannot be done."""
    try:
        with open(target.parent / f".{label}.lock", "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as problem:
        raise Error(
            f"{target} cannot be written ({one_line(problem)}); make room, or point FACTORGRID_DATA to a folder that "
            f"can be written"
        ) from problem


@contextmanager
def _temporary(target: Path) -> Iterator[IO[bytes]]:
    """A file beside `target`, removed unless it was renamed."""
    path = target.with_name(target.name + ".part")
    try:
        with open(path, "wb") as file:
            yield file
    finally:
        path.unlink(missing_ok=True)


def _write(file: IO[bytes], label: str, shape: tuple[int, ...], dtype: np.dtype, slabs: Iterable[ndarray]) -> None:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, description)
    written = 0
    with byte_bar(f"preparing {label}, once", size) as advance:
        for slab in slabs:
            assert (slab.dtype, slab.shape[1:]) == (dtype, shape[1:]), (slab.dtype, slab.shape)
            file.write(np.ascontiguousarray(slab).data)
            written += slab.nbytes
            advance(slab.nbytes)
    assert written == size, f"prepared {written} of {size} bytes"
    file.flush()
    os.fsync(file.fileno())


def _record(sources: Sequence[Path], target: Path) -> None:
    """Write beside `target` what it was made of. Before it, so that it is never without."""
    sums = [checksum(path) for path in sources]
    if len(sources) == 1:
        origin = f"{sources[0].name}, md5 {sums[0]}"
    else:
        combined = hashlib.md5("".join(sums).encode()).hexdigest()
        origin = f"{sources[0].name} and {len(sources) - 1} more, md5 of their md5s {combined}"
    temporary = target.with_suffix(".json.part")
    temporary.write_text(json.dumps({"origin": origin, "md5": sums}))
    os.replace(temporary, target.with_suffix(".json"))


def checksum(path: Path) -> str:
    """MD5 of a file, read piece by piece."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
