"""Heat maps of the matrices behind scores: which latent holds which factor."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from factorgrid.errors import Error
from factorgrid.metrics import METRICS, PUBLISHED, QUICK, Counts, details, metric_names
from factorgrid.metrics.lookup import Options
from factorgrid.report.captions import choose_members, member_title
from factorgrid.report.style import INK, cool, picture, set_title
from factorgrid.training import Run

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_NUMBERS = 300  # cells that still have room for their number
OF_FACTORS = ("explicitness",)  # metrics whose details are of single factors: no matrix
# what a matrix holds, and its greatest value where that is known
MEANINGS: dict[str, tuple[str, float | None]] = {
    "mutual_information": ("mutual information, nats", None),
    "importances": ("importance for the trees", None),
    "predictability": ("accuracy of a linear SVM on one latent", 1.0),
    "robustness": ("interventional robustness", 1.0),
    "normalised_information": ("normalised mutual information", 1.0),
}


def heat_map(
    codes: Any,
    factors: Any,
    metric: str = "mig",
    out: str | Path = "heat_map.png",
    seed: int = 0,
    *,
    counts: Counts = PUBLISHED,
    quick: bool = False,
    options: Options | None = None,
    jobs: int = 1,
    title: str = "",
) -> Path:
    """Draw the matrix [latent, factor] behind a metric's score, with the scores of single latents and factors.

    Args:
        codes, factors: as of `factorgrid.score`; a DataFrame's column names are the names of rows and columns.
        metric: one whose `details` hold a matrix: MIG, modularity, SAP, DCI, IRS, InfoMEC.
        out: the file; its suffix decides the format, PNG, PDF or SVG.
        seed, counts, quick, options, jobs: as of `factorgrid.score`.
        title: a second line of the title.

    Returns:
        The file.

    Raises:
        Error: a metric without a matrix, a file that cannot be written, or see `factorgrid.score`.
    """
    name = check_matrix(metric)
    tables = details(codes, factors, name, seed, counts=QUICK if quick else counts, options=options, jobs=jobs)
    found = next(key for key in tables if key not in ("latents", "factors"))
    return draw_heat_map(name, found, tables, Path(out), title)


def check_matrix(metric: str) -> str:
    """The metric's name.

    Raises:
        Error: an unknown metric, or one without a matrix behind it.
    """
    name = metric_names(metric)[0]
    known = [each for each in METRICS if METRICS[each].details is not None and each not in OF_FACTORS]
    if name not in known:
        raise Error(f"there is no matrix behind '{name}'; there is behind: {', '.join(known)}")
    return name


def run_heat_map(
    run: Run, metric: str, *, member: str | int = "best", out: str | Path | None = None, seed: int = 0,
    counts: Counts = PUBLISHED, quick: bool = False,
) -> list[Path]:  # fmt: skip
    """Heat maps of members of a run, of as many images as the metric draws: `figures/heat_map-METRIC-MEMBER.png`.

    Args:
        member: as of `factorgrid traverse`: a name, a place in the list, "best" or "all".
        metric, seed, counts, quick: as of `heat_map`.
        out: another folder.

    Raises:
        Error: no such member, a data set without factors, or see `heat_map`.
    """
    from pandas import DataFrame

    dataset, folder = run.dataset(), run.path / "figures" if out is None else Path(out)
    if dataset.space is None:
        raise Error(f"a heat map needs ground-truth factors, and data set '{run.config.data}' has none")
    used = QUICK if quick else counts
    images, values = dataset.draw(used.num_train + used.num_test, seed)
    factors = DataFrame(np.asarray(values), columns=list(dataset.space.names))
    name = metric_names(metric)[0]
    return [
        heat_map(
            run.model(chosen.name).encode(images), factors, name, folder / f"heat_map-{name}-{chosen.name}.png", seed,
            counts=used, title=member_title(run, chosen),
        )
        for chosen in choose_members(run, member)
    ]  # fmt: skip


def draw_heat_map(metric: str, matrix: str, tables: "dict[str, DataFrame]", path: Path, title: str = "") -> Path:
    """One matrix of `details`, with what belongs to single latents and factors beside their names."""
    table = tables[matrix]
    meaning, greatest = MEANINGS.get(matrix, (matrix.replace("_", " "), None))
    num_latents, num_factors = table.shape
    with picture(path, max(4.2, 0.85 * num_factors + 2.4), max(2.6, 0.34 * num_latents + 1.6)) as figure:
        axis = figure.subplots()
        shown = np.ma.masked_invalid(table.to_numpy(float))
        lowest = min(0.0, float(shown.min()))
        drawn = axis.imshow(shown, cmap=light_to_dark(), vmin=lowest, vmax=greatest, aspect="auto")
        axis.set_xticks(range(num_factors), beside(table.columns, tables.get("factors"), "\n"))
        axis.set_yticks(range(num_latents), beside(table.index, tables.get("latents"), "  "))
        axis.tick_params(length=0, labeltop=True, labelbottom=False)
        for spine in axis.spines.values():
            spine.set_visible(False)
        if table.size <= MOST_NUMBERS:
            write_numbers(axis, table.to_numpy(float), *drawn.get_clim())
        figure.colorbar(drawn, ax=axis, fraction=0.05, pad=0.02).outline.set_visible(False)
        axis.set_xlabel(legend(tables))
        set_title(figure, f"{metric}: {meaning}" + (f"\n{title}" if title else ""))
    return path


def beside(names: Any, table: "DataFrame | None", between: str) -> list[str]:
    """Names, each with the first number of its row of the table, if there is one."""
    if table is None:
        return [str(name) for name in names]
    return [f"{name}{between}{value:.2f}" for name, value in zip(names, table.iloc[:, 0])]


def legend(tables: "dict[str, DataFrame]") -> str:
    """What the numbers beside the names are."""
    parts = [f"number beside {axis}: {tables[axis].columns[0]}" for axis in ("latents", "factors") if axis in tables]
    return "; ".join(parts)


def write_numbers(axis: Axes, values: np.ndarray, low: float, high: float) -> None:
    """The number of every cell, dark on light and light on dark."""
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > (low + high) / 2 else INK
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color)


def light_to_dark() -> Any:
    """White to the blue of the library; what is not a number stays grey."""
    shades = LinearSegmentedColormap.from_list("light_to_dark", ["#ffffff", *cool()([0.0, 0.5, 1.0])])
    return shades.with_extremes(bad="0.9")
