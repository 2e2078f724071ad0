"""Draws from the factor grid: what is held fixed is equal, everything else is uniform."""

import numpy as np
import pytest

from factorgrid.factors import FactorSpace
from factorgrid.metrics.sampling import GridSampler, runs
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b", "constant", "c"), (4, 3, 1, 5))
FREE = [0, 1, 3]
# the codes of a point are its factors
FACTORS = Representation.from_table(SPACE.factors(np.arange(SPACE.num_points)).astype(np.float32), SPACE)
FIXED = np.repeat([0, 1, 2], [300, 200, 250])
SIZE = 16


def assert_uniform(codes):
    """Every factor takes each of its values about equally often: within 5 standard deviations."""
    for column, num_values in enumerate(SPACE.sizes):
        share = np.bincount(codes[..., column].astype(int).ravel(), minlength=num_values) / codes[..., 0].size
        deviation = np.sqrt((1 - 1 / num_values) / num_values / codes[..., 0].size)
        assert np.abs(share - 1 / num_values).max() <= 5 * deviation, SPACE.names[column]


def test_pairs_share_the_fixed_factor_and_nothing_else():
    first, second = GridSampler(FACTORS).pairs(np.random.default_rng(0), FIXED, SIZE)
    assert first.shape == second.shape == (SIZE, len(FIXED), 4)
    assert_uniform(first)
    assert_uniform(second)
    equal = first == second
    for place, column in enumerate(FREE):
        assert equal[:, place == FIXED, column].all()
        # by chance only, where another factor is fixed
        share, expected = equal[:, place != FIXED, column].mean(), 1 / SPACE.sizes[column]
        assert share == pytest.approx(expected, abs=5 * np.sqrt(expected / equal[:, place != FIXED, column].size))
    # the pairs of one group do not share their value
    assert len(np.unique(first[:, 0, 0])) > 1


def test_groups_share_the_fixed_factor_and_nothing_else():
    codes = GridSampler(FACTORS).groups(np.random.default_rng(0), FIXED, SIZE)
    assert codes.shape == (SIZE, len(FIXED), 4)
    assert_uniform(codes[0])
    for place, column in enumerate(FREE):
        assert (codes[:, place == FIXED, column] == codes[:1, place == FIXED, column]).all()
        others = codes[:, place != FIXED, column]
        assert (others != others[0]).any(axis=0).mean() > 0.99
    # one value per group, itself uniform
    assert set(np.unique(codes[0, FIXED == 2, 3])) == set(range(5))


def test_runs_of_an_ascending_array():
    assert list(runs(np.array([0, 0, 2, 3, 3]))) == [(0, slice(0, 2)), (2, slice(2, 3)), (3, slice(3, 5))]
