"""What is behind the scores: the same numbers, with names."""

import warnings

import numpy as np
import pandas as pd
import pytest

from factorgrid.errors import Error
from factorgrid.metrics import METRICS, QUICK, Counts, details, score

COUNTS = Counts(num_train=400, num_test=200)
FACTORS = np.random.default_rng(0).integers([3, 4, 1], size=(900, 3))
CODES = FACTORS[:, [0, 1, 0]] + 0.4 * np.random.default_rng(1).normal(size=(900, 3))
CODES = pd.DataFrame(CODES, columns=["red", "green", "blue"])
TABLE = pd.DataFrame(FACTORS, columns=["hue", "size", "constant"])


def found(name):
    with pytest.warns(UserWarning, match="one value only: 2"):
        tables = details(CODES, TABLE, name, counts=COUNTS)
    with pytest.warns(UserWarning, match="one value only: 2"):
        return tables, score(CODES, TABLE, name, counts=COUNTS)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.details and name != "dci"])
def test_tables_are_named(name):
    tables, _ = found(name)
    for key, table in tables.items():
        if key != "factors":
            assert list(table.index) == ["red", "green", "blue"]
        assert list(table.index if key == "factors" else table.columns if key != "latents" else ["hue", "size"]) == [
            "hue", "size",
        ]  # fmt: skip
        assert np.isfinite(table.to_numpy()).all()


def test_scores_are_the_means_of_their_details():
    for name in ("mig", "sap"):
        tables, scores = found(name)
        assert tables["factors"][name].mean() == pytest.approx(scores[name])
    tables, scores = found("modularity")
    assert tables["latents"]["modularity"].mean() == pytest.approx(scores["modularity"])
    tables, scores = found("explicitness")
    assert tables["factors"]["test"].mean() == pytest.approx(scores["explicitness.test"])
    tables, scores = found("dci_forest")
    weight = tables["importances"].sum(axis=1) / tables["importances"].to_numpy().sum()
    assert (tables["latents"]["disentanglement"] * weight).sum() == pytest.approx(scores["dci_forest.disentanglement"])
    tables, scores = found("irs")
    expected = np.average(tables["robustness"].max(axis=1), weights=tables["latents"]["largest"])
    assert expected == pytest.approx(scores["irs"])
    assert found("mig")[0]["mutual_information"].loc["green", "hue"] < 0.1


def test_errors():
    with pytest.raises(Error, match="'beta_vae_score' has no details; these have: mig, dci"):
        details(CODES, TABLE, "beta_vae_score")
    with pytest.raises(Error, match="one metric at a time"):
        details(CODES, TABLE, "six")


def test_quick_counts():
    rows, factors = CODES.to_numpy(), FACTORS[:, :2]
    many = np.tile(rows, (3, 1)), np.tile(factors, (3, 1))
    assert score(*many, "sap", quick=True) == score(*many, "sap", counts=QUICK) != score(*many, "sap")


def test_a_factor_that_does_not_vary_among_the_drawn_codes_has_no_column():
    rng = np.random.default_rng(0)
    rare = np.arange(60) == 0
    factors = pd.DataFrame({"hue": rng.integers(0, 2, 60), "size": rng.integers(0, 2, 60), "rare": rare.astype(int)})
    found = set()
    for seed in range(8):
        with warnings.catch_warnings(action="ignore"):
            tables = details(rng.normal(size=(60, 3)), factors, "sap", seed, counts=Counts(num_train=30, num_test=20))
        found.add(tuple(next(table for key, table in tables.items() if key != "factors").columns))
    assert ("hue", "size") in found
    assert found <= {("hue", "size"), ("hue", "size", "rare")}
