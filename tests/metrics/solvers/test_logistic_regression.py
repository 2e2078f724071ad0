"""Logistic regression: the optimum that scikit-learn seeks, closer than its default tolerance comes."""

import numpy as np
import pytest
from scipy.linalg import LinAlgError
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from factorgrid.metrics import explicitness
from factorgrid.metrics.definitions.downstream import STRENGTHS
from factorgrid.metrics.solvers import logistic_regression as module
from factorgrid.metrics.solvers.logistic_regression import fit_cross_validated, fit_logistic


def sample(num, num_classes, num_latents=4, seed=0):
    """Codes that tell classes in a row apart, more or less; classes differ in size and are numbered 0, 2, 4, ..."""
    random = np.random.default_rng(seed)
    labels = np.minimum(random.integers(num_classes, size=num), random.integers(num_classes, size=num))
    codes = random.normal(size=(num, num_latents)) + np.outer(labels, random.normal(size=num_latents)) / 2
    return codes.astype(np.float32), 2 * labels


def objective(weight, bias, codes, labels, strength):
    """What is minimised; two classes are penalised by the difference of their weights."""
    classes, place = np.unique(labels, return_inverse=True)
    if len(weight) == 1:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    logits = codes.astype(np.float64) @ weight.T + bias
    losses = logsumexp(logits, axis=1) - logits[np.arange(len(place)), place]
    return losses.sum() + (2 if len(classes) == 2 else 1) * (weight**2).sum() / 2 / strength


def value(model, codes, labels, strength):
    return objective(model.weight, model.bias - model.weight @ model.centre, codes, labels, strength)


def optimum(codes, labels, strength):
    model = Reference(C=strength, tol=1e-10, solver="newton-cholesky").fit(codes.astype(np.float64), labels)
    return objective(model.coef_, model.intercept_, codes, labels, strength), model


