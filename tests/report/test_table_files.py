"""Cells as text, and tables as files: LaTeX has what the page prints, CSV has numbers."""

from pathlib import Path

import pandas as pd
import pytest

from factorgrid.report.study_cells import setting_title
from factorgrid.report.table_files import Table, escape, latex, write_table
from factorgrid.report.values import Absent, Cell, Number, P, as_float, p_text, text

NAN = float("nan")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("words", "words"),
        (1234, "1,234"),
        (Number(17.42), "17.4"),
        (Number(17.42, interval=(15.1, 19.2), num=50), "17.4 (15.1 to 19.2) n 50"),
        (Number(17.42, quantiles=(15.1, 19.2)), "17.4 [15.1, 19.2]"),
        (Number(3.14, signed=True, interval=(-1.0, 5.2)), "+3.1 (-1.0 to +5.2)"),
        (Number(3.14, interval=(NAN, NAN), num=1), "3.1 n 1"),
        (Number(-0.471, 2, p=0.0004, num=10), "-0.47 p <0.001 n 10"),
        (Number(11.3, mark="*"), "11.3*"),
        (Number(2.0, 0, after="of 5 failed"), "2 of 5 failed"),
        (Number(NAN), "–"),
        (P(0.0123), "0.012"),
        (P(NAN), "–"),
        (Absent("in full", "failed"), "– failed"),
        (Absent(), "–"),
    ],
)
def test_cells_as_text(cell: Cell, expected: str) -> None:
    assert text(cell) == expected


def test_what_columns_are_sorted_by() -> None:
    assert [as_float(cell) for cell in (3, Number(2.5), P(0.1))] == [3.0, 2.5, 0.1]
    assert [as_float(cell) for cell in ("9", Number(NAN), Absent())] == [None, None, None]
    assert p_text(0.04) == "0.04"


@pytest.fixture
def table() -> Table:
    rows: list[dict[str, Cell]] = [
        {"model": "D-VAE, γ = 1", "a_twin": Number(17.4321, interval=(1.0, 20.25), num=5, mark="*")},
        {"model": 'say "no"', "a_twin": Absent("because", "failed")},
    ]
    return Table(rows, ("model", "a_twin"), "caption", ("a\nnote",), frozenset({(0, "a_twin")}), name="t",
                 title="50 % & more")  # fmt: skip


def test_numbers_stay_numbers_in_csv(table: Table, tmp_path: Path) -> None:
    csv, _ = write_table(table, tmp_path)
    found = pd.read_csv(csv)
    assert list(found.columns) == ["model", "a_twin", "a_twin low", "a_twin high", "a_twin n", "a_twin note"]
    assert found.iloc[0, 1:5].tolist() == [17.4321, 1.0, 20.25, 5.0]
    assert found["a_twin"].dtype == float
    assert found["a_twin note"].tolist() == ["*", "failed"]
    assert found["model"].tolist() == ["D-VAE, γ = 1", 'say "no"']


def test_latex_has_the_words_of_the_page(table: Table, tmp_path: Path) -> None:
    _, tex = write_table(table, tmp_path)
    written = tex.read_text()
    assert written == latex(table)
    assert r"D-VAE, $\gamma$ = 1 & \textbf{17.4* (1.0 to 20.2) n 5} \\" in written
    assert r"50 \% \& more" in written
    assert "% a note" in written
    assert r"a\_twin" in written


def test_latex_and_hyperparameters_in_words() -> None:
    assert escape("100 % of γ_1") == r"100 \% of $\gamma$\_1"
    assert setting_title('{"gamma": 10.0, "omega": 0.5}') == "γ = 10, ω = 0.5"
    assert setting_title("{}") == ""
