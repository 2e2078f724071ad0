"""The Gaussian latent of Kingma & Welling (2014): N(mean, variance) with a standard normal prior."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.latents.latent import Latent, Posterior


class GaussianPosterior(Posterior):
    """Diagonal Gaussian; the log variance is used as it comes, not clamped."""

    mean: Float[Array, "batch latent"]
    log_variance: Float[Array, "batch latent"]

    def sample(self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float) -> Float[Array, "batch latent"]:
        noise = jax.random.normal(key, self.mean.shape, self.mean.dtype)
        return self.mean + noise_scale * jnp.exp(0.5 * self.log_variance) * noise

    def latents(self, choice: Float[Array, "batch latent"]) -> Float[Array, "batch latent"]:
        return choice

    def codes(self) -> Float[Array, "batch latent"]:
        return self.mean

    def location(self) -> Float[Array, "batch latent"]:
        return self.mean

    def variance(self) -> Float[Array, "batch latent"]:
        return jnp.exp(self.log_variance)

    def prior_variance(self) -> Float[Array, " latent"]:
        return jnp.ones(self.mean.shape[-1], self.mean.dtype)

    def kl(self) -> Float[Array, "batch latent"]:
        return 0.5 * (self.mean**2 + jnp.exp(self.log_variance) - self.log_variance - 1)

    def log_density(self, choice: Float[Array, "batch latent"]) -> Float[Array, "batch batch latent"]:
        log_variance = self.log_variance[None]
        squared = (choice[:, None] - self.mean[None]) ** 2 * jnp.exp(-log_variance)
        return -0.5 * (squared + log_variance + jnp.log(2 * jnp.pi))


class Gaussian(Latent):
    """The encoder gives n means, then n log variances."""

    posterior: ClassVar[type[Posterior]] = GaussianPosterior
    num_latents: int = eqx.field(static=True, default=10)

    @property
    def num_parameters(self) -> int:
        return 2 * self.num_latents

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any = None) -> GaussianPosterior:
        mean, log_variance = jnp.split(parameters, 2, axis=-1)
        return GaussianPosterior(mean, log_variance)

    def draw(self, key: Key[Array, ""], num: int) -> Float[Array, "num latent"]:
        """Standard normal numbers."""
        return jax.random.normal(key, (num, self.num_latents))
