"""The paper's tables: numbers from the study, the paper's beside them, and why cells are empty."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from synthetic import DATA, synthetic

from factorgrid.papers.friede2023 import published
from factorgrid.papers.friede2023.evidence import (
    correlated,
    correlation_table,
    deviations_table,
    dvae_against_vae,
    selection_table,
    supervised_selection_table,
)
from factorgrid.papers.friede2023.methods import six
from factorgrid.papers.friede2023.tables import table_1, table_5, table_6, table_7
from factorgrid.report.study_cells import Cells, Row
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Number, text
from factorgrid.study.outcomes import Kind, Outcome

SMALL = {"labels": (), "supervised": (), "seeds": 4, "downstream": False}


def cells(**options: Any) -> Cells:
    return Cells(synthetic(**options), resamples=50)


def made(table: Table | Absent) -> Table:
    assert isinstance(table, Table), table
    return table


def row(table: Table, name: str) -> dict[str, str]:
    """The texts of the row that begins with a name."""
    (place,) = [i for i, cell in enumerate(table.column(table.columns[0])) if cell == name]
    return {column: text(table.cell(place, column)) for column in table.columns[1:]}


def of(outcome: Outcome, method: str) -> Row:
    """A method of a made-up study."""
    return next(row for row in Cells(outcome).rows if row.title == method)


def test_published_numbers_are_found_by_our_names() -> None:
    # Tables 1, 5, 6 and 7 of the paper
    assert published.published_mig("factor_dvae", "mpi3d_toy") == published.Published(30.5, (26.0, 32.1))
    assert published.published_mig("factor_dvae", "mpi3d_toy_twin") == published.Published(30.5, (26.0, 32.1))
    assert published.published_mig(published.SELECTION, "dsprites") == published.Published(39.5)
    assert published.published_mig("beta_vae", "shapes3d") is None
    assert published.published_metric("sap", "cars3d") == published.Published(1.4, (0.8, 2.2))
    assert published.published_supervised("factor_dvae", True, "smallnorb") == published.Published(33.6, (26.8, 37.3))
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
    for column, data in zip(published.PAPER_DATA, ("dsprites", "color_dsprites", "smallnorb", "cars3d", "shapes3d")):
        assert published.column_of(data) == column
        assert published.published_metric("mig", data) == published.published_mig("dvae", data)


def test_table_1_has_our_median_and_the_papers() -> None:
    study = cells(data=("dsprites_twin", "circles"), **SMALL)
    medians, quantiles = made(table_1(study)), made(table_5(study))
    assert list(medians.columns) == ["model", "dsprites_twin", "dSprites (paper)", "circles"]
    assert medians.published == {"dSprites (paper)"}
    table = study.outcome.table
    mine = table.query("data == 'dsprites_twin' and method == 'FactorDVAE' and metric == 'mig'")["value"]
    shown = row(medians, "FactorDVAE")["dsprites_twin"]
    assert shown.startswith(f"{100 * mine.median():.1f} (")
    assert shown.endswith(f" n {len(mine)}")
    assert row(medians, "FactorDVAE")["dSprites (paper)"] == "21.7"
    assert row(medians, "β-VAE") == {
        "dsprites_twin": "– not planned",
        "dSprites (paper)": "11.3*",
        "circles": "– not planned",
    }
    low, high = 100 * mine.quantile(0.25), 100 * mine.quantile(0.75)
    assert f"[{low:.1f}, {high:.1f}]" in row(quantiles, "FactorDVAE")["dsprites_twin"]
    assert row(quantiles, "FactorDVAE")["dSprites (paper)"] == "21.7 [14.5, 35.7]"


def test_a_title_of_ones_own_stands_beside_the_papers() -> None:
    medians = made(table_1(cells(data=("cars3d",), titles={"D-VAE": "mine"}, **SMALL)))
    assert row(medians, "mine = D-VAE")["Cars3D (paper)"] == "8.5"
    assert "D-VAE" not in medians.column("model")


def test_the_best_of_ours_is_marked() -> None:
    medians = made(table_1(cells(data=("circles",), **SMALL)))
    assert medians.best == {(3, "circles")}  # FactorDVAE, by construction


def test_the_selection_rows_are_the_selected_model_and_setting() -> None:
    study = cells(data=("dsprites",), **SMALL)
    medians = made(table_1(study))
    mine = study.outcome.table[study.outcome.table["method"].isin(["D-VAE", "FactorDVAE"])]
    wide = mine.pivot(index=["group", "member"], columns="metric", values="value")
    chosen = wide.loc[wide["st_gap_loss"].idxmin(), "mig"]
    assert row(medians, "Selection (smallest gap)")["dsprites"] == f"{100 * chosen:.1f} of {len(wide)} models"
    assert row(medians, "Selection (smallest gap)")["dSprites (paper)"] == "39.5"
    assert row(medians, "Selection of a setting (smallest median gap)")["dsprites"].endswith("n 4 of 4 settings")


def test_a_set_and_its_twin_share_the_papers_column() -> None:
    table = made(table_1(cells(data=("cars3d", "circles", "cars3d_twin"), **SMALL)))
    assert list(table.columns) == ["model", "cars3d", "circles", "cars3d_twin", "Cars3D (paper)"]


def test_table_6_has_all_metrics_and_table_7_all_labels() -> None:
    study = cells(data=("shapes3d_twin",), seeds=2)
    assert row(made(table_6(study)), "Modularity")["Shapes3D (paper)"] == "96.1 [94.9, 97.2]"
    seven = made(table_7(study))
    assert row(seven, "D-VAE (M), 1000 labels")["Shapes3D (paper)"] == "46.0 [40.7, 51.6]"
    assert row(seven, "D-VAE (M), 100 labels")["Shapes3D (paper)"] == "–"
    assert row(seven, "VAE (BCE), 1000 labels")["Shapes3D (paper)"] == "–"


def test_tables_without_content_are_left_out() -> None:
    study = cells(data=("circles",), methods=("VAE",), **SMALL)
    found = [table_6(study), table_7(study), supervised_selection_table(study), dvae_against_vae(study)]
    assert [one.reason for one in found if isinstance(one, Absent)] == [
        "no D-VAE in this study's plan",
        "no semi-supervised methods in this study's plan",
        "no semi-supervised model was scored by a gap or on held-out labels",
        "the study does not have both VAE and D-VAE",
    ]


def test_empty_cells_say_why() -> None:
    states = {
        "dsprites-vae-0": ("failed", "the loss became NaN"),
        "dsprites-d-vae-0": ("waiting", ""),
        "dsprites-factorvae-0": ("running", "step 10 of 20"),
    }
    study = cells(data=("dsprites",), metrics=("mig",), states=states, **SMALL)
    absent = {
        title: study.sample("dsprites", of(study.outcome, title), key).absent
        for title, key in (("VAE", "mig"), ("D-VAE", "mig"), ("FactorVAE", "mig"), ("FactorDVAE", "sap"))
    }
    assert absent["VAE"].reason == "VAE on dsprites: failed: the loss became NaN"
    assert absent["D-VAE"].short == "waiting"
    assert absent["FactorVAE"].reason == "FactorVAE on dsprites: running: step 10 of 20"
    assert absent["FactorDVAE"].reason == "FactorDVAE on dsprites: SAP was not scored"
    assert study.sample("dsprites", Row("β-VAE", Kind("beta_vae")), "mig").absent.short == "not planned"
    medians = made(table_1(study))
    assert row(medians, "VAE")["dsprites"] == "– failed"
    assert "VAE on dsprites: failed: the loss became NaN" in medians.notes


def test_diverged_members_are_counted_and_left_out() -> None:
    outcome = synthetic(data=("circles",), methods=("VAE", "D-VAE"), **SMALL)
    vae = of(outcome, "VAE")
    outcome.table.loc[outcome.table.query("metric == 'mig' and method == 'VAE' and seed < 2").index, "value"] = np.nan
    found = Cells(outcome).sample("circles", vae, "mig")
    assert (len(found.values), found.lost) == (2, 2)
    assert "VAE on circles: 2 more without a finite value" in made(table_1(Cells(outcome, 50))).notes
    outcome.table.loc[outcome.table["metric"] == "mig", "value"] = np.nan
    assert Cells(outcome).sample("circles", vae, "mig").absent.short == "diverged"


def test_dci_by_lightgbm_takes_the_place_of_the_exact_one_and_says_so() -> None:
    study = cells(data=("dsprites",), metrics=("mig", "dci_lightgbm.disentanglement"), **SMALL)
    assert "dci_lightgbm.disentanglement" in six(study)
    assert row(made(table_6(study)), "DCI (LightGBM)")["dSprites (paper)"] == "25.6 [19.6, 28.0]"
    assert "LightGBM's trees" in made(table_6(study)).caption
    assert "dci.disentanglement" in six(cells(data=("dsprites",), **SMALL))


def test_the_comparison_is_corrected_over_all_its_tests() -> None:
    table = made(dvae_against_vae(cells(data=DATA[:3], methods=("VAE", "D-VAE"), **SMALL)))
    assert len(table.rows) == 18
    p, corrected = ([cell.value for cell in table.column(name)] for name in ("p", "p (Holm)"))
    assert min(corrected) == pytest.approx(min(1, 18 * min(p)))
    assert table.column("metric")[:2] == ["BetaVAE", "FactorVAE"]
    assert all(isinstance(cell, Number) and cell.value > 0 for cell in table.column("difference"))


def test_selection_by_gap_udr_and_validation() -> None:
    study = cells(data=("dsprites_twin",), seeds=3, labels=(100,))
    table = made(selection_table(study))
    assert table.column("by") == ["gap", "gap of the ELBO", "UDR", "UDR"]
    assert table.column("pool")[-1] == "VAE ∪ FactorVAE"
    assert set(table.column("models")) == {12}
    supervised = made(supervised_selection_table(study))
    by = dict(zip(zip(supervised.column("model"), supervised.column("by")), supervised.column("dsprites_twin")))
    assert ("VAE (BCE), 100 labels", "gap") not in by
    assert text(by["D-VAE (M), 100 labels", "supervised validation"]).endswith("of 6")


def test_correlations_of_the_four_figures() -> None:
    study = cells(data=("dsprites", "cars3d"), seeds=6, labels=(100,))
    for name in ("figure-4-left", "figure-4-right", "figure-6-left", "figure-9"):
        found = correlated(study, name)
        assert not isinstance(found, Absent), name
    found = correlated(study, "figure-6-left")
    assert not isinstance(found, Absent)
    table = correlation_table(study, "figure-6-left", found)
    mig = found.query("data == 'cars3d' and metric == 'mig'").iloc[0]
    assert mig["num"] == 24
    assert mig["rho"] < -0.5
    assert row(table, "MIG")["cars3d"].startswith(f"{mig['rho']:.2f} p ")


def test_deviations_name_twins_steps_and_seeds() -> None:
    table = deviations_table(cells(data=("dsprites_twin", "cars3d", "circles"), **SMALL))
    found = dict(zip(table.column("aspect"), table.column("this study")))
    assert "dsprites_twin: rendered here in place of dSprites" in str(found["data"])
    assert "cars3d: published files" in str(found["data"])
    assert found["training steps"] == "20,000"
    assert found["models of FactorDVAE"] == "4 seeds × 3 settings on each data set at most"
    assert found["hardware"] == "2 x AMD EPYC <7B13>"


def test_deviations_name_the_sample_of_every_metric() -> None:
    few = cells(data=("dsprites_twin",), **SMALL)
    table = few.outcome.table
    mine = table["metric"] == "factor_vae_score"
    table.loc[mine, "provenance"] = json.dumps({"num_train": 2_000, "num_test": 1_000, "batch_size": 16})
    rows = {row["aspect"]: (row["paper"], row["this study"]) for row in deviations_table(few).rows}
    assert rows["what FactorVAE is estimated from"] == (
        "10,000 training points, 5,000 test points, 64 images a point",
        "2,000 training points, 1,000 test points, 16 images a point",
    )
    assert rows["what MIG is estimated from"] == ("10,000 training points", "10,000 training points")


def test_the_papers_circles_have_their_own_number_of_models() -> None:
    for data, dvae, factor in (("circles", "50 seeds", "none"), ("cars3d", "300 seeds", "50 seeds × 6 settings")):
        table = deviations_table(cells(data=(data,), **SMALL))
        found = dict(zip(table.column("aspect"), table.column("paper")))
        assert (found["models of D-VAE"], found["models of FactorDVAE"]) == (dvae, factor)


def test_methods_that_the_paper_does_not_have_have_no_models_there() -> None:
    few = cells(data=("cars3d",), methods=("VAE", "D-VAE"), titles={"VAE": "FSLQ"}, **SMALL)
    kinds = {"FSLQ": Kind("fslq"), "D-VAE": Kind("dvae")}
    groups = tuple(dataclasses.replace(group, kind=kinds[group.method]) for group in few.outcome.groups)
    table = deviations_table(dataclasses.replace(few, outcome=dataclasses.replace(few.outcome, groups=groups)))
    found = dict(zip(table.column("aspect"), table.column("paper")))
    assert (found["models of FSLQ"], found["models of D-VAE"]) == ("none", "300 seeds")
