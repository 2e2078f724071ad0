"""Scores in the terminal: a row per member, medians and quartiles below, the best of each column marked."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from factorgrid.evaluation import directions as directions
from factorgrid.metrics import METRICS
from factorgrid.metrics.hard import soft

UNIT = (0.0, 1.0)
SUMMARIES = {"median": 0.5, "25 %": 0.25, "75 %": 0.75}
PADDING = 3  # columns of text that rich puts around a cell, and its rule


def print_scores(frame: pd.DataFrame, console: Console | None = None, *, title: str | None = None) -> None:
    """Print what `evaluate` returns; as several tables if one would be wider than the console.

    Args:
        frame: a row per member; columns that are no score (name, seed, hyperparameters) come first in every table.
        console: where to; standard output by default.
        title: of the first table.
    """
    console = Console() if console is None else console
    for index, table in enumerate(score_tables(frame, width=console.width, title=title)):
        if index:
            console.print()
        console.print(table)


def score_tables(frame: pd.DataFrame, *, width: int = 100, title: str | None = None) -> list[Table]:
    """The tables that `print_scores` prints, each at most `width` characters wide where that is possible."""
    known = directions()
    described = [name for name in frame.columns if name not in known]
    scores = [name for name in frame.columns if name in known]
    cells = {name: _describe(frame[name]) for name in described} | {
        name: _score_cells(frame[name], higher_is_better=known[name], percent=in_percent(name)) for name in scores
    }
    fixed = sum(_width(_header(name, known), cells[name]) for name in described)
    tables: list[Table] = []
    for group in _pack([_width(_header(name, known), cells[name]) for name in scores], width - fixed - 1):
        names = [*described, *(scores[i] for i in group)]
        tables.append(_table(names, cells, known, title if not tables else None))
    return tables or [_table(described, cells, known, title)]


def in_percent(key: str) -> bool:
    """Whether a score lies in [0, 1] by its declaration, so that it is shown in percent."""
    return any(metric.keys.get(soft(key)) == UNIT for metric in METRICS.values())


def best_rows(values: pd.Series, *, higher_is_better: bool) -> np.ndarray:
    """Which rows hold the best finite value: several if they tie, none if nothing is finite."""
    numbers = values.to_numpy(np.float64)
    finite = np.isfinite(numbers)
    if not finite.any():
        return np.zeros(len(numbers), bool)
    best = numbers[finite].max() if higher_is_better else numbers[finite].min()
    return finite & (numbers == best)


def format_score(value: float, *, percent: bool) -> str:
    """A score as people read it: 41.2 for 0.412 of a share, three or four digits of anything else."""
    if not np.isfinite(value):
        return "-"
    return f"{100 * value:.1f}" if percent else f"{value:.4g}"


def _score_cells(values: pd.Series, *, higher_is_better: bool, percent: bool) -> list[str]:
    """Members, then the summaries."""
    best = best_rows(values, higher_is_better=higher_is_better) & (len(values) > 1)
    shown = [format_score(value, percent=percent) for value in values.to_numpy(np.float64)]
    marked = [f"[bold green]{text} *[/]" if is_best else f"{text}  " for text, is_best in zip(shown, best)]
    finite = values[np.isfinite(values)]
    summary = [finite.quantile(q) if len(finite) else np.nan for q in SUMMARIES.values()]
    return marked + [format_score(value, percent=percent) + "  " for value in summary]


def _describe(values: pd.Series) -> list[str]:
    """Names as they are, numbers without needless digits; blank in the summaries but for the first column."""
    shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in values.tolist()]
    return shown + (list(SUMMARIES) if values.name == "member" else [""] * len(SUMMARIES))


def _table(names: Sequence[str], cells: Mapping[str, list[str]], known: Mapping[str, bool], title: str | None) -> Table:
    rows = list(zip(*(cells[name] for name in names)))
    members = len(rows) - len(SUMMARIES)
    caption = _caption(names, known, several=members > 1)
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for name in names:
        table.add_column(
            _header(name, known), justify="left" if name == "member" else "right", no_wrap=name == "member"
        )
    for index, row in enumerate(rows):
        table.add_row(*row, end_section=index == members - 1, style="dim" if index > members else None)
    return table


def _header(name: str, known: Mapping[str, bool]) -> str:
    arrow = "" if known.get(name, True) else " ↓"
    return name.replace(".", "\n").replace("_score", "\nscore") + arrow + ("\n%" if in_percent(name) else "")


def _caption(names: Sequence[str], known: Mapping[str, bool], *, several: bool) -> str:
    """What the marks mean that stand in the table."""
    scores = [known[name] for name in names if name in known]
    return "; ".join([*["* best"] * (several and bool(scores)), *["↓ lower is better"] * (not all(scores))])


def _width(header: str, cells: Sequence[str]) -> int:
    lines = [*header.split("\n"), *(cell.removeprefix("[bold green]").removesuffix("[/]") for cell in cells)]
    return max(len(line) for line in lines) + PADDING


def _pack(widths: Sequence[int], room: int) -> list[list[int]]:
    """Indices in order, in groups whose widths fit the room; a group has one at least."""
    groups: list[list[int]] = []
    left = -1
    for index, width in enumerate(widths):
        if not groups or width > left:
            groups.append([])
            left = room
        groups[-1].append(index)
        left -= width
    return groups