@pytest.mark.parametrize("strength", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize(("num", "num_classes"), [(400, 2), (400, 3), (7_000, 2), (7_000, 9)])
def test_reaches_the_optimum(num, num_classes, strength):
    codes, labels = sample(num, num_classes)
    best, reference = optimum(codes, labels, strength)
    model = fit_logistic(codes, labels, strength=strength)
    assert best * (1 - 1e-9) <= value(model, codes, labels, strength) <= best * (1 + 2e-4)
    chances = model.probabilities(codes)
    np.testing.assert_allclose(chances, reference.predict_proba(codes).T, atol=0.01)
    np.testing.assert_allclose(chances.sum(axis=0), 1, rtol=1e-5)
    assert (model.classes == reference.classes_).all()
    assert np.mean(model.predict(codes) == reference.predict(codes)) > 0.99


def refuse(*_, **__):
    raise LinAlgError("not positive definite")


@pytest.mark.parametrize(("name", "instead"), [("MAX_PARAMETERS", 0), ("cholesky", refuse)])
def test_does_without_the_curvature(monkeypatch, name, instead):
    codes, labels = sample(2_000, 20, num_latents=8)
    monkeypatch.setattr(module, name, instead)
    best, _ = optimum(codes, labels, 1.0)
    assert value(fit_logistic(codes, labels), codes, labels, 1.0) <= best * (1 + 1e-3)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_codes_of_any_scale_and_offset(scale, offset):
    codes, labels = sample(500, 4)
    codes = (codes * np.array([1, 1, scale, scale]) + offset).astype(np.float32)
    best, _ = optimum(codes - codes.mean(axis=0), labels, 1.0)
    assert value(fit_logistic(codes, labels), codes, labels, 1.0) <= best * (1 + 1e-3)


def test_an_offset_costs_no_digits():
    codes, labels = sample(500, 4)
    far = codes.astype(np.float64) + 1e7
    near, model = fit_logistic(codes, labels), fit_logistic(far, labels)
    np.testing.assert_allclose(model.probabilities(far), near.probabilities(codes), atol=1e-3)


@pytest.mark.parametrize("scale", [1e-170, 1e40, 1e160])
def test_double_precision_of_any_range(scale):
    codes, labels = sample(300, 3)
    near, model = fit_logistic(codes, labels, strength=1e12), fit_logistic(codes * np.float64(scale), labels)
    assert np.isfinite(model.weight).all()
    if scale > 1:  # without a penalty that would matter
        assert np.mean(model.predict(codes * np.float64(scale)) == near.predict(codes)) > 0.99


def test_dead_and_repeated_latents():
    codes, labels = sample(500, 4)
    dead, twice = np.full((500, 1), 7.0, np.float32), codes[:, :1]
    model = fit_logistic(np.concatenate([codes, dead, twice], axis=1), labels)
    assert np.isfinite(model.weight).all()
    # a latent that is there twice shares its weight between the two, which is penalised less
    best, _ = optimum(np.concatenate([codes, twice], axis=1), labels, 1.0)
    without_dead = np.delete(np.concatenate([codes, dead, twice], axis=1), 4, axis=1)
    bias = model.bias - model.weight @ model.centre + 7.0 * model.weight[:, 4]
    assert objective(np.delete(model.weight, 4, axis=1), bias, without_dead, labels, 1.0) <= best * (1 + 1e-4)


@pytest.mark.parametrize("strength", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize(("num", "num_classes", "num_latents"), [(300, 10, 3), (8_000, 2, 3)])
def test_far_outliers_do_no_harm(num, num_classes, num_latents, strength):
    random = np.random.default_rng(0)
    codes = np.exp(4 * random.normal(size=(num, num_latents))).astype(np.float32)
    labels = random.integers(num_classes, size=num)
    model = fit_logistic(codes, labels, strength=strength)
    assert np.isfinite(model.weight).all()
    assert value(model, codes, labels, strength) <= num * np.log(num_classes)


def test_order_of_samples_does_not_matter():
    codes, labels = sample(6_000, 5)
    ascending = np.argsort(labels, kind="stable")
    first, second = fit_logistic(codes, labels), fit_logistic(codes[ascending], labels[ascending])
    np.testing.assert_allclose(first.probabilities(codes), second.probabilities(codes), atol=0.01)
    # the samples that guide a fit hold all classes, in whatever order they come
    some = module.Problem.of(codes[ascending], labels[ascending]).some()
    shares = np.bincount(some.place) / len(some.place)
    np.testing.assert_allclose(shares, np.bincount(labels // 2) / len(labels), atol=0.06)


@pytest.mark.parametrize("seed", [0, 1])
def test_cross_validation_is_scikit_learns(seed):
    codes, labels = sample(300, 3, seed=seed)
    fresh, wanted = sample(2_000, 3, seed=seed)
    ours = fit_cross_validated(codes, labels, STRENGTHS, StratifiedKFold(5).split(codes, labels))
    theirs = LogisticRegressionCV(
        Cs=10, cv=StratifiedKFold(5), scoring="accuracy", max_iter=5_000, l1_ratios=(0,), use_legacy_attributes=False
    ).fit(codes.astype(np.float64), labels)
    assert np.mean(ours.predict(fresh) == wanted) == pytest.approx(np.mean(theirs.predict(fresh) == wanted), abs=0.01)


@pytest.mark.parametrize("strength", STRENGTHS[::3])
def test_cross_validation_ends_in_a_fit_to_all_samples(strength):
    codes, labels = sample(400, 4)
    folds = StratifiedKFold(3).split(codes, labels)
    best, _ = optimum(codes, labels, strength)
    model = fit_cross_validated(codes, labels, (strength,), folds)
    assert value(model, codes, labels, strength) <= best * (1 + 1e-3)


def test_left_out_samples_are_not_remembered():
    """Labels that have nothing to do with codes of more latents than samples: a weak penalty fits any of them."""
    random = np.random.default_rng(0)
    codes, labels = random.normal(size=(60, 80)), random.integers(2, size=60)
    chosen = fit_cross_validated(codes, labels, (1e-4, 1e4), StratifiedKFold(5).split(codes, labels))
    # a fold that started from the fit to all samples would get its left-out ones right, and the weak penalty chosen
    assert np.abs(chosen.weight).max() < 0.1


def test_explicitness_is_that_of_scikit_learns_classifier():
    codes, labels = sample(3_000, 6)
    train, test, y, y_test = codes[:2_000], codes[2_000:], labels[:2_000], labels[2_000:]
    mean, spread = train.mean(axis=0), train.std(axis=0)
    model = Reference(tol=1e-8, max_iter=5_000).fit((train - mean) / spread, y)
    expected = [
        roc_auc_score(values[:, None] == model.classes_, model.predict_proba((part - mean) / spread), average="macro")
        for part, values in ((train, y), (test, y_test))
    ]
    scores = explicitness(train, y[:, None], test, y_test[:, None])
    assert list(scores.values()) == pytest.approx(expected, abs=1e-4)
