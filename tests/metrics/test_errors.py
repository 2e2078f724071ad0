"""What a user can get wrong raises one clear line, in every array function alike."""

import importlib.util

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import (
    Counts,
    dci,
    downstream,
    explicitness,
    factor_vae_score,
    gaussian_total_correlation,
    infomec,
    irs,
    mig,
    modularity,
    mutual_information_score,
    sap,
    score,
    wasserstein_correlation,
)
from factorgrid.representation import Representation

CODES = np.random.default_rng(0).normal(size=(60, 2))
FACTORS = np.random.default_rng(1).integers(3, size=(60, 2))

PAIR = (mig, modularity, irs, infomec)
CODES_ONLY = (gaussian_total_correlation, wasserstein_correlation, mutual_information_score)
SPLIT = (sap, dci, explicitness, downstream)


def calls(codes, factors):
    """Every array function on these arrays."""
    yield from (lambda f=f: f(codes, factors) for f in PAIR)
    yield from (lambda f=f: f(codes, factors, CODES, FACTORS) for f in SPLIT)
    yield lambda: score(codes, factors, "mig")


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.where(CODES > 2, np.nan, CODES), FACTORS, "NaN or infinite values"),
        (CODES[:50], FACTORS, "50 codes but 60 rows of factors"),
        (CODES, FACTORS + 0.5j, "must be integers, numbers, text or categories, got complex128"),
        (CODES, np.where(FACTORS > 1, np.inf, FACTORS), "infinite values; NaN is for unknown ones"),
        (CODES[:, :, None] + 1, FACTORS, r"one number per latent, got vectors \[60, 2, 1\]"),
        (CODES, FACTORS[:, 0], r"must have shape \[sample, factor\], got \[60\]"),
        (CODES[:, 0], FACTORS, r"must have shape \[sample, latent\] with at least one of each, got \[60\]"),
        (CODES[:0], FACTORS[:0], "at least one of each"),
        (CODES.astype(str), FACTORS, "must be floating-point numbers"),
        (CODES, np.zeros((60, 2), np.int64), "every factor has one value only"),
    ],
)
def test_bad_arrays(codes, factors, message):
    for call in calls(codes, factors):
        with pytest.raises(Error, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_infinite_codes_without_factors():
    for function in CODES_ONLY:
        with pytest.raises(Error, match="1 NaN or infinite"):
            function(np.array([[0.0], [np.inf], [1.0]]))


def test_fewer_samples_than_bins():
    for function in (mig, modularity, irs):
        with pytest.raises(Error, match="19 samples are fewer than the 20 bins"):
            function(CODES[:19], FACTORS[:19])
    with pytest.raises(Error, match="19 samples are fewer"):
        mutual_information_score(CODES[:19])
    with pytest.raises(Error, match="num_bins must be at least 2"):
        mig(CODES, FACTORS, num_bins=1)
    with pytest.raises(Error, match="at most 10,000, got 1,000,000,000"):
        mig(CODES, FACTORS, num_bins=10**9)
    with pytest.raises(Error, match="at most 10,000, got 1,000,000,000"):
        Counts(num_bins=10**9)
    with pytest.raises(Error, match="num_train must be at most 10,000,000, got 1,000,000,000"):
        Counts(num_train=10**9)
    with pytest.raises(Error, match="two samples"):
        gaussian_total_correlation(CODES[:1])


def test_training_and_test_must_match():
    for function in SPLIT:
        with pytest.raises(Error, match="codes_train have 2 latents but codes_test 1"):
            function(CODES, FACTORS, CODES[:, :1], FACTORS)
        with pytest.raises(Error, match="factors_train have 2 factors but factors_test 1"):
            function(CODES, FACTORS, CODES, FACTORS[:, :1])


def test_a_constant_factor_is_dropped_with_a_warning_that_points_to_the_caller():
    widened = np.concatenate([FACTORS, np.full((60, 1), 4)], axis=1)
    with pytest.warns(UserWarning, match=r"one value only: 2 \(counted from 0\)"):
        assert mig(CODES, widened) == mig(CODES, FACTORS)
    with pytest.warns(UserWarning, match="one value only: 2"):
        assert sap(CODES, widened, CODES, widened) == sap(CODES, FACTORS, CODES, FACTORS)


def test_unknown_names():
    with pytest.raises(Error, match="unknown estimator 'lightgbn'; did you mean 'lightgbm'"):
        dci(CODES, FACTORS, CODES, FACTORS, estimator="lightgbn")
    with pytest.raises(Error, match="unknown classifier 'gbm'; did you mean 'gbt'"):
        downstream(CODES, FACTORS, CODES, FACTORS, classifier="gbm")


def test_lightgbm_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Error, match=r"pip install 'factorgrid\[fast\]'"):
        dci(CODES, FACTORS, CODES, FACTORS, estimator="lightgbm")
    from factorgrid.metrics import metric_names

    assert "dci_lightgbm" not in metric_names("all")


def test_sampled_scores_check_their_counts():
    representation = Representation.from_table(np.eye(4), FactorSpace(("a", "b"), (2, 2)))
    with pytest.raises(Error, match="num_eval must be at least 1, got 0"):
        factor_vae_score(representation, rng=np.random.default_rng(0), num_eval=0)
    with pytest.raises(Error, match="a variance needs two points"):
        factor_vae_score(representation, rng=np.random.default_rng(0), batch_size=1)


def test_lists_and_integer_codes_are_welcome():
    assert mig(FACTORS.tolist(), FACTORS.tolist(), num_bins=3) == mig(FACTORS.astype(float), FACTORS, num_bins=3)


def test_quantiles_of_irs():
    for quantile in (-0.1, 1.1, 99.0):
        with pytest.raises(Error, match="quantile must be from 0 to 1"):
            irs(CODES, FACTORS, quantile=quantile)
