"""FactorSpace: row-major indexing, checks, sampling."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

SPACE = FactorSpace(("shape", "scale", "x"), (3, 1, 5))


def test_sizes_and_strides():
    assert SPACE.num_factors == 3
    assert SPACE.num_points == 15
    assert SPACE.strides == (5, 5, 1)
    assert SPACE.position("x") == 2


def test_last_factor_runs_fastest():
    expected = list(itertools.product(range(3), range(1), range(5)))
    assert SPACE.factors(np.arange(15)).tolist() == [list(point) for point in expected]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_index_and_factors_are_inverse(sizes, seed):
    space = FactorSpace([f"f{i}" for i in range(len(sizes))], sizes)
    index = np.random.default_rng(seed).integers(space.num_points, size=(4, 3))
    factors = space.factors(index)
    assert factors.shape == (4, 3, len(sizes))
    assert (space.index(factors) == index).all()
    space.check(factors.reshape(-1, len(sizes)).astype(np.int64))


def test_dsprites_row():
    """Row 400,000 of the published dSprites file, by the mixed radix of its factor sizes."""
    space = FactorSpace(("shape", "scale", "orientation", "x", "y"), (3, 6, 40, 32, 32))
    assert space.num_points == 737_280
    assert space.factors(np.array(400_000)).tolist() == [1, 3, 30, 20, 0]


def test_sample_is_uniform_with_replacement():
    factors = SPACE.sample(np.random.default_rng(0), 30_000)
    SPACE.check(factors)
    counts = np.bincount(SPACE.index(factors), minlength=15)
    # 2,000 expected in each cell; standard deviation 43
    assert np.abs(counts - 2_000).max() < 5 * 43
    assert SPACE.sample(np.random.default_rng(0), 0).shape == (0, 3)


def test_works_on_jax_arrays():
    jnp = pytest.importorskip("jax.numpy")
    index = jnp.arange(15, dtype=jnp.int32)
    assert (SPACE.index(SPACE.factors(index)) == index).all()


@pytest.mark.parametrize(
    ("names", "sizes", "message"),
    [
        (("a", "b"), (2,), "2 factor names for 1 factor sizes"),
        (("a", "a"), (2, 2), "factor names must differ"),
        (("a",), (0,), "at least 1"),
    ],
)
def test_bad_spaces(names, sizes, message):
    with pytest.raises(Error, match=message):
        FactorSpace(names, sizes)


def test_check_names_the_factor_and_its_range():
    with pytest.raises(Error, match=r"factor 'x' must be within 0\.\.4, got values from 0 to 5"):
        SPACE.check(np.array([[0, 0, 0], [0, 0, 5]]))
    with pytest.raises(Error, match=r"shape \[sample, 3\]"):
        SPACE.check(np.zeros((2, 2), np.int64))
    with pytest.raises(Error, match="did you mean 'scale'"):
        SPACE.position("scal")
