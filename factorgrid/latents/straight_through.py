"""Rounding with a gradient, a tanh that can be left again, and the posterior of latents that round numbers."""

from abc import abstractmethod

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.latents.latent import Posterior


def straight_through(
    hard: Float[Array, "batch latent *choice"], soft: Float[Array, "batch latent *choice"]
) -> Float[Array, "batch latent *choice"]:
    """The value of `hard` with the gradient of `soft` (Bengio et al. 2013)."""
    return hard + (soft - jax.lax.stop_gradient(soft))


WAY_BACK = 0.01  # the least slope inwards: that of tanh at +-0.995, beyond all but the outermost of 64 grid points


@jax.custom_vjp
def returning_tanh(x: Float[Array, "*any"]) -> Float[Array, "*any"]:
    """tanh, whose gradient towards 0 has a slope of `WAY_BACK` at least (docs/methods.md, quantisers).

    A fresh decoder learns the mean image first, and moves all latents far in one direction on the way. In a network
    without normalisation they end where the slope of tanh is 0 in floating point, and never return.
    """
    return jnp.tanh(x)


def _forwards(x: Array) -> tuple[Array, Array]:
    y = jnp.tanh(x)
    return y, y


def _backwards(y: Array, gradient: Array) -> tuple[Array]:
    slope = 1 - y * y
    inwards = y * gradient > 0  # a step against the gradient makes |y| smaller
    return (gradient * jnp.where(inwards, jnp.maximum(slope, WAY_BACK), slope),)


returning_tanh.defvjp(_forwards, _backwards)


class RoundedPosterior(Posterior):
    """One number a dimension, and the value it is rounded to: no noise, and the gradient passes the rounding."""

    @abstractmethod
    def soft(self) -> Float[Array, "batch latent"]:
        """Before rounding."""

    @abstractmethod
    def hard(self) -> Float[Array, "batch latent"]:
        """After it."""

    def sample(self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float) -> Float[Array, "batch latent"]:
        return straight_through(jax.lax.stop_gradient(self.hard()), self.soft())

    def latents(self, choice: Float[Array, "batch latent"]) -> Float[Array, "batch latent"]:
        return choice

    def codes(self) -> Float[Array, "batch latent"]:
        return self.hard()

    def unrounded(self) -> Float[Array, "batch latent"]:
        return self.soft()
