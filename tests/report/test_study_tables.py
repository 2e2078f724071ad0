"""Tables of a study's report: numbers from the table, the paper's beside them, and why cells are empty."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic import DATA, synthetic

from factorgrid.report import published
from factorgrid.report.study_cells import Cells, Row, setting_text
from factorgrid.report.study_evidence import (
    comparison_table,
    correlation_frames,
    correlation_table,
    deviations_table,
    dvae_against_vae,
    selection_table,
    supervised_selection_table,
)
from factorgrid.report.study_tables import dvae_table, mig_tables, plan_table, supervised_table
from factorgrid.report.table_files import Table, escape, latex, write_table

SMALL = {"labels": (), "seeds": 4, "downstream": False}


def row(table: Table, name: str) -> pd.Series:
    """The row that begins with a name."""
    return table.frame.set_index(table.frame.columns[0]).loc[name]


def test_published_numbers_are_found_by_our_names() -> None:
    # Tables 1, 5, 6 and 7 of the paper
    assert published.published_mig("FactorDVAE", "mpi3d_toy") == published.Published(30.5, (26.0, 32.1))
    assert published.published_mig("FactorDVAE", "mpi3d_toy_twin") == published.Published(30.5, (26.0, 32.1))
    assert published.published_mig("Selection", "dsprites") == published.Published(39.5)
    assert published.published_mig("β-VAE", "shapes3d") is None
    assert published.published_metric("sap", "cars3d") == published.Published(1.4, (0.8, 2.2))
    assert published.published_supervised("FactorDVAE (M)", "smallnorb") == published.Published(33.6, (26.8, 37.3))
    for data in ("circles", "mpi3d_real", "own.npz", "circles_twin"):
        assert published.column_of(data) is None
    assert published.is_twin("cars3d_twin")
    assert not published.is_twin("cars3d")


@pytest.mark.parametrize(
    ("table", "sums"),
    [
        (published._TABLE_1, (142.5, 106.6, 177.3, 89.2, 146.0, 86.7)),
        (published._TABLE_5, (228.7, 188.8, 305.4, 134.4, 210.4, 121.7)),
        (published._TABLE_6, (861.9, 803.0, 887.3, 942.7, 1195.0, 777.2)),
        (published._TABLE_7, (410.6, 372.2, 310.2, 175.4, 490.2, 526.4)),
    ],
)
def test_the_papers_columns_add_up(table: dict[str, tuple[Any, ...]], sums: tuple[float, ...]) -> None:
    """Sums of all numbers in a column, taken from the paper's tables: a slip in any of them would show."""
    columns = [sum(np.sum(cell) for cell in column if cell is not None) for column in zip(*table.values())]
    assert columns == pytest.approx(sums)


def test_tables_of_the_paper_agree_with_each_other() -> None:
    for column, data in zip(published.COLUMNS, ("dsprites", "color_dsprites", "smallnorb", "cars3d", "shapes3d")):
        assert published.column_of(data) == column
        assert published.published_metric("mig", data) == published.published_mig("D-VAE", data)


def test_table_1_has_our_median_and_the_papers() -> None:
    outcome = synthetic(data=("dsprites_twin", "circles"), **SMALL)
    cells = Cells(outcome)
    medians, quantiles = mig_tables(cells, resamples=100)
    assert list(medians.frame.columns) == ["model", "dsprites_twin", "dSprites (paper)", "circles"]
    mine = outcome.table.query("data == 'dsprites_twin' and method == 'FactorDVAE' and metric == 'mig'")["value"]
    text = row(medians, "FactorDVAE")["dsprites_twin"]
    assert text.startswith(f"{100 * mine.median():.1f} (")
    assert text.endswith(f" n {len(mine)}")
    assert row(medians, "FactorDVAE")["dSprites (paper)"] == "21.7"
    assert row(medians, "β-VAE").to_dict() == {
        "dsprites_twin": "– not planned",
        "dSprites (paper)": "11.3*",
        "circles": "– not planned",
    }
    low, high = 100 * mine.quantile(0.25), 100 * mine.quantile(0.75)
    assert f"[{low:.1f}, {high:.1f}]" in row(quantiles, "FactorDVAE")["dsprites_twin"]
    assert row(quantiles, "FactorDVAE")["dSprites (paper)"] == "21.7 [14.5, 35.7]"


def test_the_best_of_ours_is_marked() -> None:
    medians, _ = mig_tables(Cells(synthetic(data=("circles",), **SMALL)), resamples=50)
    assert medians.best == {(3, "circles")}  # FactorDVAE, by construction


