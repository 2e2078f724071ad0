"""FSLQ (Hsu, Ibn Hamid et al. 2024, https://arxiv.org/abs/2404.10282): tanh, then rounding to the D-VAE's own grid.

The nearest deterministic relative of the D-VAE: the same K equidistant points of [-1, 1], and no probabilities. With
many categories and small steps it becomes the plain autoencoder behind a tanh. Ours lets latents return from the ends.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.latents.categorical import grid
from factorgrid.latents.latent import Latent, Posterior
from factorgrid.latents.straight_through import RoundedPosterior, returning_tanh


class FSLQPosterior(RoundedPosterior):
    """Numbers in (-1, 1), and the grid points they are rounded to.

    Attributes:
        bounded: the squashed encoder outputs.
        num_categories: K.
    """

    bounded: Float[Array, "batch latent"]
    num_categories: int = eqx.field(static=True)

    def categories(self) -> Int[Array, "batch latent"]:
        return jnp.round((self.bounded + 1) * ((self.num_categories - 1) / 2)).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent"]:
        return self.bounded

    def hard(self) -> Float[Array, "batch latent"]:
        return jnp.asarray(grid(self.num_categories), self.bounded.dtype)[self.categories()]


class FSLQ(Latent):
    """The encoder gives n numbers.

    Attributes:
        num_latents, num_categories: n, and K grid points of each dimension (the authors' 12).
    """

    posterior: ClassVar[type[Posterior]] = FSLQPosterior
    may_begin_at_zero: ClassVar[bool] = True
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any = None) -> FSLQPosterior:
        return FSLQPosterior(returning_tanh(parameters), self.num_categories)

    def positions(self, codebook: Any = None) -> Float[np.ndarray, "latent category"]:
        return np.tile(grid(self.num_categories), (self.num_latents, 1))
