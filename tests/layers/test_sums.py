"""Sums as products with ones are sums."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.layers.sums import column_sums, total

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(), (7,), (5, 3), (4, 3, 2, 1)], ids=str)
def test_total_and_its_gradient(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape)
    with jax.enable_x64(True):
        found, gradient = jax.value_and_grad(total)(jnp.asarray(x))
    assert float(found) == pytest.approx(x.sum(), abs=1e-12)
    np.testing.assert_array_equal(gradient, np.ones(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_leaves_no_finite_total(bad: float) -> None:
    x = RNG.normal(size=(6, 4))
    x[2, 1] = bad
    assert not np.isfinite(total(jnp.asarray(x, jnp.float32)))


def test_column_sums_of_sixteen_bit_numbers_are_exact_in_float32() -> None:
    x = RNG.integers(-100, 100, size=(3, 500, 4))
    found = column_sums(jnp.asarray(x, jnp.bfloat16), jnp.float32)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, x.sum((0, 1)))
