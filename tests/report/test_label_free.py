"""The table of scores that need no labels: signs, pools, and the model that each one chooses."""

import numpy as np
import pytest
from synthetic import DATA, synthetic

from factorgrid.report.label_free import label_free_table, left_out_table
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Number


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
