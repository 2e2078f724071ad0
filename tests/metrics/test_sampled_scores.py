"""BetaVAE and FactorVAE scores against their definitions written as loops, one sample at a time."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from factorgrid.factors import FactorSpace
from factorgrid.metrics import beta_vae_score, factor_vae_score
from factorgrid.metrics.votes import variance
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b", "c"), (4, 3, 5))
COUNTS = {"batch_size": 8, "num_train": 300, "num_eval": 300}
NUM_SEEDS = 12


def draw(random):
    return np.stack([random.randint(size, size=COUNTS["batch_size"]) for size in SPACE.sizes], axis=1)


def beta_vae_by_loops(table, random):
    def samples(num):
        features, labels = [], []
        for _ in range(num):
            label = random.randint(3)
            first, second = draw(random), draw(random)
            second[:, label] = first[:, label]
            distance = np.abs(table[SPACE.index(first)] - table[SPACE.index(second)])
            features.append(distance.mean(axis=0))
            labels.append(label)
        return np.array(features), np.array(labels)

    model = LogisticRegression(solver="newton-cg").fit(*samples(COUNTS["num_train"]))
    return model.score(*samples(COUNTS["num_eval"]))


def factor_vae_by_loops(table, random):
    points = np.stack([random.randint(size, size=2_000) for size in SPACE.sizes], axis=1)
    overall = table[SPACE.index(points)].var(axis=0, ddof=1)
    active = np.flatnonzero(np.sqrt(overall) >= 0.05)

    def votes(num):
        counts = np.zeros((3, table.shape[1]), int)
        for _ in range(num):
            label = random.randint(3)
            factors = draw(random)
            factors[:, label] = factors[0, label]
            local = table[SPACE.index(factors)].var(axis=0, ddof=1)
            counts[label, np.argmin(local[active] / overall[active])] += 1
        return counts

    assigned = votes(COUNTS["num_train"]).argmax(axis=0)
    fresh = votes(COUNTS["num_eval"])
    return fresh[assigned, np.arange(table.shape[1])].sum() / fresh.sum()


@pytest.mark.parametrize("informed", [0.0, 0.3, 1.0])
def test_agree_with_loops(informed):
    """Means over seeds agree to what their spread allows: 4 standard errors of the difference."""
    rng = np.random.default_rng(5)
    factors = SPACE.factors(np.arange(SPACE.num_points)) / np.array(SPACE.sizes)
    table = np.concatenate([informed * factors, np.full((60, 1), 0.2), factors[:, :1]], axis=1)[:, :4]
    table = table + 0.2 * rng.normal(size=table.shape)
    table[:, 3] *= 0.01  # pruned by the FactorVAE score
    representation = Representation.from_table(table, SPACE)
    for metric, loops, options in (
        (beta_vae_score, beta_vae_by_loops, {}),
        (factor_vae_score, factor_vae_by_loops, {"num_variance_estimate": 2_000}),
    ):
        ours = [
            metric(representation, rng=np.random.default_rng(seed), **COUNTS, **options)[metric.__name__]
            for seed in range(NUM_SEEDS)
        ]
        theirs = [loops(table, np.random.RandomState(seed)) for seed in range(NUM_SEEDS)]
        error = np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / NUM_SEEDS)
        assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=4 * error + 1e-3), metric.__name__


def test_codes_whose_squares_overflow_vary_the_most():
    random = np.random.default_rng(0)
    codes = random.normal(size=(8, 3, 2)).astype(np.float32)
    np.testing.assert_allclose(variance(codes), codes.var(axis=0, ddof=1), rtol=1e-4)
    codes[..., 1] *= 1e20
    assert np.isinf(variance(codes)[:, 1]).all()
    assert np.isfinite(variance(codes)[:, 0]).all()
