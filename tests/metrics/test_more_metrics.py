"""The newer metrics on codes whose scores can be worked out by hand."""

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import (
    code_usage,
    dcimig,
    edi,
    fos,
    infomec,
    jemmig,
    mig,
    mig_sup,
    minimality_sufficiency,
    omes,
    score,
    z_max_variance,
)
from factorgrid.metrics.sampling import GivenSampler, GridSampler
from factorgrid.representation import Representation

# two fair coins; the first code is one of them, the second holds both, the third is dead
COINS = np.stack(np.meshgrid(range(2), range(2), indexing="ij"), axis=-1).reshape(-1, 2).repeat(10, axis=0)
CODES = np.stack([COINS[:, 0], COINS[:, 0] + 2 * COINS[:, 1], np.full(40, 0.5)], axis=1).astype(float)
LOG2 = np.log(2)


def test_scores_of_two_coins():
    assert mig(CODES, COINS)["mig"] == pytest.approx(1 / 2)
    assert mig_sup(CODES, COINS)["mig_sup"] == pytest.approx(1 / 3)
    assert dcimig(CODES, COINS)["dcimig"] == pytest.approx(1 / 2)
    # either code holds one coin's entropy too much, or leaves it to another code as well
    assert jemmig(CODES, COINS)["jemmig"] == pytest.approx(1 - LOG2 / (LOG2 + np.log(20)))
    assert jemmig(CODES, COINS, num_bins=4)["jemmig"] == pytest.approx(1 - LOG2 / (LOG2 + np.log(4)))
    assert minimality_sufficiency(CODES, COINS) == {
        "minimality_sufficiency.minimality": pytest.approx(3 / 4),
        "minimality_sufficiency.sufficiency": pytest.approx(1.0),
    }
    assert edi(CODES, COINS) == {
        "edi.modularity": pytest.approx(1 / 2),
        "edi.compactness": pytest.approx((1 - np.sqrt(1 / 2) + 1) / 2),
        "edi.explicitness": pytest.approx(1.0),
    }
    discrete = infomec(CODES, COINS, discrete=True)
    assert discrete["infomec.modularity"] == pytest.approx(1 / 2)
    assert discrete["infomec.compactness"] == pytest.approx(1 / 2)
    named = score(CODES, COINS, "infomec_discrete")
    assert list(named.values()) == pytest.approx(list(discrete.values()))
    assert code_usage(CODES) == {
        "code_usage.perplexity": pytest.approx(7 / 3),
        "code_usage.active_categories": pytest.approx(7 / 3),
    }


def test_perfect_and_dead_codes():
    perfect = COINS.astype(float)
    for metric in (mig_sup, dcimig, jemmig, minimality_sufficiency, edi):
        assert list(metric(perfect, COINS).values()) == pytest.approx([1.0] * len(metric(perfect, COINS)))
        dead = metric(np.ones((40, 2)), COINS)
        if metric is not jemmig:  # whose dead code has no entropy, which it rewards
            assert set(dead.values()) == {0.0}
    assert jemmig(np.ones((40, 2)), COINS)["jemmig"] == pytest.approx(1 - LOG2 / (LOG2 + np.log(20)))


def test_code_usage():
    skewed = np.repeat([[0], [1]], [30, 10], axis=0)
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert code_usage(skewed)["code_usage.perplexity"] == pytest.approx(expected)
    assert code_usage(np.eye(8)[skewed]) == code_usage(skewed)
    many = np.random.default_rng(0).normal(size=(2_000, 1))
    assert 15 <= code_usage(many)["code_usage.active_categories"] <= 20  # bins


SPACE = FactorSpace(("a", "one", "b"), (5, 1, 5))
GRID = SPACE.factors(np.arange(25)).astype(np.float64)


