"""Pictures of the rendered twins for docs/twins.md: beside published frames, and each factor walked through its values.

    python docs/make_twin_sheets.py FOLDER [--out docs/images]

FOLDER holds published frames as npz files (they are not in this repository): `shapes3d_frames.npz` with `imgs`,
`classes`, `source`; `mpi3d_frames.npz` with `toy1`, `toy2` [frame, row, 64, 64, 3] and their `toy1_classes`,
`toy2_classes`; and `traversal_frames.npz` with `cars3d` and `smallnorb` [column, row, 64, 64, 3]. Without FOLDER only
the walks are drawn.
About a minute on two cores.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from factorgrid.datasets.dataset import Dataset
from factorgrid.datasets.rendered.cars3d_twin import Cars3DTwin
from factorgrid.datasets.rendered.mpi3d_toy_twin import MPI3DToyTwin
from factorgrid.datasets.rendered.shapes3d_twin import Shapes3DTwin
from factorgrid.datasets.rendered.smallnorb_twin import SmallNORBTwin

PER_ROW = 10
GAP = 2  # white pixels between pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="published frames")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    twins = {twin.name: twin for twin in (Shapes3DTwin(), MPI3DToyTwin(subset="all"), Cars3DTwin(), SmallNORBTwin())}
    for twin in twins.values():
        walk(twin, arguments.out / f"{twin.name}_walk.png")
    if arguments.folder is None:
        return
    pairs = {
        "shapes3d_twin": shapes3d_pairs(arguments.folder, twins["shapes3d_twin"]),
        "mpi3d_toy_twin": mpi3d_pairs(arguments.folder, twins["mpi3d_toy_twin"]),
        "cars3d_twin": cars3d_rows(arguments.folder, twins["cars3d_twin"]),
        "smallnorb_twin": smallnorb_rows(arguments.folder, twins["smallnorb_twin"]),
    }
    for name, (rows, how) in pairs.items():
        save(rows, arguments.out / f"{name}_beside_real.png", f"published frames and {name.replace('_', ' ')}: {how}")


def shapes3d_pairs(folder: Path, twin: Dataset) -> tuple[list, str]:
    """Rows of published frames, each above the twin's images of the same factors."""
    with np.load(folder / "shapes3d_frames.npz") as file:
        sharp = file["source"] == "notebook"
        images, factors = file["imgs"][sharp] / 255.0, file["classes"][sharp]
    return interleaved(images[:40], twin.observe(factors[:40], 0)), "same factors, published above, twin below"


def mpi3d_pairs(folder: Path, twin: Dataset) -> tuple[list, str]:
    rows = [("toy1", 5), ("toy1", 6), ("toy1", 1), ("toy2", 5), ("toy2", 3)]
    with np.load(folder / "mpi3d_frames.npz") as file:
        images = np.concatenate([file[name][::2, row] for name, row in rows]) / 255.0
        factors = np.concatenate([file[f"{name}_classes"][::2, row] for name, row in rows])
    return interleaved(images, twin.observe(factors, 0)), "same factors, published above, twin below"


def cars3d_rows(folder: Path, twin: Dataset) -> tuple[list, str]:
    """Published frames of unknown factors, then a like choice of the twin's."""
    with np.load(folder / "traversal_frames.npz") as file:
        real = file["cars3d"].reshape(-1, 64, 64, 3) / 255.0
    views = [[e, 6, 6] for e in (0, 1, 3)] + [[1, a, 63] for a in (0, 6, 9)] + [[2, 2, n] for n in (3, 12, 51)]
    views += [[number % 4, 5 * number % 24, 7 * number + 3] for number in range(18)]
    drawn = twin.observe(np.array(views), 0)
    return [list(real), *(list(drawn[i : i + 9]) for i in (0, 9, 18))], "published in the first row, twin below"


def smallnorb_rows(folder: Path, twin: Dataset) -> tuple[list, str]:
    with np.load(folder / "traversal_frames.npz") as file:
        real = np.repeat(file["smallnorb"].reshape(-1, 64, 64, 3)[..., :1], 3, axis=-1) / 255.0
    views = [[c, (2 * i + c) % 9, (5 * i + 3 * c) % 18, (i + c) % 6] for c in range(5) for i in range(10)]
    assert isinstance(twin, SmallNORBTwin)
    drawn = twin.of_instances(jnp.asarray(views), jnp.asarray([i for _ in range(5) for i in range(10)]))
    rows = [list(np.repeat(np.asarray(drawn[i : i + 10]), 3, axis=-1)) for i in range(0, 50, 10)]
    return [list(real[:10]), list(real[10:]), *rows], "published in the first two rows, twin below"


def interleaved(real: np.ndarray, drawn: np.ndarray) -> list:
    rows = []
    for start in range(0, len(real), PER_ROW):
        rows += [list(real[start : start + PER_ROW]), list(drawn[start : start + PER_ROW])]
    return rows


def walk(twin: Dataset, path: Path) -> None:
    """One row a factor, first value to last, all other factors at a value before the middle."""
    assert twin.space is not None
    rows, sizes = [], twin.space.sizes
    apart = [3 * sizes[:i].count(size) if size < 40 else 0 for i, size in enumerate(sizes)]  # three hues differ
    for position, size in enumerate(sizes):
        factors = np.tile(np.array(sizes) * 3 // 8 + apart, (PER_ROW, 1))
        values = np.linspace(0, size - 1, min(size, PER_ROW)).round().astype(int)
        factors = factors[: len(values)]
        factors[:, position] = values
        if isinstance(twin, SmallNORBTwin):
            images = np.asarray(twin.of_instances(jnp.asarray(factors), jnp.full(len(factors), 1)))
        else:
            images = twin.observe(factors, 0)
        rows.append(list(np.broadcast_to(images, (*images.shape[:-1], 3))))
    title = f"{twin.name.replace('_', ' ')}: each factor from its first value to its last"
    save(rows, path, title, labels=[name.replace("_", " ") for name in twin.space.names])


def save(rows: list, path: Path, title: str, labels: list[str] | None = None) -> None:
    """Rows of 64 x 64 pictures on a white sheet, two screen pixels a pixel."""
    side = 64 + GAP
    sheet = np.ones((len(rows) * side, max(map(len, rows)) * side, 3))
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            sheet[i * side : i * side + 64, j * side : j * side + 64] = picture
    left = 230 if labels else 10
    height, width = sheet.shape[0] * 2 + 60, sheet.shape[1] * 2 + left + 10
    figure = plt.figure(figsize=(width / 100, height / 100), dpi=100)
    axes = figure.add_axes((left / width, 10 / height, sheet.shape[1] * 2 / width, sheet.shape[0] * 2 / height))
    axes.imshow(sheet, interpolation="nearest")
    axes.set_axis_off()
    figure.text(0.5, 1 - 25 / height, title, ha="center", va="center", fontsize=14)
    for i, label in enumerate(labels or ()):
        figure.text((left - 10) / width, 1 - (50 + 2 * side * (i + 0.5)) / height, label, ha="right", va="center")
    figure.savefig(path)
    plt.close(figure)


if __name__ == "__main__":
    main()
