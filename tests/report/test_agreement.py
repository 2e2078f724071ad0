"""How far metrics agree: the correlations of the scores themselves, and nothing from a few models."""

import dataclasses

import numpy as np
import pytest
from synthetic import DATA, synthetic

from factorgrid.report.agreement import agreement_table
from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.values import NOTHING, Absent, Number


def test_correlations_are_those_of_the_scores() -> None:
    outcome = synthetic(data=DATA[:1], methods=("VAE", "D-VAE"), supervised=(), seeds=15)
    found = agreement_table(Cells(outcome))
    assert isinstance(found, Table)
    wide = outcome.table.pivot(index=["method", "member"], columns="metric", values="value")
    rows = {row["metric"]: row for row in found.rows}
    assert {"MIG", "SAP"} <= set(rows)
    assert metric_title("st_gap_loss") not in rows  # lower is better: no metric
    assert all(row["models"] == 30 for row in found.rows)
    sap = rows["MIG"]["SAP"]
    assert isinstance(sap, Number)
    assert sap.value == pytest.approx(wide["mig"].corr(wide["sap"], method="spearman"))
    assert rows["SAP"]["MIG"] == sap
    assert rows["MIG"]["MIG"] is NOTHING


def test_metrics_that_one_method_lacks_leave_no_model_out() -> None:
    outcome = synthetic(data=DATA[:1], methods=("VAE", "D-VAE"), supervised=(), seeds=15)
    table = outcome.table
    table = table[~((table["metric"] == "sap") & (table["method"] == "VAE"))].copy()
    table.loc[table.index[(table["metric"] == "mig")][0], "value"] = np.inf  # as good as not scored
    found = agreement_table(Cells(dataclasses.replace(outcome, table=table)))
    assert isinstance(found, Table)
    assert "SAP" not in {row["metric"] for row in found.rows}
    assert all(row["models"] == 29 for row in found.rows)


def test_few_models_say_nothing() -> None:
    found = agreement_table(Cells(synthetic(data=DATA[:1], methods=("D-VAE",), supervised=(), seeds=19)))
    assert isinstance(found, Absent)
    assert "no 20 models" in found.reason
