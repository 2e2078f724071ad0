"""QVAE's latent (Baykal et al. 2025, https://arxiv.org/abs/2409.14851): categories by distance to one scalar codebook.

The encoder gives one number a dimension; the logit of a category is minus its squared distance to that one's value.
All dimensions share the values, which are learned, or stay on the D-VAE's grid. A sample is a Gumbel-softmax mean of
the values whose temperature falls in training; the code is the nearest value.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.latents.categorical import grid
from factorgrid.latents.latent import Latent, Posterior


class QVAEPosterior(Posterior):
    """Encoder outputs, and the values that all dimensions share."""

    outputs: Float[Array, "batch latent"]
    values: Float[Array, " category"]

    def logits(self) -> Float[Array, "batch latent category"]:
        return -((self.outputs[..., None] - self.values) ** 2)

    def sample(
        self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float
    ) -> Float[Array, "batch latent category"]:
        """`noise_scale` is the temperature."""
        logits = self.logits()
        return jax.nn.softmax((logits + jax.random.gumbel(key, logits.shape, logits.dtype)) / noise_scale, axis=-1)

    def latents(self, choice: Float[Array, "batch latent category"]) -> Float[Array, "batch latent"]:
        return choice @ self.values

    def codes(self) -> Float[Array, "batch latent"]:
        """The nearest value."""
        return self.values[self.categories()]

    def categories(self) -> Int[Array, "batch latent"]:
        return jnp.argmax(self.logits(), axis=-1).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent category"]:
        return jax.nn.softmax(self.logits(), axis=-1)

    def hard(self) -> Float[Array, "batch latent category"]:
        return jax.nn.one_hot(self.categories(), len(self.values), dtype=self.outputs.dtype)

    def unrounded(self) -> Float[Array, "batch latent"]:
        return self.outputs

    def log_probabilities(self) -> Float[Array, "batch latent category"]:
        return jax.nn.log_softmax(self.logits(), axis=-1)

    def variance(self) -> Float[Array, "batch latent"]:
        soft = self.soft()
        return jnp.sum(soft * (self.values - (soft @ self.values)[..., None]) ** 2, axis=-1)

    def prior_variance(self) -> Float[Array, " latent"]:
        """Of the uniform distribution over the values."""
        return jnp.broadcast_to(jnp.var(self.values), self.outputs.shape[-1:])

    def kl(self) -> Float[Array, "batch latent"]:
        """To the uniform distribution; in [0, log K]. Whatever the temperature."""
        log_probabilities = self.log_probabilities()
        return jnp.sum(jnp.exp(log_probabilities) * log_probabilities, axis=-1) + np.log(len(self.values))

    def log_density(self, choice: Float[Array, "batch latent category"]) -> Float[Array, "batch batch latent"]:
        """Expected log probability of the (relaxed) choice."""
        return jnp.einsum("jlk,ilk->jil", choice, self.log_probabilities())


class QVAELatent(Latent):
    """The encoder gives n numbers.

    Attributes:
        num_latents, num_categories: n and K (the authors' 64).
        learned: the values are; else they are the D-VAE's grid.
        cooling: the temperature is exp(-cooling t / T) after t of T steps; the authors' 1e-5 a step for 100,000 is 1.
    """

    posterior: ClassVar[type[Posterior]] = QVAEPosterior
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)
    learned: bool = eqx.field(static=True, default=True)
    cooling: Float[Array, "*member"] | float = 1.0

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def init(self, key: Key[Array, ""]) -> Any:
        return jax.random.normal(key, (self.num_categories,)) if self.learned else None

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any) -> QVAEPosterior:
        return QVAEPosterior(parameters, codebook if self.learned else jnp.asarray(grid(self.num_categories)))

    def noise_at(self, step: Int[Array, ""], num_steps: int) -> Float[Array, ""]:
        """The temperature."""
        return jnp.exp(-self.cooling * step.astype(jnp.float32) / num_steps)

    def positions(self, codebook: Any) -> Float[np.ndarray, "latent category"]:
        return np.tile(np.asarray(codebook) if self.learned else grid(self.num_categories), (self.num_latents, 1))
