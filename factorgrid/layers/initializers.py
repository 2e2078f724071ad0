"""How weights begin. Biases begin at zero everywhere."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

# (key, shape, fan_in, fan_out) -> weight
Initializer = Callable[[Key[Array, ""], tuple[int, ...], int, int], Float[Array, "..."]]


def truncated_normal(key: Key[Array, ""], shape: tuple[int, ...], fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Normal of standard deviation 1/sqrt(fan_in), cut at two of those; the cut is not corrected for.

    The default of the paper's code (Haiku's); the actual standard deviation is 0.88 of the nominal one.
    """
    return jax.random.truncated_normal(key, -2.0, 2.0, shape) / jnp.sqrt(fan_in)


def glorot(key: Key[Array, ""], shape: tuple[int, ...], fan_in: int, fan_out: int) -> Float[Array, "..."]:
    """Uniform within +-sqrt(6 / (fan_in + fan_out)): the default of disentanglement_lib (TensorFlow 1 layers)."""
    limit = (6.0 / (fan_in + fan_out)) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


INITIALIZERS: dict[str, Initializer] = {"truncated_normal": truncated_normal, "glorot": glorot}
