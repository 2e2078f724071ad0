"""A finished table of the report, and its CSV and LaTeX files: CSV holds numbers, LaTeX what the page prints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from factorgrid.files import replacing
from factorgrid.report.values import Absent, Cell, Number, P, text

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "<": "$<$", ">": "$>$", "±": r"$\pm$",
    "≥": r"$\geq$", "°": r"$^\circ$", "−": "$-$", "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$",
    "ω": r"$\omega$", "λ": r"$\lambda$", "ρ": r"$\rho$", "∪": r"$\cup$", "×": r"$\times$", "·": r"$\cdot$",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of the report.

    Attributes:
        rows: cells by column; a column that a row lacks is blank there.
        columns: in order; the first one names the rows.
        caption: how to read it.
        notes: why cells are empty, and what else must be known.
        best: (row, column) of the cells to be set in bold.
        published: columns that hold somebody else's numbers, for comparison.
        name: of its files and its anchor, such as "table-1".
        title: one line: what it is.
    """

    rows: Sequence[Mapping[str, Cell]]
    columns: Sequence[str]
    caption: str = ""
    notes: tuple[str, ...] = ()
    best: frozenset[tuple[int, str]] = frozenset()
    published: frozenset[str] = frozenset()
    name: str = ""
    title: str = ""

    def cell(self, row: int, column: str) -> Cell:
        return self.rows[row].get(column, "")

    def column(self, name: str) -> list[Cell]:
        """Its cells, from top to bottom."""
        return [self.cell(row, name) for row in range(len(self.rows))]


def write_table(table: Table, folder: Path) -> tuple[Path, Path]:
    """`NAME.csv` and `NAME.tex` in a folder.

    Raises:
        Error: a file that cannot be written.
    """
    csv, tex = folder / f"{table.name}.csv", folder / f"{table.name}.tex"
    with replacing(csv) as temporary:
        numbers(table).to_csv(temporary, index=False, float_format="%.8g")
    with replacing(tex) as temporary:
        temporary.write_text(latex(table), encoding="utf-8")
    return csv, tex


def numbers(table: Table) -> pd.DataFrame:
    """The cells as values: behind a column stand, if any of its cells has them, "COLUMN low", "high", "p", "n", and
    "COLUMN note" for words, among them why a cell is empty."""
    found: dict[str, list[str | int | float | None]] = {}
    for column in table.columns:
        cells = table.column(column)
        found[column] = [_value(cell) for cell in cells]
        for suffix, read in _BESIDE.items():
            values = [read(cell) for cell in cells]
            if any(value is not None for value in values):
                found[f"{column} {suffix}"] = values
    return pd.DataFrame(found)


def latex(table: Table) -> str:
    """The table for a paper; it needs the package booktabs."""
    columns = list(table.columns)
    rows = [" & ".join(_latex_cell(table, r, name) for name in columns) for r in range(len(table.rows))]
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        r"\toprule",
        " & ".join(escape(name) for name in columns) + r" \\",
        r"\midrule",
        *(row + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"% {' '.join(note.split())}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escape(words: str) -> str:
    """Text for LaTeX.

    >>> escape("17.4 % & γ_1")
    '17.4 \\\\% \\\\& $\\\\gamma$\\\\_1'
    """
    return "".join(_LATEX.get(letter, letter) for letter in words)


def _latex_cell(table: Table, row: int, column: str) -> str:
    shown = escape(text(table.cell(row, column)))
    return rf"\textbf{{{shown}}}" if (row, column) in table.best else shown


def _value(cell: Cell) -> str | int | float | None:
    match cell:
        case Number() | P():
            return cell.value
        case Absent():
            return None
        case _:
            return cell


def _range(cell: Cell, end: int) -> float | None:
    if not isinstance(cell, Number):
        return None
    found = cell.interval or cell.quantiles
    return None if found is None else found[end]


def _note(cell: Cell) -> str | None:
    if isinstance(cell, Absent):
        return cell.short or None
    return " ".join(filter(None, [cell.mark, cell.after])) or None if isinstance(cell, Number) else None


_BESIDE: Mapping[str, Callable[[Cell], str | int | float | None]] = {
    "low": lambda cell: _range(cell, 0),
    "high": lambda cell: _range(cell, 1),
    "p": lambda cell: cell.p if isinstance(cell, Number) else None,
    "n": lambda cell: cell.num if isinstance(cell, Number) else None,
    "note": _note,
}
