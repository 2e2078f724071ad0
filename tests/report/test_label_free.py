"""The table of scores that need no labels: signs, pools, and the model that each one chooses."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import DATA, synthetic

from factorgrid.report.label_free import label_free_table, left_out_table
from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Number, P
from factorgrid.study.statistics import least_correlation_p


def test_a_good_score_has_a_positive_correlation_and_chooses_well() -> None:
    outcome = synthetic(data=DATA[:1], methods=("VAE", "D-VAE"), supervised=(), seeds=60)
    equal = outcome.table["metric"] == "st_gap_elbo"
    outcome.table.loc[equal, "value"] = 1.0
    cells = Cells(outcome, resamples=200)
    found = label_free_table(cells)
    assert isinstance(found, Table)
    rows = {(row["pool"], row["score"]): row for row in found.rows}
    gap = rows["D-VAE", "straight-through gap (loss)"]
    assert ("VAE", "straight-through gap (loss)") not in rows
    assert ("D-VAE", "straight-through gap (ELBO)") not in rows  # equal for all models
    assert rows["VAE", "UDR"]["models"] == 60
    mine = outcome.table[(outcome.table["method"] == "D-VAE")]
    wide = mine.pivot(index="member", columns="metric", values="value")
    correlation = gap["with MIG"]
    assert isinstance(correlation, Number)
    assert correlation.interval is not None
    assert correlation.value == pytest.approx(-wide["st_gap_loss"].corr(wide["mig"], method="spearman"))
    assert 0 < correlation.interval[0] < correlation.value < correlation.interval[1] < 1
    chosen = wide.loc[wide["st_gap_loss"].idxmin(), "mig"]
    assert gap["chosen"] == Number(100 * chosen)
    place = gap["percentile"]
    assert isinstance(place, Number)
    assert place.value == pytest.approx(100 * (1 + np.sum(wide["mig"] < chosen)) / 60)


def test_few_models_say_nothing() -> None:
    found = label_free_table(Cells(synthetic(data=DATA[:1], methods=("D-VAE",), supervised=(), seeds=20)))
    assert isinstance(found, Absent)
    assert "no 30 models" in found.reason


def test_the_score_that_serves_best_elsewhere_is_asked_where_it_was_not_seen() -> None:
    outcome = synthetic(data=DATA[:3], methods=("D-VAE",), supervised=(), seeds=40, downstream=False)
    table = outcome.table
    # UDR equals MIG on two data sets and is its opposite on the third
    for data in DATA[:3]:
        here = table["data"] == data
        judged = table[here & (table["metric"] == "mig")].set_index("member")["value"]
        ranked = here & (table["metric"] == "udr")
        turned = -1 if data == DATA[2] else 1
        table.loc[ranked, "value"] = turned * table.loc[ranked, "member"].map(judged)
    found = left_out_table(Cells(outcome, resamples=200))
    assert isinstance(found, Table)
    rows = {row["left out"]: row for row in found.rows}
    last = rows[DATA[2]]
    assert last["best on the others"] == "UDR"
    here = last["with MIG here"]
    assert isinstance(here, Number)
    assert here.value == pytest.approx(-1)
    assert last["percentile"] == Number(100 / 40, 0)  # it chooses the worst model
    # on each of the other two, one data set speaks for UDR and one against it: the gap is the better choice
    gap = rows[DATA[0]]
    assert str(gap["best on the others"]).startswith("straight-through gap")
    assert gap["models"] == 40


def test_one_data_set_leaves_none_to_learn_from() -> None:
    cells = Cells(synthetic(data=DATA[:1], methods=("D-VAE",), supervised=(), seeds=40), resamples=200)
    assert isinstance(left_out_table(cells), Absent)


def test_what_half_of_the_models_have_does_not_compete_with_what_all_have() -> None:
    outcome = synthetic(data=DATA[:2], methods=("D-VAE", "FactorDVAE"), supervised=(), seeds=40, downstream=False)
    table = outcome.table
    judged = table[table["metric"] == "mig"].set_index(["data", "method", "member"])["value"]
    half = (table["metric"] == "udr") & (table["method"] == "D-VAE")
    keys = table.loc[half, ["data", "method", "member"]].itertuples(index=False, name=None)
    table.loc[half, "value"] = [judged[key] for key in keys]  # a perfect score
    lost = (table["metric"] == "udr") & (table["method"] == "FactorDVAE")
    cells = Cells(dataclasses.replace(outcome, table=table[~lost]), resamples=200)
    found = left_out_table(cells)
    assert isinstance(found, Table)
    assert all(row["best on the others"] != "UDR" for row in found.rows)
    every = label_free_table(cells)
    assert isinstance(every, Table)
    pools = {row["score"]: (row["pool"], row["models"]) for row in every.rows}
    assert pools["UDR"][0] == "D-VAE"
    assert pools["straight-through gap (loss)"][0] == "D-VAE, FactorDVAE"
    assert not every.notes


def test_many_methods_are_named_once() -> None:
    titles = ("D-VAE", "FactorDVAE")
    outcome = synthetic(data=DATA[:1], methods=titles, supervised=(), seeds=40, downstream=False)
    table = outcome.table.assign(
        method=outcome.table["method"] + outcome.table["hyperparameters"].str.len().astype(str)
    )
    names = {f"{title}{length}" for title in titles for length in range(99)} & set(table["method"])
    several = pd.concat([table.assign(method=table["method"] + suffix) for suffix in ("", "'", '"')])
    groups = tuple(
        dataclasses.replace(group, method=name + suffix)
        for group in outcome.groups
        for name in sorted(names)
        if name.startswith(group.method)
        for suffix in ("", "'", '"')
    )
    found = label_free_table(Cells(dataclasses.replace(outcome, table=several, groups=groups), resamples=50))
    assert isinstance(found, Table)
    assert {row["pool"] for row in found.rows} == {f"{3 * len(names)} methods"}
    assert found.notes[0].startswith(f"{3 * len(names)} methods: ")


def test_models_of_one_setting_are_drawn_together() -> None:
    outcome = synthetic(data=DATA[:1], methods=("D-VAE", "FactorDVAE"), supervised=(), seeds=40, downstream=False)
    table = outcome.table
    settings = table.groupby(["method", "hyperparameters"], sort=True).ngroup()
    num = settings.nunique()
    assert num > 3
    rng = np.random.default_rng(0)
    for metric in ("mig", "st_gap_loss"):  # nothing but the setting counts
        mine = table["metric"] == metric
        table.loc[mine, "value"] = settings[mine] * (-1.0 if metric == "mig" else 1.0) + 0.1 * rng.normal(
            size=mine.sum()
        )
    found = label_free_table(Cells(outcome, resamples=200))
    assert isinstance(found, Table)
    row = {row["score"]: row for row in found.rows}["straight-through gap (loss)"]
    p = row["p"]
    assert isinstance(p, P)
    assert p.value >= least_correlation_p(num)  # and not that of so many models


def test_the_best_by_a_score_may_have_no_mig() -> None:
    outcome = synthetic(data=DATA[:1], methods=("D-VAE",), supervised=(), seeds=60)
    table = outcome.table
    gaps = table[table["metric"] == "st_gap_loss"].sort_values("value")
    best, second = gaps["member"].iloc[:2]
    table = table[~((table["metric"] == "mig") & (table["member"] == best))]
    found = label_free_table(Cells(dataclasses.replace(outcome, table=table), resamples=200))
    assert isinstance(found, Table)
    row = {row["score"]: row for row in found.rows}["straight-through gap (loss)"]
    mig = table[(table["metric"] == "mig") & (table["member"] == second)]["value"].item()
    assert (row["models"], row["chosen"]) == (59, Number(100 * mig))


def test_the_use_of_hard_codes_can_be_the_best_score() -> None:
    outcome = synthetic(data=DATA[:2], methods=("D-VAE",), supervised=(), seeds=40, downstream=False)
    mig = outcome.table[outcome.table["metric"] == "mig"]
    hard = mig.assign(metric="code_usage_hard.perplexity")
    cells = Cells(dataclasses.replace(outcome, table=pd.concat([outcome.table, hard], ignore_index=True)), resamples=50)
    found = left_out_table(cells)
    assert isinstance(found, Table)
    assert {row["best on the others"] for row in found.rows} == {metric_title("code_usage_hard.perplexity")}
