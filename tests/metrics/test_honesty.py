"""Intervals, chance and ceiling of scores."""

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.metrics import Counts, assess, score

COUNTS = Counts(num_train=400, num_test=200)


def sample(num, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    factors = rng.integers([3, 4], size=(num, 2))
    return factors + noise * rng.normal(size=(num, 2)), factors


def test_the_interval_is_as_wide_as_samples_differ():
    """Of a score of 100 samples drawn anew, and of one sample's halves."""
    anew = [score(*sample(300, seed), "mig")["mig"] for seed in range(100)]
    row = assess(*sample(300), "mig", interval=0.9, resamples=100).loc["mig"]
    assert row["low"] < row["value"] < row["high"]
    low, high = np.quantile(anew, [0.05, 0.95])
    assert row["high"] - row["low"] == pytest.approx(high - low, rel=0.4)


def test_chance_and_ceiling():
    table = assess(*sample(600, noise=0.3), ("mig", "explicitness", "sap"), counts=COUNTS, resamples=10)
    assert table.loc["mig", "value"] == score(*sample(600, noise=0.3), "mig", counts=COUNTS)["mig"]
    assert table.loc["mig", "ceiling"] == pytest.approx(1.0, abs=0.01)  # factors share a little by accident
    assert table.loc["mig", "chance"] < 0.05
    assert table.loc["explicitness.test", "chance"] == pytest.approx(0.5, abs=0.05)
    assert (table["chance"] < table["value"]).all()
    assert list(table.columns) == ["value", "low", "high", "chance", "ceiling"]


def test_small_samples_are_warned_of():
    codes, factors = sample(24, noise=1.0)
    with pytest.warns(UserWarning, match=r"24 codes are too few for sap: the interval is wider"):
        assess(codes, factors, "sap", resamples=40)


def test_errors():
    codes, factors = sample(60)
    with pytest.raises(Error, match="interval must be between 0 and 1"):
        assess(codes, factors, interval=95.0)
    with pytest.raises(Error, match="resamples must be at least 1, got 0"):
        assess(codes, factors, resamples=0)
    with pytest.raises(Error, match="half of 30 codes are too few for an interval: mig: 15 samples are fewer"):
        assess(codes[:30], factors[:30], "mig")
    with pytest.raises(Error, match="7 codes cannot be halved"):
        assess(codes[:7], factors[:7])
