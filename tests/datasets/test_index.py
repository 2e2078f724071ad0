"""Rows <-> factors: the whole grid, hidden factors, missing combinations, gaps, no labels."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factorgrid.datasets.index import Grid, Labels, index_labels
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace


def space_of(sizes: list[int]) -> FactorSpace:
    return FactorSpace([f"f{i}" for i in range(len(sizes))], sizes)


@settings(max_examples=12, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5), seed=st.integers(0, 2**31 - 1))
def test_grid_round_trip(sizes: list[int], seed: int) -> None:
    index = Grid(space_of(sizes))
    rows = jax.random.randint(jax.random.key(seed), (20,), 0, index.num_images)
    again, found = index.find(jax.random.key(0), index.factors(rows))
    assert found.all()
    assert (again == rows).all()
    outside = jnp.asarray([sizes], jnp.int32)
    assert not index.find(jax.random.key(0), outside)[1].any()


@settings(max_examples=6, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), num=st.integers(1, 40), seed=st.integers(0, 2**31 - 1)
)
def test_labels_find_a_row_of_the_wanted_factors_or_none(sizes: list[int], num: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = space_of(sizes)
    labels = rng.integers(-1, sizes, size=(num, len(sizes)))
    index = index_labels(labels, space)
    wanted = space.factors(np.arange(space.num_points))
    find = eqx.filter_jit(lambda index, *args: index.find(*args))
    rows, found = find(index, jax.random.key(seed), jnp.asarray(wanted, jnp.int32))
    present = (labels[None] == wanted[:, None]).all(-1).any(1)
    assert (np.asarray(found) == present).all()
    assert (labels[np.asarray(rows)][present] == wanted[present]).all()
    assert index.complete == present.all()


def test_an_ordered_grid_of_labels_needs_no_table() -> None:
    space = space_of([2, 3])
    assert isinstance(index_labels(space.factors(np.arange(6)), space), Grid)
    shuffled = index_labels(space.factors(np.array([5, 0, 1, 2, 3, 4])), space)
    assert isinstance(shuffled, Labels)
    assert shuffled.unique
    assert shuffled.complete


def test_rows_of_equal_factors_are_drawn_uniformly() -> None:
    index = index_labels(np.array([[0], [1], [0], [0], [1]]), space_of([2]))
    assert not index.unique
    rows, _ = index.find(jax.random.key(1), jnp.zeros((3000, 1), jnp.int32))
    counts = np.bincount(np.asarray(rows), minlength=5)
    assert counts[1] == counts[4] == 0
    assert np.abs(counts[[0, 2, 3]] / 1000 - 1).max() < 0.12  # four standard deviations


def test_draws_are_uniform_over_images() -> None:
    index = index_labels(np.array([[0], [0], [0], [1]]), space_of([2]))
    rows, factors = index.draw(jax.random.key(0), 4000)
    assert np.abs(np.bincount(np.asarray(rows)) / 1000 - 1).max() < 0.12
    assert (np.asarray(factors)[:, 0] == (np.asarray(rows) == 3)).all()


def test_a_grid_of_more_points_than_32_bits_is_indexed() -> None:
    sizes = [1000] * 6
    labels = np.random.default_rng(0).integers(0, 1000, size=(500, 6))
    index = index_labels(labels, space_of(sizes))
    rows, found = index.find(jax.random.key(0), jnp.asarray(labels, jnp.int32))
    assert found.all()
    assert (np.asarray(rows) == np.arange(500)).all()


def test_without_labels_factors_are_empty() -> None:
    index = index_labels(np.zeros((7, 0), np.int64), None)
    rows, factors = index.draw(jax.random.key(0), 100)
    assert factors.shape == (100, 0)
    assert set(np.asarray(rows).tolist()) == set(range(7))
    assert not index.complete


def test_only_gaps_finds_nothing() -> None:
    index = index_labels(np.full((4, 2), -1), space_of([2, 2]))
    assert not index.find(jax.random.key(0), jnp.zeros((1, 2), jnp.int32))[1].any()


def test_a_label_out_of_range_is_refused() -> None:
    with pytest.raises(Error, match=r"factor 'f0' must be within 0\.\.1"):
        index_labels(np.array([[0], [2]]), space_of([2]))


def test_a_grid_with_unknown_labels_is_none() -> None:
    labels = np.array([[0, 0], [1, -1], [1, 0], [1, 1]])
    index = index_labels(labels, space_of([2, 2]))
    assert isinstance(index, Labels)
    assert np.asarray(index.factors(jnp.arange(4))).tolist() == labels.tolist()
