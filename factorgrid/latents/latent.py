"""The contract of a latent and of its posterior. What a latent can do beyond it: `latents.abilities`."""

from abc import abstractmethod
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key


class Posterior(eqx.Module):
    """What is known of the latents of a batch of images; every latent dimension is independent given its image."""

    @abstractmethod
    def sample(
        self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float
    ) -> Float[Array, "batch latent *choice"]:
        """A reparameterised sample: of shape [batch latent], or [batch latent category] for categories."""

    @abstractmethod
    def latents(self, choice: Float[Array, "batch latent *choice"]) -> Float[Array, "batch width"]:
        """What the decoder sees of a sample: for most latents one number a dimension."""

    @abstractmethod
    def codes(self) -> Float[Array, "batch latent"]:
        """The deterministic representation that metrics see."""


class Latent(eqx.Module):
    """How many numbers the encoder must give, and what they mean.

    Fields that are not static are hyperparameters: they may differ between the members of a group. Numbers that are
    learned are no fields: they are the codebook that `init` makes and `read` is given, or the memory that `update`
    keeps. Most latents have neither and leave those methods as they are.

    Attributes:
        posterior: the class of what `read` gives.
        may_begin_at_zero: whether fresh weights may give all images the one code 0, through which a fresh decoder of
            ReLUs without biases passes no gradient; its biases are then drawn.
    """

    posterior: ClassVar[type[Posterior]]
    may_begin_at_zero: ClassVar[bool] = False
    num_latents: eqx.AbstractVar[int]

    @property
    @abstractmethod
    def num_parameters(self) -> int:
        """How many numbers the encoder gives for one image."""

    @property
    def width(self) -> int:
        """How many numbers the decoder sees of one image."""
        return self.num_latents

    @abstractmethod
    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any) -> Posterior:
        """The encoder's outputs read as a posterior."""

    def init(self, key: Key[Array, ""]) -> Any:
        """The codebook: what the latent learns by gradient; None if nothing."""
        return None

    def init_memory(self, key: Key[Array, ""]) -> Any:
        """What is updated without a gradient (moving averages, usage counts); None if nothing."""
        return None

    def codebook(self, learned: Any, memory: Any) -> Any:
        """What `read` is given: the learned codebook, or one that is kept in the memory."""
        return learned

    def embed(self, codes: Float[Array, "batch latent"], codebook: Any) -> Float[Array, "batch width"]:
        """What the decoder sees of a code."""
        return codes

    def update(self, memory: Any, posterior: Posterior) -> Any:
        """The memory after a batch."""
        return memory

    def terms(self, posterior: Posterior) -> dict[str, Float[Array, ""]]:
        """Losses of the latent's own, such as commitment, weighted; they are added to any objective."""
        return {}

    def noise_at(self, step: Int[Array, ""], num_steps: int) -> Float[Array, ""]:
        """Multiplier of the sampler's noise at a step."""
        return jnp.ones(())
