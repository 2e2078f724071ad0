"""Choosing models from a tidy table: small tables whose answers can be read off."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import factorgrid as fg
from factorgrid.study.outcomes import COLUMNS
from factorgrid.study.select import (
    Rule,
    cell_scores,
    correlations,
    higher_is_better,
    models,
    select,
    select_setting,
    wins,
)


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """A row for every metric of every model; what is not given is the same for all."""
    tidy = []
    for index, row in enumerate(rows):
        scores = {key: value for key, value in row.items() if key not in ("data", "method", "gamma", "labels")}
        gamma = row.get("gamma")
        known = {
            "group": f"{row.get('data', 'a')}-{row['method']}",
            "data": row.get("data", "a"),
            "method": row["method"],
            "model": "dvae",
            "member": f"seed{index}",
            "seed": index,
            "hyperparameters": json.dumps({} if gamma is None else {"gamma": gamma}),
            "labels": row.get("labels", 0),
            "supervision": "",
            "masked": False,
            "steps": 10,
            "provenance": "{}",
        }
        tidy += [{**known, "metric": key, "value": value} for key, value in scores.items()]
    return pd.DataFrame(tidy, columns=list(COLUMNS)).astype(COLUMNS)


def of(tidy: pd.DataFrame, *methods: str) -> pd.DataFrame:
    """The pool of some methods."""
    return tidy[tidy["method"].isin(methods)]


ALL = table(
    [
        {"method": "D-VAE", "mig": 0.1, "sap": 0.5, "st_gap_loss": 9.0, "udr": 0.1},
        {"method": "D-VAE", "mig": 0.2, "sap": 0.4, "st_gap_loss": 7.0, "udr": 0.9},
        {"method": "FactorDVAE", "gamma": 10.0, "mig": 0.3, "sap": 0.3, "st_gap_loss": 1.0, "udr": 0.2},
        {"method": "FactorDVAE", "gamma": 10.0, "mig": 0.5, "sap": 0.2, "st_gap_loss": 8.0, "udr": 0.3},
        {"method": "FactorDVAE", "gamma": 30.0, "mig": 0.4, "sap": 0.1, "st_gap_loss": 2.0, "udr": 0.4},
        {"method": "VAE", "mig": 0.9, "sap": 0.9},
    ]
)


FIVE = of(ALL, "D-VAE", "FactorDVAE")


def test_directions_are_the_declared_ones() -> None:
    assert higher_is_better("mig")
    assert higher_is_better("udr")
    assert not higher_is_better("st_gap_loss")
    assert not higher_is_better("validation_loss")


def test_models_are_rows_and_metrics_columns() -> None:
    wide = models(ALL)
    assert len(wide) == 6
    assert math.isnan(wide.loc[wide["method"] == "VAE", "st_gap_loss"].iloc[0])
    with pytest.raises(fg.Error, match="two values of mig for seed0"):
        models(pd.concat([ALL, ALL.iloc[:1]]))


def test_the_smallest_gap_selects() -> None:
    found = select(FIVE, metrics=("mig", "sap")).set_index("metric")
    mig = found.loc["mig"]
    assert (mig["method"], mig["member"], json.loads(mig["hyperparameters"])) == ("FactorDVAE", "seed2", {"gamma": 10})
    assert (mig["value"], mig["median"], mig["best"]) == (0.3, 0.3, 0.5)
    assert (mig["num"], mig["rank"], mig["better"], mig["percentile"]) == (5, 3, 2, 0.6)
    assert mig["gain"] == pytest.approx(0.0)
    assert found.loc["sap", "value"] == 0.3


def test_the_pool_and_the_key_can_be_chosen() -> None:
    assert select(of(ALL, "D-VAE"), metrics=("mig",))["member"].tolist() == ["seed1"]
    assert select(FIVE, key="udr", metrics=("mig",))["member"].tolist() == ["seed1"]
    assert select(of(ALL, "VAE"), metrics=("mig",)).empty


def test_ties_count_against_the_choice() -> None:
    tied = table([{"method": "D-VAE", "mig": 0.2, "st_gap_loss": float(i)} for i in range(4)])
    found = select(tied, metrics=("mig",)).iloc[0]
    assert (found["rank"], found["better"]) == (1, 0)


def test_scores_that_are_not_finite_do_not_compete() -> None:
    broken = table(
        [
            {"method": "D-VAE", "mig": 0.2, "st_gap_loss": math.nan},
            {"method": "D-VAE", "mig": 0.4, "st_gap_loss": 1.0},
            {"method": "D-VAE", "mig": math.nan, "st_gap_loss": 2.0},
        ]
    )
    found = select(broken, metrics=("mig",)).iloc[0]
    assert (found["member"], found["num"]) == ("seed1", 1)


def test_a_setting_is_selected_by_its_median_gap() -> None:
    found = select_setting(FIVE).iloc[0]
    assert json.loads(found["hyperparameters"]) == {"gamma": 30}
    assert (found["value"], found["median"], found["num"], found["num_settings"]) == (0.4, 0.3, 1, 3)
    assert found["gain"] == pytest.approx(1 / 3)


def test_correlations_are_per_data_set_and_over_the_pool() -> None:
    rows = [
        {"data": data, "method": "D-VAE", "mig": sign * i, "st_gap_loss": 10.0 - i}
        for data, sign in (("a", 1.0), ("b", -1.0))
        for i in range(5)
    ]
    found = correlations(table(rows), metrics=("mig", "sap")).set_index("data")
    assert found["rho"].to_dict() == {"a": pytest.approx(-1), "b": pytest.approx(1)}
    assert found["num"].tolist() == [5, 5]
    both = correlations(FIVE, metrics=("mig",))
    assert both["num"].tolist() == [5]
    assert correlations(of(ALL, "VAE"), metrics=("mig",)).empty


def test_wins_are_split_between_ties() -> None:
    scores = pd.DataFrame({"a": [1.0, 0.5, 0.2, np.nan], "b": [1.0, 0.6, 0.1, 0.3], "c": [0.0, 0.6, 0.1, 0.4]})
    # rows: a and b tie; b and c tie; a alone; the last is incomplete
    assert wins(scores).to_dict() == {"a": 1.5, "b": 1.0, "c": 0.5}
    assert wins(scores.iloc[3:]).to_dict() == {"a": 0, "b": 0, "c": 0}


LABELLED = table(
    [
        {"method": "D-VAE", "labels": 100, "mig": 0.9, "validation_loss": 2.0, "st_gap_loss": 1.0},
        {"method": "D-VAE", "labels": 100, "mig": 0.1, "validation_loss": 1.0, "st_gap_loss": 3.0},
        {"method": "D-VAE", "labels": 100, "mig": 0.3, "validation_loss": 3.0, "st_gap_loss": 2.0},
        {"method": "VAE (BCE)", "labels": 100, "mig": 0.2, "validation_loss": 1.0},
        {"method": "VAE (BCE)", "labels": 100, "mig": 0.4, "validation_loss": 2.0},
    ]
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("median", {"D-VAE": 0.3, "VAE (BCE)": 0.3}),
        ("validation", {"D-VAE": 0.1, "VAE (BCE)": 0.2}),
        ("gap", {"D-VAE": 0.9, "VAE (BCE)": 0.2}),  # Gaussian models have no gap: by validation
    ],
)
def test_cells_of_figure_7(rule: Rule, expected: dict[str, float]) -> None:
    pools = {method: of(LABELLED, method) for method in ("D-VAE", "VAE (BCE)")}
    found = cell_scores(pools, rule=rule, metrics=("mig",))
    assert found.loc[("a", "mig")].to_dict() == pytest.approx(expected)


def test_competitors_without_models_have_no_cells() -> None:
    assert cell_scores({"D-VAE": LABELLED.iloc[:0]}).empty
