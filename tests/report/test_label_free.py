"""The table of scores that need no labels: signs, pools, and the model that each one chooses."""

import numpy as np
import pytest
from synthetic import DATA, synthetic

from factorgrid.report.label_free import label_free_table
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