def test_the_selection_rows_are_the_selected_model_and_setting() -> None:
    outcome = synthetic(data=("dsprites",), **SMALL)
    medians, _ = mig_tables(Cells(outcome), resamples=50)
    mine = outcome.table[outcome.table["method"].isin(["D-VAE", "FactorDVAE"])]
    wide = mine.pivot(index=["group", "member"], columns="metric", values="value")
    chosen = wide.loc[wide["st_gap_loss"].idxmin(), "mig"]
    assert row(medians, "Selection (smallest gap)")["dsprites"] == f"{100 * chosen:.1f} of {len(wide)} models"
    assert row(medians, "Selection (smallest gap)")["dSprites (paper)"] == "39.5"
    assert row(medians, "Selection of a setting (smallest median gap)")["dsprites"].endswith("n 4 of 4 settings")


def test_a_set_and_its_twin_share_the_papers_column() -> None:
    table, _ = mig_tables(Cells(synthetic(data=("cars3d", "circles", "cars3d_twin"), **SMALL)), resamples=50)
    assert list(table.frame.columns) == ["model", "cars3d", "circles", "cars3d_twin", "Cars3D (paper)"]


def test_table_6_has_all_metrics_and_table_7_all_labels() -> None:
    cells = Cells(synthetic(data=("shapes3d_twin",), seeds=2))
    six = dvae_table(cells, resamples=50)
    assert six is not None
    assert row(six, "Modularity")["Shapes3D (paper)"] == "96.1 [94.9, 97.2]"
    seven = supervised_table(cells, resamples=50)
    assert seven is not None
    assert row(seven, "D-VAE (M), 1000 labels")["Shapes3D (paper)"] == "46.0 [40.7, 51.6]"
    assert row(seven, "D-VAE (M), 100 labels")["Shapes3D (paper)"] == "–"
    assert row(seven, "VAE (BCE), 1000 labels")["Shapes3D (paper)"] == "–"


def test_tables_without_content_are_left_out() -> None:
    cells = Cells(synthetic(data=("circles",), methods=("VAE",), supervised=(), **SMALL))
    assert dvae_table(cells, resamples=50) is None
    assert supervised_table(cells, resamples=50) is None
    assert supervised_selection_table(cells) is None
    assert dvae_against_vae(cells, resamples=50) == []


def test_empty_cells_say_why() -> None:
    states = {
        "dsprites-vae-0": ("failed", "the loss became NaN"),
        "dsprites-d-vae-0": ("waiting", ""),
        "dsprites-factorvae-0": ("running", "step 10 of 20"),
    }
    outcome = synthetic(data=("dsprites",), metrics=("mig",), states=states, **SMALL)
    cells = Cells(outcome)
    assert cells.cell("dsprites", Row("VAE"), "mig").reason == "VAE on dsprites: failed: the loss became NaN"
    assert cells.cell("dsprites", Row("D-VAE"), "mig").short == "waiting"
    assert cells.cell("dsprites", Row("FactorVAE"), "mig").reason == "FactorVAE on dsprites: running: step 10 of 20"
    assert cells.cell("dsprites", Row("FactorDVAE"), "sap").reason == "FactorDVAE on dsprites: SAP was not scored"
    assert cells.cell("dsprites", Row("β-VAE"), "mig").short == "not planned"
    medians, _ = mig_tables(cells, resamples=50)
    assert row(medians, "VAE")["dsprites"] == "– failed"
    assert "VAE on dsprites: failed: the loss became NaN" in medians.notes


def test_diverged_members_are_counted_and_left_out() -> None:
    outcome = synthetic(data=("circles",), methods=("VAE",), **SMALL)
    outcome.table.loc[outcome.table.query("metric == 'mig' and seed < 2").index, "value"] = np.nan
    cells = Cells(outcome)
    found = cells.cell("circles", Row("VAE"), "mig")
    assert (len(found.values), found.lost) == (2, 2)
    medians, _ = mig_tables(cells, resamples=50)
    assert "VAE on circles: 2 more without a finite value" in medians.notes
    outcome.table.loc[outcome.table["metric"] == "mig", "value"] = np.nan
    assert Cells(outcome).cell("circles", Row("VAE"), "mig").short == "diverged"


def test_what_ran_counts_members_and_names_failures() -> None:
    states = {"circles-vae-0": ("failed", "out of memory")}
    table = plan_table(Cells(synthetic(data=("circles",), states=states, **SMALL)))
    assert row(table, "VAE")["circles"] == "0 of 4 failed"
    assert row(table, "FactorVAE")["circles"] == "12 of 12"
    assert table.notes == ("VAE on circles, group circles-vae-0: failed: out of memory",)


def test_dci_by_lightgbm_takes_the_place_of_the_exact_one_and_says_so() -> None:
    metrics = ("mig", "dci_lightgbm.disentanglement")
    cells = Cells(synthetic(data=("dsprites",), metrics=metrics, **SMALL))
    assert "dci_lightgbm.disentanglement" in cells.six
    table = dvae_table(cells, resamples=50)
    assert table is not None
    assert row(table, "DCI (LightGBM)")["dSprites (paper)"] == "25.6 [19.6, 28.0]"
    assert "LightGBM" in table.caption
    assert "dci.disentanglement" in Cells(synthetic(data=("dsprites",), **SMALL)).six


