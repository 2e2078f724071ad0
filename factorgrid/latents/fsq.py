"""Finite scalar quantisation (Mentzer et al. 2024, https://arxiv.org/abs/2309.15505): bounded numbers, rounded.

No noise, no codebook, no KL: each of n encoder outputs is squashed and rounded to one of L levels, and the gradient
passes through the rounding as if it were not there. With few levels and small outputs every image begins in the middle
level, which lies at 0; a decoder's biases are drawn for that reason.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.latents.latent import Latent, Posterior
from factorgrid.latents.straight_through import RoundedPosterior, returning_tanh

MARGIN = 1e-3  # lets the outermost levels be reached before the tanh saturates


class FSQPosterior(RoundedPosterior):
    """Numbers between the levels, and the levels they are rounded to.

    Attributes:
        bounded: the squashed encoder outputs, in units of levels.
        levels: L.
    """

    bounded: Float[Array, "batch latent"]
    levels: int = eqx.field(static=True)

    def categories(self) -> Int[Array, "batch latent"]:
        return (jnp.round(self.bounded) + self.levels // 2).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent"]:
        return self.bounded / (self.levels // 2)

    def hard(self) -> Float[Array, "batch latent"]:
        return jnp.round(self.bounded) / (self.levels // 2)


class FSQ(Latent):
    """The encoder gives n numbers.

    Attributes:
        num_latents: n.
        num_categories: L, the levels of each dimension; an even number lies off centre, [-1, 1 - 2 / L].
    """

    posterior: ClassVar[type[Posterior]] = FSQPosterior
    may_begin_at_zero: ClassVar[bool] = True
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any = None) -> FSQPosterior:
        half = (self.num_categories - 1) * (1 + MARGIN) / 2
        offset = 0.0 if self.num_categories % 2 else 0.5
        shift = float(np.arctanh(offset / half))
        return FSQPosterior(returning_tanh(parameters + shift) * half - offset, self.num_categories)

    def positions(self, codebook: Any = None) -> Float[np.ndarray, "latent category"]:
        middle = self.num_categories // 2
        line = (np.arange(self.num_categories, dtype=np.float32) - middle) / np.float32(middle)
        return np.tile(line, (self.num_latents, 1))
