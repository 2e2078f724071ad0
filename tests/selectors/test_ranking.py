"""UDR: alike models score high, models entangled each in its own way score low."""

import numpy as np
import pytest
from scipy.stats import ortho_group, spearmanr
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from factorgrid.errors import Error
from factorgrid.selectors.ranking import udr

NUM_LATENTS = 4


@pytest.fixture(scope="module")
def factors():
    return np.random.default_rng(0).uniform(-1, 1, (500, NUM_LATENTS))


def aligned(factors, seed):
    rng = np.random.default_rng(seed)
    sign, scale = rng.choice([-1, 1], NUM_LATENTS), rng.uniform(0.5, 2, NUM_LATENTS)
    noise = 0.01 * rng.normal(size=factors.shape)
    return (factors + noise)[:, rng.permutation(NUM_LATENTS)] * sign * scale


def rotated(factors, seed):
    return factors @ ortho_group.rvs(NUM_LATENTS, random_state=seed)


@pytest.mark.parametrize(("similarity", "best"), [("lasso", 0.85), ("spearman", 0.8)])
def test_aligned_models_beat_rotated_ones(factors, similarity, best):
    good = udr([aligned(factors, seed) for seed in range(4)], similarity=similarity)
    bad = udr([rotated(factors, seed) for seed in range(4)], similarity=similarity)
    assert min(good) > best
    assert max(bad) < 0.6
    assert all(type(value) is float for value in good)


def test_permuting_and_flipping_latents_changes_nothing(factors):
    models = [rotated(factors, seed) for seed in range(3)]
    changed = [models[0][:, [2, 0, 3, 1]] * [1, -1, 2, 1], *models[1:]]
    for similarity in ("lasso", "spearman"):
        assert udr(changed, similarity=similarity) == pytest.approx(udr(models, similarity=similarity), abs=1e-3)


@pytest.mark.parametrize("similarity", ["lasso", "spearman"])
def test_against_the_formula_written_out(factors, similarity):
    """The reference's steps, one at a time, with SciPy and scikit-learn."""
    kl = [np.array([1.0, 0.5, 0.005, 0.2]), np.array([1.0, 0.0, 0.3, 0.2]), np.array([1.0, 1.0, 1.0, 1.0])]
    models = [rotated(factors, seed) for seed in range(3)]
    scaled = [StandardScaler().fit_transform(code) * (d > 0.01) for code, d in zip(models, kl)]
    expected = []
    for j in range(3):
        scores = []
        for i in range(3):
            if i == j:
                continue
            keep_i, keep_j = np.flatnonzero(kl[i] > 0.01), np.flatnonzero(kl[j] > 0.01)
            if similarity == "lasso":
                matrix = np.abs(Lasso(alpha=0.1).fit(scaled[i], scaled[j]).coef_.T)[np.ix_(keep_i, keep_j)]
            else:
                matrix = np.array(
                    [[abs(spearmanr(scaled[i][:, a], scaled[j][:, b])[0]) for b in keep_j] for a in keep_i]
                )
            down = np.mean([max(column) ** 2 / sum(column) if sum(column) else 0 for column in matrix.T])
            across = np.mean([max(row) ** 2 / sum(row) if sum(row) else 0 for row in matrix])
            scores.append((down + across) / 2)
        expected.append(np.median(scores))
    assert udr(models, kl, similarity=similarity) == pytest.approx(expected, abs=1e-4)


def test_dead_latents_and_dead_models_do_no_harm(factors):
    dead = np.concatenate([aligned(factors, 0), np.full((len(factors), 1), 0.3)], axis=1)
    other = np.concatenate([np.zeros((len(factors), 1)), aligned(factors, 1)], axis=1)
    for similarity in ("lasso", "spearman"):
        assert min(udr([dead, other], similarity=similarity)) > 0.8
        assert udr([np.zeros((50, 2)), np.zeros((50, 2))], similarity=similarity) == [0.0, 0.0]


def test_errors(factors):
    with pytest.raises(Error, match="at least two, got 1"):
        udr([factors])
    with pytest.raises(Error, match=r"model 0 has \[500, 4\], model 1 \[499, 4\]"):
        udr([factors, factors[1:]])
    with pytest.raises(Error, match="codes of model 1 hold 1 NaN"):
        udr([factors, np.where(factors == factors[0, 0], np.nan, factors)])
    with pytest.raises(Error, match="did you mean 'spearman'"):
        udr([factors, factors], similarity="spearmen")
    with pytest.raises(Error, match="a KL for each of 2 models"):
        udr([factors, factors], [np.ones(4)])
