"""The contract of a latent and of its posterior."""

from abc import abstractmethod

import equinox as eqx
from jaxtyping import Array, Float, Key


class Posterior(eqx.Module):
    """q(z | x) for a batch of images; every latent dimension is independent given x."""

    @abstractmethod
    def sample(
        self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float
    ) -> Float[Array, "batch latent *choice"]:
        """A reparameterised sample: of shape [batch latent], or [batch latent category] for categories."""

    @abstractmethod
    def latents(self, choice: Float[Array, "batch latent *choice"]) -> Float[Array, "batch latent"]:
        """What the decoder sees of a sample: one real number a dimension."""

    @abstractmethod
    def codes(self) -> Float[Array, "batch latent"]:
        """The deterministic representation that metrics see."""

    @abstractmethod
    def variance(self) -> Float[Array, "batch latent"]:
        """Variance of each latent dimension under q(z | x)."""

    @abstractmethod
    def prior_variance(self) -> Float[Array, " latent"]:
        """Variance of each latent dimension under the prior."""

    @abstractmethod
    def kl(self) -> Float[Array, "batch latent"]:
        """KL divergence to the prior of each dimension, in nats; at least 0."""

    @abstractmethod
    def log_density(self, choice: Float[Array, "batch latent *choice"]) -> Float[Array, "batch batch latent"]:
        """[j, i, l]: log density of dimension l of sample j under the posterior of image i."""


class Latent(eqx.Module):
    """How many numbers the encoder must give, and what they mean."""

    num_latents: eqx.AbstractVar[int]

    @property
    @abstractmethod
    def num_parameters(self) -> int:
        """How many numbers the encoder gives for one image."""

    @abstractmethod
    def posterior(self, parameters: Float[Array, "batch parameter"]) -> Posterior:
        """The encoder's outputs read as a posterior."""
