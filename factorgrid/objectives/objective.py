"""The contract of an objective, and the two terms that most of them share."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets import Batch, DeviceDataset
from factorgrid.latents import Latent
from factorgrid.latents.abilities import Divergent
from factorgrid.layers.sums import total
from factorgrid.models import Autoencoder, Forward, Kind

Scalar = Float[Array, ""]


class Loss(NamedTuple):
    """What is minimised, and the named parts that people look at."""

    total: Float[Array, ""]
    terms: dict[str, Float[Array, ""]]


class Context(NamedTuple):
    """What an objective may use beside the passes of its batch.

    Attributes:
        model: encoder, latent and decoder, to be applied again if need be.
        critic: the objective's own network, or None.
        key: for the objective's own chance.
        step, num_steps: finished steps, and those of the whole training.
        memory: what the objective keeps without a gradient, or None.
    """

    model: Autoencoder
    critic: Any
    key: Key[Array, ""]
    step: Int[Array, ""]
    num_steps: int
    memory: Any = None


class Objective(eqx.Module):
    """Fields are hyperparameters: floats, or arrays with a member axis in a group; static ones make the program.

    An objective without a network of its own leaves `init_critic` and `critic_loss` as they are, one that keeps nothing
    between steps `init_memory` and `update`.

    Attributes:
        requires: the abilities of a latent (`latents.abilities`) that it cannot do without.
        passes: how the choice of a pass is made: "noisy" samples, or "soft" or "hard" choices without noise.
        views: how many images make an example; those with more than one define `draw`.
    """

    requires: ClassVar[tuple[type, ...]] = (Divergent,)
    passes: ClassVar[Kind] = "noisy"
    views: ClassVar[int] = 1

    @abstractmethod
    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        """The model's loss on one batch: a pass and a batch for each view. No gradient may flow into the critic."""

    def draw(self, dataset: DeviceDataset, key: Key[Array, ""], num: int) -> tuple[Batch, ...]:
        """`num` examples, a batch for each view; one view samples the generative model uniformly."""
        return (dataset.sample(key, num),)

    def init_memory(self, latent: Latent) -> Any:
        """What is updated without a gradient; None if nothing."""
        return None

    def update(self, memory: Any, passes: tuple[Forward, ...]) -> Any:
        """The memory after a batch."""
        return memory

    def init_critic(self, key: Key[Array, ""], latent: Latent) -> Any:
        """Parameters of the objective's own network; None if it has none."""
        return None

    def critic_loss(self, passes: tuple[Forward, ...], context: Context) -> Loss:
        """The loss of the objective's own network on the same passes. No gradient may flow into the model."""
        raise AssertionError("an objective without a network of its own has no loss for it")


def reconstruction(logits: Float[Array, "batch *pixel"], images: Float[Array, "batch *pixel"]) -> Scalar:
    """Negative Bernoulli log likelihood in nats, summed over pixels and averaged over the batch.

    Pixels need not be 0 or 1, nor even within [0, 1] (SmallNORB's resized images leave it by a little).
    """
    per_pixel = jnp.maximum(logits, 0) - logits * images + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return total(per_pixel) / len(images)


def kl_divergence(forward: Forward) -> Scalar:
    """KL of the posterior to the prior in nats, summed over dimensions and averaged over the batch."""
    posterior: Any = forward.posterior  # that it is Divergent is checked when a method is put together
    return jnp.sum(posterior.kl()) / len(forward.latents)


def elbo_terms(passes: tuple[Forward, ...], batch: tuple[Batch, ...]) -> dict[str, Scalar]:
    """The two terms of the negative ELBO, of the first view."""
    return {"reconstruction": reconstruction(passes[0].logits, batch[0].images), "kl": kl_divergence(passes[0])}
