"""The support vector machine of one feature: scikit-learn's, to the last prediction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from factorgrid.metrics.definitions.sap import numbered_as, svm_scores
from factorgrid.metrics.solvers.linear_svm import envelope, fit_machines


@pytest.mark.parametrize("num_values", [2, 3, 12])
@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_linear_svm_is_scikit_learns(num_values, shift):
    random = np.random.default_rng(num_values)
    labels, labels_test = random.integers(num_values, size=(600, 1)) * 3, random.integers(num_values, size=(300, 1)) * 3
    codes, codes_test = (
        (y / num_values + random.normal(size=y.shape) * [1.0] + shift).astype(np.float32) for y in (labels, labels_test)
    )
    model = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10).fit(codes, labels[:, 0])
    expected = np.mean(model.predict(codes_test) == labels_test[:, 0])
    assert svm_scores(codes, labels, codes_test, labels_test)[0, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_far_outliers_and_rare_classes(seed):
    """Where full Newton steps overshoot."""
    random = np.random.default_rng(seed)
    labels = np.minimum(random.geometric(0.4, size=400), 8)[:, None]
    codes = (random.standard_cauchy(size=(400, 1)) * 10 ** random.uniform(-2, 2) + labels).astype(np.float32)
    model = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-12, max_iter=100_000).fit(codes, labels[:, 0])
    machines = fit_machines(codes, np.unique(labels, return_inverse=True)[1].reshape(-1, 1))
    np.testing.assert_allclose(machines.weight[0], model.coef_[:, 0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(machines.bias[0] - machines.weight[0] * machines.centre, model.intercept_, atol=1e-5)


def test_latents_and_factors_are_fitted_independently():
    random = np.random.default_rng(0)
    labels = np.stack([random.integers(2, size=200), random.integers(7, size=200)], axis=1)
    codes = labels @ random.normal(size=(2, 3)) + random.normal(size=(200, 3))
    together = fit_machines(codes, labels)
    for latent in range(3):
        for factor in range(2):
            alone = fit_machines(codes[:, [latent]], labels[:, [factor]])
            np.testing.assert_allclose(together.weight[latent, together.parts[factor]], alone.weight[0], rtol=1e-9)
            np.testing.assert_allclose(together.bias[latent, together.parts[factor]], alone.bias[0], rtol=1e-9)


def test_a_dead_latent_predicts_as_scikit_learns():
    labels = np.repeat([0, 1, 2], [10, 30, 20])
    codes = np.full((60, 1), 0.3)
    model = LinearSVC(C=0.01, class_weight="balanced", dual=False, tol=1e-10).fit(codes, labels)
    assert (fit_machines(codes, labels[:, None]).predict(codes[:, 0], 0, 0) == model.predict(codes)).all()


def test_many_latents_are_fitted_in_blocks():
    random = np.random.default_rng(0)
    labels = random.integers(5, size=(200, 1))
    codes = labels + random.normal(size=(200, 70)) * np.linspace(0.1, 3, 70)
    together = svm_scores(codes, labels, codes, labels)
    alone = [svm_scores(codes[:, [i]], labels, codes[:, [i]], labels)[0, 0] for i in (0, 31, 32, 69)]
    assert together[[0, 31, 32, 69], 0].tolist() == alone


LINES = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=12)


@given(LINES)
def test_envelope_is_the_maximum_of_the_lines(lines):
    weight, bias = np.array(lines, float).T
    highest, starts = envelope(weight, bias)
    assert starts[0] == -np.inf
    assert (np.diff(starts[1:]) > 0).all()
    assert (np.diff(weight[highest]) > 0).all()
    x = np.linspace(-20, 20, 997)
    line = np.array(highest)[np.searchsorted(starts, x, side="right") - 1]
    np.testing.assert_allclose(weight[line] * x + bias[line], (np.outer(x, weight) + bias).max(axis=1), atol=1e-12)
    # of equal lines the first
    assert all(lines.index(lines[i]) == i for i in highest)


def test_other_labels_are_numbered_by_the_first():
    labels, others = np.array([7, 2, 7, 5]), np.array([5, 2, 9, 0, 6, 7])
    assert numbered_as(labels, others).tolist() == [1, 0, -1, -1, -1, 2]
