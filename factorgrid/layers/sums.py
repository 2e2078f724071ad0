"""Sums of many numbers, as products with ones on a CPU, where XLA's reductions are several times as slow."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def total(x: Float[Array, "..."]) -> Float[Array, ""]:
    """The sum of all numbers."""
    if jax.default_backend() != "cpu" or x.ndim < 2:
        return jnp.sum(x)
    rows = x.reshape(len(x), -1)
    return jnp.sum(rows @ jnp.ones(rows.shape[1], x.dtype))


def column_sums(x: Float[Array, "*batch column"], dtype: Any) -> Float[Array, " column"]:
    """Sums over all axes but the last, in this type."""
    rows = x.reshape(-1, x.shape[-1])
    # two rows of ones, since XLA computes 16-bit products of a single row in float32, of which it makes a copy first
    ones = jnp.ones((2, len(rows)), x.dtype)
    return jnp.matmul(ones, rows, preferred_element_type=dtype, precision="highest")[0]
