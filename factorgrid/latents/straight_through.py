"""Rounding with a gradient."""

import jax
from jaxtyping import Array, Float


def straight_through(
    hard: Float[Array, "batch latent *choice"], soft: Float[Array, "batch latent *choice"]
) -> Float[Array, "batch latent *choice"]:
    """The value of `hard` with the gradient of `soft` (Bengio et al. 2013)."""
    return hard + (soft - jax.lax.stop_gradient(soft))