def test_the_comparison_is_corrected_over_the_data_sets_of_a_metric() -> None:
    cells = Cells(synthetic(data=DATA[:3], methods=("VAE", "D-VAE"), **SMALL))
    tested = dvae_against_vae(cells, resamples=50)
    assert len(tested) == 18
    mig = [one for one in tested if one.metric == "mig"]
    least = min(one.comparison.p for one in mig if one.comparison is not None)
    assert min(one.holm for one in mig) == pytest.approx(3 * least)
    table = comparison_table(cells, tested, resamples=50)
    assert list(table.frame["metric"].iloc[:2]) == ["BetaVAE", "FactorVAE"]
    assert table.frame["difference"].str.startswith("+").all()


def test_selection_by_gap_udr_and_validation() -> None:
    cells = Cells(synthetic(data=("dsprites_twin",), seeds=3, labels=(100,)))
    table = selection_table(cells)
    assert table is not None
    assert list(table.frame["by"]) == ["gap", "gap of the ELBO", "UDR", "UDR"]
    assert list(table.frame["pool"])[-1] == "VAE ∪ FactorVAE"
    assert set(table.frame["models"]) == {"12"}
    supervised = supervised_selection_table(cells)
    assert supervised is not None
    by = supervised.frame.set_index(["model", "by"])["dsprites_twin"]
    assert ("VAE (BCE), 100 labels", "gap") not in by.index
    assert by["D-VAE (M), 100 labels", "supervised validation"].endswith("of 6")


def test_correlations_of_the_four_figures() -> None:
    cells = Cells(synthetic(data=("dsprites", "cars3d"), seeds=6, labels=(100,)))
    frames = correlation_frames(cells)
    assert list(frames) == ["figure-4-left", "figure-4-right", "figure-6-left", "figure-9"]
    table = correlation_table(cells, "figure-6-left", "title", frames["figure-6-left"])
    mig = frames["figure-6-left"].query("data == 'cars3d' and metric == 'mig'").iloc[0]
    assert mig["num"] == 24
    assert mig["rho"] < -0.5
    assert row(table, "MIG")["cars3d"].startswith(f"{mig['rho']:.2f} p ")


def test_deviations_name_twins_steps_and_seeds() -> None:
    table = deviations_table(Cells(synthetic(data=("dsprites_twin", "cars3d", "circles"), **SMALL)))
    found = table.frame.set_index("aspect")["this study"]
    assert "dsprites_twin: rendered here in place of dSprites" in found["data"]
    assert "cars3d: published files" in found["data"]
    assert found["training steps"] == "20,000"
    assert found["models of FactorDVAE"] == "4 seeds × 3 settings on each data set at most"
    assert found["hardware"] == "2 x AMD EPYC <7B13>"


def test_the_papers_circles_have_their_own_number_of_models() -> None:
    found = deviations_table(Cells(synthetic(data=("circles",), **SMALL))).frame.set_index("aspect")["paper"]
    assert found["models of D-VAE"] == "50 seeds"
    assert found["models of FactorDVAE"] == "–"
    found = deviations_table(Cells(synthetic(data=("cars3d",), **SMALL))).frame.set_index("aspect")["paper"]
    assert found["models of D-VAE"] == "300 seeds"


def test_a_table_is_the_same_in_csv_and_latex(tmp_path: Path) -> None:
    frame = pd.DataFrame({"model": ["D-VAE, γ = 1", 'say "no"'], "a_twin": ["17.4 [1, 2]", "– failed"]})
    table = Table("t", "50 % & more", "caption", frame, ("a\nnote",), frozenset({(0, "a_twin")}))
    csv_path, tex_path = write_table(table, tmp_path)
    rows = list(csv.reader(io.StringIO(csv_path.read_text())))
    assert rows == [["model", "a_twin"], ["D-VAE, γ = 1", "17.4 [1, 2]"], ['say "no"', "– failed"]]
    text = tex_path.read_text()
    assert text == latex(table)
    assert r"D-VAE, $\gamma$ = 1 & \textbf{17.4 [1, 2]} \\" in text
    assert r"50 \% \& more" in text
    assert "% a note" in text
    assert r"a\_twin" in text


def test_latex_and_hyperparameters_in_words() -> None:
    assert escape("100 % of γ_1") == r"100 \% of $\gamma$\_1"
    assert setting_text('{"gamma": 10.0, "omega": 0.5}') == "γ = 10, ω = 0.5"
    assert setting_text("{}") == ""
