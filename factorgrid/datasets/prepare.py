"""Big files, turned once into plain .npy files that can be memory-mapped.

The .npy lies beside its originals. Its name holds a digest of the names, sizes and times of the original files, so a
changed original is prepared anew. It is written under a temporary name and renamed: there is never half a file.
"""

import fcntl
import glob
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from factorgrid.datasets.files import one_line
from factorgrid.errors import Error
from factorgrid.files import read_json, replacing, write_json
from factorgrid.progress import Bar

# Part of the name: raise it when the preparation of any data set changes.
VERSION = 1
DIGEST = 12 * "[0-9a-f]"  # what a digest looks like to glob: what a user has called alike is not ours


def prepared(
    originals: Sequence[Path],
    label: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    slabs: Callable[[], Iterable[Shaped[ndarray, "slab ..."]]],
) -> tuple[Shaped[ndarray, "..."], str]:
    """The memory-mapped result of preparing `originals`, and what they are, with checksums.

    Args:
        originals: existing files that the result is made of; the result is written to the folder of the first.
        label: what the result is; names of results of different preparations must differ.
        shape, dtype: of the result.
        slabs: yields the result in order, some rows at a time; not called if the result exists.

    Raises:
        Error: the folder cannot be written, or the disk is full; and whatever `slabs` raises.
    """
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in originals]
    digest = hashlib.sha256(repr((VERSION, label, shape, str(dtype), stats)).encode()).hexdigest()[:12]
    target = originals[0].parent / f"{label}-{digest}.npy"
    record, label_pattern = target.with_suffix(".json"), glob.escape(label)
    if not (target.exists() and record.exists()):
        with _locked(target, label):
            for half in target.parent.glob(f".{label_pattern}-*.npy"):  # of a process that was killed
                half.unlink(missing_ok=True)
            if not (target.exists() and record.exists()):  # else another process made them while this one waited
                with replacing(target) as temporary:
                    _write(temporary, label, shape, dtype, slabs())
                    write_json(record, _record(originals))
        for stale in set(target.parent.glob(f"{label_pattern}-{DIGEST}.npy")) - {target}:
            stale.unlink(missing_ok=True)
            stale.with_suffix(".json").unlink(missing_ok=True)
    return np.load(target, mmap_mode="r"), read_json(record)["origin"]


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


def _write(path: Path, label: str, shape: tuple[int, ...], dtype: np.dtype, slabs: Iterable[ndarray]) -> None:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    written = 0
    with open(path, "wb") as file, Bar(f"preparing {label}, once", size, unit="bytes") as bar:
        np.lib.format.write_array_header_1_0(file, description)
        for slab in slabs:
            assert (slab.dtype, slab.shape[1:]) == (dtype, shape[1:]), (slab.dtype, slab.shape)
            file.write(np.ascontiguousarray(slab).data)
            written += slab.nbytes
            bar.update(written)
    assert written == size, f"prepared {written} of {size} bytes"


def _record(originals: Sequence[Path]) -> dict[str, object]:
    """What a result is made of."""
    sums = [checksum(path) for path in originals]
    if len(originals) == 1:
        origin = f"{originals[0].name}, md5 {sums[0]}"
    else:
        combined = hashlib.md5("".join(sums).encode()).hexdigest()
        origin = f"{originals[0].name} and {len(originals) - 1} more, md5 of their md5s {combined}"
    return {"origin": origin, "md5": sums}


def checksum(path: Path) -> str:
    """MD5 of a file, read piece by piece."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
