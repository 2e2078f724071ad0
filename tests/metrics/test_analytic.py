"""Values known without any reference: perfect, independent and degenerate codes; golden numbers; invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from sklearn.metrics import mutual_info_score, roc_auc_score

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import (
    beta_vae_score,
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
    wasserstein_correlation,
)
from factorgrid.metrics.definitions.explicitness import macro_auc
from factorgrid.metrics.definitions.infomec import active_latents
from factorgrid.metrics.mutual_information import discretise, mutual_information
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))


def grid(repeat=4):
    return np.tile(SPACE.factors(np.arange(SPACE.num_points)).astype(np.int64), (repeat, 1))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def recipe():
    """Train and test codes and factors of the specification's recipe, drawn from NumPy's legacy seed 0."""
    random = np.random.RandomState(0)

    def draw(num):
        y = np.stack([random.randint(3, size=num), random.randint(6, size=num), random.randint(8, size=num)], 1)
        e = random.normal(size=(num, 5))
        third = y[:, 2] / 7 + 0.2 * y[:, 1] / 5 + 0.2 * e[:, 2]
        codes = [y[:, 0] - 1 + 0.1 * e[:, 0], y[:, 1] / 5 + 0.3 * e[:, 1], third, e[:, 3], np.full(num, 0.5)]
        return np.stack(codes, axis=1).astype(np.float32), y

    return (*draw(2000), *draw(1000))


def test_numbers_of_the_specification(recipe):
    codes, factors, _, _ = recipe
    assert codes[0] == pytest.approx([-1.0096513, 1.3905706, 0.42016178, -1.3107452, 0.5], abs=1e-6)
    assert mig(codes, factors)["mig"] == pytest.approx(0.4922459579, abs=1e-9)
    assert modularity(codes, factors)["modularity"] == pytest.approx(0.7067437402, abs=1e-9)
    assert irs(codes, factors)["irs"] == pytest.approx(0.4832458627, abs=1e-6)
    assert sap(*recipe)["sap"] == pytest.approx(0.30633, abs=0.002)
    assert sap(*recipe, continuous=True)["sap"] == pytest.approx(0.7373332, abs=1e-6)
    assert mutual_information_score(codes)["mutual_information_score"] == pytest.approx(0.0426736544, abs=1e-9)
    live = codes[:, :4]
    correlation = wasserstein_correlation(live)
    assert gaussian_total_correlation(live)["gaussian_total_correlation"] == pytest.approx(0.0074290712, abs=1e-8)
    assert correlation["wasserstein_correlation"] == pytest.approx(0.0014015508, abs=1e-8)
    assert correlation["wasserstein_correlation.normalised"] == pytest.approx(0.0006992638, abs=1e-8)


def test_dci_of_the_specification_however_it_is_run(recipe):
    alone = dci(*recipe)
    expected = {
        "dci.disentanglement": 0.53548,
        "dci.completeness": 0.59019,
        "dci.informativeness_train": 0.82733,
        "dci.informativeness_test": 0.55767,
    }
    assert alone == pytest.approx(expected, abs=0.005)
    # factors fitted at the same time see the random numbers that they would have seen in turn
    assert dci(*recipe, jobs=2) == alone


def test_lightgbm_is_close(recipe):
    pytest.importorskip("lightgbm")
    exact, fast = dci(*recipe), dci(*recipe, estimator="lightgbm")
    for key, value in exact.items():
        assert fast[key] == pytest.approx(value, abs=0.08), key


def test_perfect_codes_score_their_maximum():
    factors = grid()
    codes = factors.astype(np.float32)
    split = (codes, factors, codes, factors)
    assert mig(codes, factors)["mig"] == pytest.approx(1.0)
    assert modularity(codes, factors)["modularity"] == pytest.approx(1.0)
    assert irs(codes, factors)["irs"] == pytest.approx(1.0)
    assert sap(*split, continuous=True)["sap"] == pytest.approx(1.0)
    assert dci(*split) == pytest.approx(dict.fromkeys(dci(*split), 1.0), abs=1e-6)
    assert min(explicitness(*split).values()) > 0.8  # a middle value is not linearly separable from both sides
    assert downstream(*split, classifier="gbt")["test_accuracy"] == 1.0
    discrete = infomec(codes, factors, discrete=True)
    assert discrete["infomec.modularity"] == pytest.approx(1.0)
    assert discrete["infomec.compactness"] == pytest.approx(1.0)
    assert discrete["infomec.explicitness"] == pytest.approx(1.0, abs=1e-3)
    representation = Representation.from_table(grid(1).astype(np.float32), SPACE)
    counts = {"batch_size": 16, "num_train": 500, "num_eval": 300}
    assert beta_vae_score(representation, rng=rng(), **counts) == {"beta_vae_score": 1.0}
    assert factor_vae_score(representation, rng=rng(), **counts) == {"factor_vae_score": 1.0}


def test_independent_codes_score_near_their_minimum():
    factors = SPACE.sample(rng(), 4_000)
    codes = rng(1).normal(size=(4_000, 3))
    split = (codes[:2_000], factors[:2_000], codes[2_000:], factors[2_000:])
    assert mig(codes, factors)["mig"] < 0.005
    assert sap(*split)["sap"] < 0.03
    assert explicitness(*split)["explicitness.test"] == pytest.approx(0.5, abs=0.03)
    assert infomec(codes, factors)["infomec.explicitness"] < 0.02
    chance = np.mean([1 / 3, 1 / 4, 1 / 5])
    assert downstream(*split)["test_accuracy"] == pytest.approx(chance, abs=0.03)


def test_rotated_codes_share_their_information():
    """Two independent factors in two codes, each turned by 45 degrees: no code is ahead for either."""
    factors = rng().integers(10, size=(5_000, 2))
    codes = factors @ (np.array([[1, 1], [1, -1]]) / np.sqrt(2)) + 0.01 * rng(1).normal(size=(5_000, 2))
    assert mig(codes, factors)["mig"] < 0.05
    assert modularity(codes, factors)["modularity"] < 0.05
    assert infomec(codes, factors)["infomec.modularity"] < 0.1


def test_collapsed_codes_score_nothing():
    factors, codes = grid(), np.full((240, 3), 0.25, np.float32)
    split = (codes, factors, codes, factors)
    assert mig(codes, factors) == {"mig": 0.0}
    assert modularity(codes, factors) == {"modularity": 0.0}
    assert irs(codes, factors) == {"irs": 0.0}
    assert sap(*split) == {"sap": 0.0}
    assert dci(*split)["dci.disentanglement"] == pytest.approx(0.0, abs=1e-12)
    assert dci(*split)["dci.completeness"] == pytest.approx(0.0, abs=1e-12)
    assert infomec(codes, factors)["infomec.modularity"] == 0.0
    representation = Representation.from_table(codes[:60], SPACE)
    assert factor_vae_score(representation, rng=rng(), num_train=50, num_eval=50) == {"factor_vae_score": 0.0}
    assert gaussian_total_correlation(codes) == {"gaussian_total_correlation": 0.0}
    assert np.isnan(gaussian_total_correlation(codes, active_only=False)["gaussian_total_correlation"])
    assert np.isnan(wasserstein_correlation(codes, active_only=False)["wasserstein_correlation.normalised"])


def test_one_latent_and_one_factor():
    factors = grid()[:, :1]
    codes = factors.astype(float)
    split = (codes, factors, codes, factors)
    assert mig(codes, factors) == {"mig": 1.0}
    assert modularity(codes, factors) == {"modularity": 1.0}
    assert set(dci(*split).values()) == {1.0}
    assert mutual_information_score(codes) == {"mutual_information_score": 0.0}
    assert infomec(codes, factors)["infomec.compactness"] == 1.0


def test_gaussian_total_correlation_of_a_known_covariance():
    codes = rng().multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=200_000)
    expected = -np.log(1 - 0.6**2) / 2
    assert gaussian_total_correlation(codes)["gaussian_total_correlation"] == pytest.approx(expected, abs=0.005)
    twins = np.repeat(codes[:, :1], 2, axis=1)
    assert gaussian_total_correlation(twins)["gaussian_total_correlation"] > 10


def test_wasserstein_correlation_is_the_published_formula():
    codes = rng().normal(size=(500, 4)) @ rng(1).normal(size=(4, 4))
    covariance = np.cov(codes, rowvar=False)
    root = sqrtm(np.diag(np.diag(covariance)) @ covariance)
    expected = 2 * np.trace(covariance) - 2 * np.trace(root).real
    assert wasserstein_correlation(codes)["wasserstein_correlation"] == pytest.approx(expected, rel=1e-9)


def test_factor_vae_counts_votes_among_live_codes_only():
    """A code below the threshold would win every vote; it takes no part."""
    quiet = 0.001 * rng().normal(size=(60, 1))
    codes = np.concatenate([quiet, grid(1)], axis=1)
    representation = Representation.from_table(codes, SPACE)
    counts = {"batch_size": 16, "num_train": 300, "num_eval": 200}
    assert factor_vae_score(representation, rng=rng(), **counts) == {"factor_vae_score": 1.0}
    assert factor_vae_score(representation, rng=rng(), std_threshold=10.0, **counts) == {"factor_vae_score": 0.0}


@pytest.mark.parametrize(
    ("active", "discrete", "expected"),
    [
        ("range_20", False, [True, True, False, False]),
        ("range_8", False, [True, False, False, False]),
        ("iqr_10", False, [True, False, False, False]),
        ("range_20", True, [True, True, True, False]),
        ("range_8", True, [True, False, False, False]),
        ("iqr_10", True, [True, False, False, False]),
    ],
)
def test_definitions_of_active_latents(active, discrete, expected):
    """Four codes that spread over 1, 0.09, 0.01 and 0."""
    codes = np.linspace(0, 1, 400)[:, None] * [1.0, 0.09, 0.01, 0.0]
    assert active_latents(codes, active, discrete=discrete).tolist() == expected


def test_unknown_definition_of_active_latents():
    with pytest.raises(Error, match="unknown definition of active latents 'range_9'; did you mean 'range_8'"):
        infomec(np.eye(4), np.eye(4, dtype=int), active="range_9")


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]), st.integers(2, 30))
@settings(max_examples=40, deadline=None)
def test_bins_equal_numpy_histograms(seed, dtype, num_bins):
    random = rng(seed)
    scale, shift = 10.0 ** random.integers(-3, 4), random.normal() * 10.0 ** random.integers(-1, 2)
    codes = (random.normal(size=(60, 3)) * scale + shift).astype(dtype)
    codes[:, 1] = np.round(codes[:, 1] / scale * 4) / 4  # many codes on edges
    codes[:, 2] = codes[0, 2]
    bins = discretise(codes, num_bins)
    for column in range(3):
        edges = np.histogram(codes[:, column], num_bins)[1]
        assert (bins[:, column] == np.digitize(codes[:, column], edges[:-1]) - 1).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_mutual_information_equals_scikit_learn(seed):
    random = rng(seed)
    left = random.integers(9, size=(80, 3))
    right = np.stack([left[:, 0] // 2, random.integers(5, size=80) * 1000, np.zeros(80, np.int64)], axis=1)
    ours = mutual_information(left, right)
    theirs = [[mutual_info_score(left[:, i], right[:, j]) for j in range(3)] for i in range(3)]
    assert ours == pytest.approx(np.array(theirs), abs=1e-12)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_permuting_rescaling_and_flipping_codes_changes_nothing(seed):
    random = rng(seed)
    factors = random.integers([3, 4, 2], size=(120, 3))
    if (factors == factors[0]).all(axis=0).any():
        return
    codes = random.normal(size=(120, 4)) + factors @ random.normal(size=(3, 4))
    order, scale = random.permutation(4), 2.0 ** random.integers(-3, 4, size=4)
    changed = (codes * scale)[:, order]
    for metric in (mig, modularity):
        assert metric(changed, factors) == pytest.approx(metric(codes, factors), abs=1e-12)
    for metric in (gaussian_total_correlation, mutual_information_score):
        assert metric(changed) == pytest.approx(metric(codes), abs=1e-9)
    # a mirrored code can move between bins only if it lies on an edge
    assert mig(-codes, factors) == pytest.approx(mig(codes, factors), abs=1e-6)
    assert irs(codes[:, order], factors) == pytest.approx(irs(codes, factors), abs=1e-12)


def test_area_under_the_curve_is_scikit_learns():
    random = rng()
    scores = random.dirichlet(np.ones(4), size=200).round(2)
    labels = random.integers(4, size=200)
    onehot = labels[:, None] == np.arange(4)
    assert macro_auc(scores.T, labels, np.arange(4)) == pytest.approx(roc_auc_score(onehot, scores, average="macro"))


def test_area_averages_over_the_classes_that_occur():
    random = rng()
    scores, labels = random.uniform(size=(3, 50)), random.integers(2, size=50)
    expected = np.mean([roc_auc_score(labels == value, scores[value]) for value in range(2)])
    assert macro_auc(scores, labels, np.arange(3)) == pytest.approx(expected)
    assert np.isnan(macro_auc(scores, np.zeros(50, int), np.arange(3)))


def test_classes_missing_from_the_test_sample():
    factors = grid()
    codes = factors + 0.1 * rng().normal(size=factors.shape)
    test = factors[:, 2] < 3
    scores = explicitness(codes, factors, codes[test], factors[test])
    assert 0.5 < scores["explicitness.test"] <= 1
    # and values that training never saw are simply wrong
    accuracy = downstream(codes[test], factors[test], codes, factors, classifier="gbt")["test_accuracy"]
    assert accuracy < 0.9
    assert 0 <= sap(codes[test], factors[test], codes, factors)["sap"] <= 1


def test_downstream_skips_factors_without_repetition():
    factors = np.stack([np.arange(40), np.arange(40) % 2], axis=1)
    codes = factors.astype(float)
    assert downstream(codes, factors, codes, factors)["num_factors"] == 1.0
    scores = downstream(codes, factors[:, :1], codes, factors[:, :1])
    assert scores == {"train_accuracy": 0.0, "test_accuracy": 0.0, "num_factors": 0.0}


def test_irs_does_not_care_how_values_are_numbered():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 7, (2000, 2))
    codes = factors + 0.3 * rng.normal(size=factors.shape)
    assert irs(codes, 2**factors) == pytest.approx(irs(codes, factors), abs=1e-12)
