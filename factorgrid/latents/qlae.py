"""Latent quantisation (Hsu et al. 2023, https://arxiv.org/abs/2305.18378): each latent has a learned scalar codebook.

An encoder output is replaced by the nearest of its dimension's K learned values; the gradient passes as if it were not.
Two terms draw the values to the outputs (quantisation) and the outputs to the values (commitment).
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.latents.latent import Latent, Posterior
from factorgrid.latents.straight_through import RoundedPosterior

SPREAD = 0.5  # values begin equidistant on [-SPREAD, SPREAD], as the authors' do


class QLAEPosterior(RoundedPosterior):
    """Encoder outputs, and the values of each dimension."""

    outputs: Float[Array, "batch latent"]
    values: Float[Array, "latent category"]

    def categories(self) -> Int[Array, "batch latent"]:
        """The nearest value's; ties go to the lowest."""
        return jnp.argmin(jnp.abs(self.outputs[..., None] - self.values), axis=-1).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent"]:
        return self.outputs

    def hard(self) -> Float[Array, "batch latent"]:
        return jnp.take_along_axis(self.values[None], self.categories()[..., None], axis=-1)[..., 0]


class QLAE(Latent):
    """The encoder gives n numbers.

    Attributes:
        num_latents, num_categories: n, and K of each codebook (the authors' 10).
        quantization, commitment: weights of the squared distances, summed over dimensions. The authors' 0.01 of means
            over pixels and dimensions is 10.24 of our sums for 64 x 64 x 3 images and 12 latents.
    """

    posterior: ClassVar[type[Posterior]] = QLAEPosterior
    may_begin_at_zero: ClassVar[bool] = True
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)
    quantization: Float[Array, "*member"] | float = 10.24
    commitment: Float[Array, "*member"] | float = 10.24

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def init(self, key: Key[Array, ""]) -> Float[Array, "latent category"]:
        return jnp.tile(jnp.linspace(-SPREAD, SPREAD, self.num_categories), (self.num_latents, 1))

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any) -> QLAEPosterior:
        return QLAEPosterior(parameters, codebook)

    def terms(self, posterior: Any) -> dict[str, Float[Array, ""]]:
        outputs, values, stop = posterior.soft(), posterior.hard(), jax.lax.stop_gradient
        return {
            "quantization": self.quantization * jnp.sum((stop(outputs) - values) ** 2) / len(outputs),
            "commitment": self.commitment * jnp.sum((outputs - stop(values)) ** 2) / len(outputs),
        }

    def positions(self, codebook: Any) -> Float[np.ndarray, "latent category"]:
        return np.asarray(codebook)
