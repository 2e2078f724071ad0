"""A finished table of the report, and its CSV and LaTeX files. All show the same cells, letter for letter."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from factorgrid.files import replacing

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
        name: of its files and its anchor, such as "table-1".
        title: one line: what it is, and which table or figure of the paper it corresponds to.
        caption: how to read it.
        frame: the cells, as text; the first column names the rows.
        notes: why cells are empty, and what else must be known.
        best: (row, column) of the cells to be set in bold.
        words: whether cells are words rather than a number and what belongs to it.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    best: frozenset[tuple[int, str]] = frozenset()
    words: bool = False


def write_table(table: Table, folder: Path) -> tuple[Path, Path]:
    """`NAME.csv` and `NAME.tex` in a folder.

    Raises:
        Error: a file that cannot be written.
    """
    csv, tex = folder / f"{table.name}.csv", folder / f"{table.name}.tex"
    with replacing(csv) as temporary:
        table.frame.to_csv(temporary, index=False)
    with replacing(tex) as temporary:
        temporary.write_text(latex(table), encoding="utf-8")
    return csv, tex


def latex(table: Table) -> str:
    """The table for a paper; it needs the package booktabs."""
    columns = list(table.frame.columns)
    rows = [" & ".join(_latex_cell(table, r, name) for name in columns) for r in range(len(table.frame))]
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


def escape(text: str) -> str:
    """Text for LaTeX.

    >>> escape("17.4 % & γ_1")
    '17.4 \\\\% \\\\& $\\\\gamma$\\\\_1'
    """
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _latex_cell(table: Table, row: int, column: str) -> str:
    text = escape(str(table.frame[column].iloc[row]))
    return rf"\textbf{{{text}}}" if (row, column) in table.best else text
