"""Hyperparameters as curves and tables, merged studies, the glossary, a page that needs no other file."""

import base64
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from synthetic import synthetic

from factorgrid.config import Config
from factorgrid.errors import Error
from factorgrid.report import study_report
from factorgrid.report.glossary import glossary
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_tables import scores_table
from factorgrid.report.sweeps import Sweep, draw_sweeps, learning_curves, sweep_curves, sweeps
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent
from factorgrid.study import merged
from factorgrid.study.outcomes import Outcome
from factorgrid.study.select import models

METHODS = ("VAE", "FactorVAE")


def made(seeds: int = 3) -> Outcome:
    return synthetic(data=("circles",), methods=METHODS, supervised=(), labels=(), seeds=seeds)


def test_a_sweep_has_a_point_for_every_value(tmp_path: Path) -> None:
    cells = Cells(made())
    (sweep,) = sweeps(cells)
    assert (sweep.method, sweep.data, sweep.name) == ("FactorVAE", "circles", "gamma")
    table = cells.outcome.table
    for gamma in (10.0, 30.0, 100.0):
        one = (table["metric"] == "mig") & (table["hyperparameters"] == f'{{"gamma": {gamma}}}')
        np.testing.assert_array_equal(sweep.scores["mig"][gamma], table.loc[one, "value"])
    drawn = sweep_curves(cells)
    assert isinstance(drawn, Drawing)
    assert "by gamma: 10: " in drawn.alt
    drawn.draw(tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").stat().st_size > 5000
    alone = synthetic(data=("circles",), methods=("VAE",), supervised=(), labels=())
    assert isinstance(sweep_curves(Cells(alone)), Absent)


def test_a_pooled_row_says_that_it_is_one() -> None:
    table = scores_table(Cells(made()))
    assert not isinstance(table, Absent)
    assert [row["method"] for row in table.rows] == ["VAE", "FactorVAE, all 3 settings"]


def test_studies_are_merged_model_by_model() -> None:
    first = made()
    other = dataclasses.replace(first, name="more", title="More seeds")
    more = other.table.assign(seed=other.table["seed"] + 100, value=other.table["value"] + 0.01)
    both = merged([first, dataclasses.replace(other, table=more)])
    assert len(both.table) == 2 * len(first.table)
    assert len(both.groups) == 2 * len(first.groups)
    assert (
        set(both.table["group"])
        <= {group.name for group in both.groups}
        == set(both.runs) | {group.name for group in both.groups}
    )
    assert both.name == "synthetic+more"
    cells = Cells(both)
    assert len(cells.sample("circles", cells.rows[0], "mig").values) == 6
    again = merged([first, first])  # what both have counts once
    assert len(again.table) == len(first.table)
    assert merged([first]) is first
    with pytest.raises(Error, match="no study"):
        merged([])


def test_a_model_of_two_studies_counts_once_with_the_scores_of_both() -> None:
    whole = made(seeds=5)
    few = whole.table[(whole.table["seed"] < 2) & (whole.table["metric"] == "sap")]
    sizes = few.groupby("group")["member"].nunique()
    groups = tuple(dataclasses.replace(group, members=int(sizes[group.name])) for group in whole.groups)
    short = dataclasses.replace(whole, name="short", table=few, groups=groups)
    for order in ([short, whole], [whole, short]):
        both = merged(order)
        wide = models(both.table)
        assert len(wide) == len(models(whole.table))
        assert wide["mig"].notna().all()
        assert sum(group.members for group in both.groups) == len(wide)


def test_methods_of_one_title_that_are_trained_otherwise_stay_apart() -> None:
    first = made()
    config = Config(data="circles", model="vae", seeds=(0, 1, 2))
    names = {group.name: group.method for group in first.groups}
    one = dataclasses.replace(first, configs=dict.fromkeys(names, config))
    seeds = dataclasses.replace(first, configs=dict.fromkeys(names, dataclasses.replace(config, seeds=(7,))))
    assert merged([one, seeds]).methods == METHODS
    longer = {name: dataclasses.replace(config, steps=9) if names[name] == "VAE" else config for name in names}
    both = merged([one, dataclasses.replace(first, name="longer", configs=longer)])
    assert both.methods == ("VAE", "FactorVAE", "VAE (longer)")
    assert len(models(both.table)) == len(models(first.table)) + 3
    assert {row.title for row in Cells(both).rows} == {"VAE", "FactorVAE", "VAE (longer)"}


def test_what_only_shares_a_title_stays_apart() -> None:
    """Another model, or another way of training on one data set of two."""
    first, other = (
        synthetic(data=("circles",), methods=(name,), supervised=(), labels=(), titles={name: "Ours"})
        for name in ("VAE", "D-VAE")
    )
    with_configs = [
        dataclasses.replace(one, name=model, configs={one.groups[0].name: Config(data="circles", model=model)})
        for one, model in ((first, "vae"), (other, "dvae"))
    ]
    both = merged(with_configs)
    assert both.methods == ("Ours", "Ours (dvae)")
    assert set(zip(both.table["method"], both.table["model"])) == {("Ours", "vae"), ("Ours (dvae)", "dvae")}

    two = synthetic(data=("circles", "dsprites_twin"), methods=("VAE",), supervised=(), labels=(), seeds=2)
    plain = {group.name: Config(data=group.data, model="vae") for group in two.groups}
    longer = {name: dataclasses.replace(one, steps=9) if one.data == "circles" else one for name, one in plain.items()}
    studies = [
        dataclasses.replace(two, name=name, configs=configs)
        for name, configs in (("first", plain), ("longer", longer), ("third", longer))
    ]
    for num in (2, 3):  # the third is trained like the second
        both = merged(studies[:num])
        counts = models(both.table).groupby(["data", "method"]).size().to_dict()
        assert counts == {("circles", "VAE"): 2, ("circles", "VAE (longer)"): 2, ("dsprites_twin", "VAE"): 2}
        assert both.methods == ("VAE", "VAE (longer)")


def test_a_default_of_one_study_is_a_value_of_another_ones_sweep(tmp_path: Path) -> None:
    swept = synthetic(data=("circles",), methods=("FactorVAE",), supervised=(), labels=(), seeds=2)
    only = swept.table[swept.table["hyperparameters"] == '{"gamma": 30.0}']
    plain = dataclasses.replace(swept, name="plain", table=only.assign(hyperparameters="{}"))
    both = merged([plain, swept])
    assert len(models(both.table)) == 6  # gamma is 30 by default
    (sweep,) = sweeps(Cells(both))
    assert {value: len(scores) for value, scores in sweep.scores["mig"].items()} == {10: 2, 30: 2, 100: 2}
    drawn = sweep_curves(Cells(both))
    assert isinstance(drawn, Drawing)
    drawn.draw(tmp_path / "sweep.png")


def test_every_method_of_a_sweep_is_in_the_legend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"mig": {1.0: np.array([0.1]), 2.0: np.array([0.2])}}
    found = [Sweep("β-VAE", "circles", "beta", points), Sweep("FactorVAE", "circles", "gamma", points)]
    seen: list[list[str]] = []
    monkeypatch.setattr(Figure, "legend", lambda self, handles, labels, **_: seen.append(list(labels)))
    draw_sweeps(found, ["mig"], tmp_path / "sweeps.png")
    assert seen == [["β-VAE on circles", "FactorVAE on circles"]]


