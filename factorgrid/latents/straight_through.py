"""Rounding with a gradient, and the posterior of latents that round one number a dimension."""

from abc import abstractmethod

import jax
from jaxtyping import Array, Float, Key

from factorgrid.latents.latent import Posterior


def straight_through(
    hard: Float[Array, "batch latent *choice"], soft: Float[Array, "batch latent *choice"]
) -> Float[Array, "batch latent *choice"]:
    """The value of `hard` with the gradient of `soft` (Bengio et al. 2013)."""
    return hard + (soft - jax.lax.stop_gradient(soft))


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
