"""What figures need of trained models, as small arrays beside a study's results.

They are computed where the models are, and saved; where the models are not, they are read. Figures are drawn from
the arrays either way, so that a report made again is the same.
"""

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.files import replacing
from factorgrid.report.study_cells import Cells
from factorgrid.report.values import Absent
from factorgrid.study.outcomes import Group
from factorgrid.training import Run

Arrays = Mapping[str, ndarray]
MOST_BYTES = 250_000  # of a group's images, compressed


def model_arrays(cells: Cells, group: Group, what: str, compute: Callable[[Run], Arrays]) -> Arrays | Absent:
    """The arrays of a group: of its models if they are there (and saved), else as they were saved.

    Args:
        cells: the study.
        group: whose models.
        what: a word for the file's name, such as "planes".
        compute: small arrays of numbers or text: float16 and uint8 where that suffices. If it raises an Error, that is
            why there are none.
    """
    if not cells.with_models:
        return Absent("left out of a quick report", elsewhere=True)
    start = cells.outcome.arrays.get(group.name)
    path = None if start is None else start.with_name(f"{start.name}-{what}.npz")
    run = _open(cells, group)
    if isinstance(run, Run):
        try:
            arrays = dict(compute(run))
        except Error as error:
            return Absent(str(error))
        if path is not None:
            with contextlib.suppress(Error):  # results that cannot be written to are reported all the same
                _save(path, arrays)
        return arrays
    return _load(path) if path is not None and path.exists() else run


def as_bytes(images: ndarray) -> ndarray:
    """Images in [0, 1], [..., height, width, channel], as uint8."""
    return (255 * images.clip(0, 1)).round().astype(np.uint8)


def small(pictures: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Images in [0, 1] of one size as uint8, halved in size until they take few enough bytes in a file."""
    found = {name: as_bytes(images) for name, images in pictures.items()}
    while sum(len(zlib.compress(images.tobytes())) for images in found.values()) > MOST_BYTES:
        height, width = next(iter(found.values())).shape[-3:-1]
        if height % 2 or width % 2:
            break
        found = {name: halved(images) for name, images in found.items()}
    return found


def halved(images: ndarray) -> ndarray:
    """uint8 images of half the height and width, each pixel the mean of four."""
    *many, height, width, channels = images.shape
    parts = images.reshape(*many, height // 2, 2, width // 2, 2, channels)
    return parts.mean(axis=(-4, -2)).round().astype(np.uint8)


def _open(cells: Cells, group: Group) -> Run | Absent:
    folder = cells.outcome.runs.get(group.name)
    if folder is None or not (folder / "config.json").exists():
        reason = f"the models of group {group.name} are not beside these results; run the report where they are"
        return Absent(reason, elsewhere=True)
    try:
        run = Run.open(folder, refined=False)  # methods are compared as they were trained
    except Error as error:
        return Absent(str(error), elsewhere=True)
    return run if run.finished else Absent(f"the weights of group {group.name} are incomplete in {folder}")


def _save(path: Path, arrays: Arrays) -> None:
    old = _load(path) if path.exists() else Absent()
    known = {} if isinstance(old, Absent) else old
    if known.keys() == arrays.keys() and all(np.array_equal(known[name], arrays[name]) for name in arrays):
        return  # a file has the time of its writing in it, and would differ all the same
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def _load(path: Path) -> Arrays | Absent:
    try:
        with np.load(path, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, EOFError, ValueError, KeyError, zlib.error, zipfile.BadZipFile):
        return Absent(f"{path} is damaged; delete it and run the report where the models are", elsewhere=True)
