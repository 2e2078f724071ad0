"""Paired comparisons of scores."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from factorgrid.comparison import compare
from factorgrid.errors import Error

RNG = np.random.default_rng(0)
COMMON = RNG.uniform(0.2, 0.6, size=10)  # what the pairs share, and an unpaired test would drown in
A = [{"mig": m, "sap": s, "gaussian_total_correlation": 1.0} for m, s in zip(COMMON, COMMON)]
B = [
    {"mig": m + 0.03 + 0.005 * i, "sap": s + (-1) ** i * 0.01, "gaussian_total_correlation": 1.1 + 0.01 * i}
    for i, (m, s) in enumerate(zip(COMMON, COMMON))
]


def test_pairs_are_compared_within():
    table = compare(A, B)
    assert table["better"].to_dict() == {"mig": "b", "sap": "undecided", "gaussian_total_correlation": "a"}
    differences = [b["mig"] - a["mig"] for a, b in zip(A, B)]
    assert table.loc["mig", "p"] == pytest.approx(wilcoxon(differences).pvalue)
    assert table.loc["mig", "p_holm"] == pytest.approx(3 * table.loc["mig", "p"])
    assert table.loc["mig", "low"] <= table.loc["mig", "difference"] <= table.loc["mig", "high"]
    assert compare(A, A)["p"].tolist() == [1.0, 1.0, 1.0]


def test_scores_of_other_numbers_of_labels_are_compared():
    key = "downstream_lr.accuracy_500"
    table = compare([{key: value} for value in COMMON], [{key: value + 0.1 + value / 10} for value in COMMON])
    assert table.loc[key, "better"] == "b"


def test_errors():
    with pytest.raises(Error, match="two pairs or more, got 10 and 9"):
        compare(A, B[:9])
    with pytest.raises(Error, match="no score is in all"):
        compare([{"mig": 1.0}] * 3, [{"sap": 1.0}] * 3)