@pytest.mark.parametrize("lost", ["all of them", "the end"])
def test_a_curve_without_finite_values_is_said_to_be_none(lost: str) -> None:
    found = made()
    curve = found.table.assign(steps=10, value=np.nan)
    table = found.table.iloc[:0] if lost == "the end" else found.table.assign(value=np.nan)
    drawing = learning_curves(Cells(dataclasses.replace(found, table=table, curve=curve)))
    assert isinstance(drawing, Absent)
    assert "no score is finite" in drawing.reason


def test_scores_of_the_study_are_explained() -> None:
    entries = dict(glossary(Cells(made())))
    assert "Mutual information gap" in entries["MIG"]
    assert entries["MIG"].endswith("Higher is better. Chen et al. 2018.")
    assert "irs" not in entries
    assert "of hard codes" not in entries
    hard = made().table.replace({"metric": {"mig": "mig_hard"}})
    entries = dict(glossary(Cells(dataclasses.replace(made(), table=hard))))
    assert "Mutual information gap" in entries["MIG of hard codes"]
    assert "nearest categories" in entries["of hard codes"]


def test_scores_of_hard_codes_stand_behind_those_of_soft_ones_in_percent() -> None:
    found = made()
    hard = found.table[found.table["metric"] == "mig"].assign(metric="mig_hard")
    cells = Cells(dataclasses.replace(found, table=pd.concat([found.table, hard], ignore_index=True)))
    assert cells.metrics[cells.metrics.index("mig") + 1] == "mig_hard"
    shown = scores_table(cells)
    assert isinstance(shown, Table)
    assert shown.rows[0]["MIG of hard codes"] == shown.rows[0]["MIG"]


def test_the_page_needs_no_other_file(tmp_path: Path) -> None:
    page = study_report(made(), tmp_path / "report", quick=True).read_text()
    csv = (tmp_path / "report" / "tables" / "scores.csv").read_bytes()
    assert base64.b64encode(csv).decode() in page
    assert 'download="scores.csv"' in page
    assert 'alt="All scores. Median MIG on circles: VAE ' in page
    assert "What the scores mean" in page
