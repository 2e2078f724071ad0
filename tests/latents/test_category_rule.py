"""Which category stands for a factor value: the rule that masks and supervision share."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factorgrid.latents.categorical import SPACINGS, active_categories, category_of_value
from factorgrid.latents.schedule import cosine


@given(st.integers(1, 200), st.integers(2, 100), st.sampled_from(SPACINGS))
def test_active_categories_are_those_that_labels_hit(num_values, num_categories, spacing):
    hit = {int(category_of_value(v, num_values, num_categories, spacing)) for v in range(num_values)}
    active = active_categories(num_values, num_categories, spacing)
    assert active == tuple(sorted(set(active)))
    assert hit <= set(range(num_categories))
    if num_values < num_categories:
        assert set(active) == hit
        assert len(active) == num_values
    else:
        assert active == tuple(range(num_categories))


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [("bins", (0, 10, 21, 32, 42, 53)), ("endpoint", (0, 13, 25, 38, 50, 63))],
)
def test_six_values_among_64(spacing, expected):
    """floor(64 v / 6), and 63 v / 5 = 12.6, 25.2, 37.8, 50.4 rounded."""
    assert active_categories(6, 64, spacing) == expected


def test_equal_bins_are_those_of_the_normalised_value():
    """Exact in whole numbers where floats are not: bin k is [k / K, (k + 1) / K) of v / S."""
    for size in (2, 3, 6, 32, 40, 183):
        values = np.arange(size)
        found = category_of_value(values, size, 64, "bins")
        assert ((found * size <= values * 64) & (values * 64 < (found + 1) * size)).all()


def test_the_rule_broadcasts_over_arrays_of_values():
    values, sizes = jnp.asarray([[0, 5], [2, 1]]), np.asarray([3, 6], np.int32)
    np.testing.assert_array_equal(category_of_value(values, sizes, 64, "bins"), [[0, 53], [42, 10]])
    np.testing.assert_array_equal(category_of_value(values, sizes, 64, "endpoint"), [[0, 63], [63, 13]])


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.5), (75_000, 0.71967), (150_000, 1.25), (225_000, 1.78033), (300_000, 2.0)]
)
def test_noise_scale_of_the_paper(step, expected):
    """Half a cosine from 0.5 to 2 over 300,000 steps; values worked out by hand from the formula."""
    assert float(cosine(0.5, 2.0, jnp.asarray(step), 300_000)) == pytest.approx(expected, abs=1e-5)
