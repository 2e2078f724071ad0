"""Quantities that change during training are functions of the step, never state."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cosine(
    start: Float[Array, ""] | float, end: Float[Array, ""] | float, step: Int[Array, ""] | int, num_steps: int
) -> Float[Array, ""]:
    """Half a cosine from `start` (step 0) to `end` (step num_steps).

    The Gumbel noise scale of the D-VAE goes from 0.5 to 2 this way: step number t = 1..T of training sees
    cosine(step = t - 1), as in the paper's code.
    """
    return 0.5 * (start - end) * jnp.cos(jnp.pi * jnp.asarray(step, jnp.float32) / num_steps) + 0.5 * (start + end)