def test_omes_of_a_perfect_grid():
    """Different values of a factor of five are correlated by -1/4: 1 - |-1/4| for its own code, 0 for the other."""
    scores = omes(Representation.from_table(GRID[:, [0, 2]], SPACE), rng=np.random.default_rng(0), num_train=40_000)
    own = 3 / 4
    assert scores["omes.overlap"] == pytest.approx((1 - (1 - own) / 2) * own, abs=0.01)
    assert scores["omes.multiple_encoding"] == pytest.approx(scores["omes.overlap"], abs=0.01)
    assert scores["omes"] == pytest.approx((scores["omes.overlap"] + scores["omes.multiple_encoding"]) / 2)
    mixed = Representation.from_table(GRID[:, [0, 2]] @ np.array([[1.0, 1.0], [1.0, -1.0]]), SPACE)
    # each factor changes both codes by a half: S is about 1 - |(1 - 1/4) / 2| everywhere
    share = 1 - 3 / 8
    overlap = omes(mixed, rng=np.random.default_rng(0), num_train=40_000)["omes.overlap"]
    assert overlap == pytest.approx((1 - (1 - share + share) / 2) * share, abs=0.01)
    with pytest.raises(Error, match="alpha must be from 0 to 1"):
        omes(mixed, rng=np.random.default_rng(0), num_train=10, alpha=2.0)


def test_z_max_variance():
    counts = {"batch_size": 8, "num_train": 300, "num_eval": 300}
    perfect = Representation.from_table(GRID[:, [2, 0]], SPACE)
    assert z_max_variance(perfect, rng=np.random.default_rng(0), **counts) == {"z_max_variance": 1.0}
    one_code = Representation.from_table(GRID[:, [0]] + GRID[:, [2]], SPACE)
    assert z_max_variance(one_code, rng=np.random.default_rng(0), **counts)["z_max_variance"] == pytest.approx(
        0.5, abs=0.1
    )
    dead = Representation.from_table(np.zeros((25, 2)), SPACE)
    assert z_max_variance(dead, rng=np.random.default_rng(0), **counts) == {"z_max_variance": 0.0}


@pytest.mark.parametrize("distinct", [False, True])
@pytest.mark.parametrize("complete", [False, True])
def test_all_factors_but_one_are_held(complete, distinct):
    free = np.repeat([0, 1], 50)
    if complete:
        sampler = GridSampler(Representation.from_table(GRID, SPACE))
    else:
        rows = np.random.default_rng(0).permutation(25)[:18].repeat(2)
        known = GRID[rows].astype(int)
        known[:3, 0] = -1  # rows that are not wholly known are not drawn
        with pytest.warns(UserWarning, match="one value only: 1"):
            sampler = GivenSampler(np.where(known < 0, 99.0, GRID[rows]), known)
    codes = sampler.varied(np.random.default_rng(1), free, 4, distinct=distinct)
    assert codes.shape == (4, 100, 3)
    assert codes.max() < 5
    for factor, column in ((0, 0), (1, 2)):
        drawn = codes[:, free == factor]
        held = np.delete(drawn, column, axis=2)
        assert (held == held[:1]).all()
        equal = (drawn[1:, :, column] == drawn[0, :, column]).mean()
        assert equal == 0 if distinct else 0 < equal < 0.8


def test_scores_that_a_sample_does_not_allow_are_left_out():
    codes = np.random.default_rng(0).normal(size=(60, 2))
    factors = np.stack([np.arange(60) % 6, np.arange(60) % 6], axis=1)  # no two differ in one factor alone
    with pytest.warns(UserWarning, match="left out omes, z_max_variance: too few codes"):
        assert list(score(codes, factors, ("mig", "omes", "z_max_variance"))) == ["mig"]


def test_fos_is_the_greatest_hole():
    corners = np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 0.0], [3.0, 2.0]])
    assert fos(corners) == {"fos": 0.0}
    # (3, 2) is missing, and its nearest code is (3, 0)
    assert fos(corners[:3]) == {"fos": 4.0}
    assert fos(np.c_[corners[:3], np.full(3, 7.0)]) == {"fos": 4.0}
    # each of three pairs lies on its diagonal, and misses (0, 3) by 1.5 on either side of (1.5, 1.5)
    diagonal = np.repeat([[0.0], [1.5], [3.0]], 3, axis=1)
    assert fos(diagonal) == {"fos": pytest.approx(3 * 2 * 1.5**2)}
    assert fos(diagonal[:, :1]) == {"fos": 0.0}
    # two batches, of which the second has no hole; a third is not looked at, nor a shorter one
    batches = np.concatenate([corners[[0, 1, 2, 0]], corners, 100 * corners[[0, 1, 2, 0]]])
    assert fos(batches, batch_size=4, max_batches=2) == {"fos": 2.0}
    assert fos(batches[:11], batch_size=4) == {"fos": 2.0}
    with pytest.raises(Error, match="max_batches"):
        fos(corners, max_batches=0)
