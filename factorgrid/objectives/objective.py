"""The contract of an objective, and the two terms that all of them share."""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from factorgrid.models import Forward

Scalar = Float[Array, ""]


class Loss(NamedTuple):
    """What is minimised, and the named parts that people look at."""

    total: Float[Array, ""]
    terms: dict[str, Float[Array, ""]]


class Objective(eqx.Module):
    """Fields are hyperparameters: floats, or arrays with a leading member axis in a group.

    An objective without a network of its own leaves `init_aux` and `aux_loss` as they are.
    """

    @abstractmethod
    def loss(
        self, forward: Forward, images: Float[Array, "batch height width channel"], step: Int[Array, ""], aux: Any
    ) -> Loss:
        """The loss of one batch. `step` counts finished steps; no gradient flows into `aux`."""

    def init_aux(self, key: Key[Array, ""], num_latents: int) -> Any:
        """Parameters of the objective's own network; None if it has none."""
        return None

    def aux_loss(self, aux: Any, latents: Float[Array, "batch latent"], key: Key[Array, ""]) -> Loss:
        """The loss of the objective's own network on the latents of the same forward pass."""
        raise AssertionError("an objective without a network of its own has no loss for it")


def reconstruction(
    logits: Float[Array, "batch height width channel"], images: Float[Array, "batch height width channel"]
) -> Scalar:
    """Negative Bernoulli log likelihood in nats, summed over pixels and averaged over the batch.

    Pixels need not be 0 or 1, nor even within [0, 1] (SmallNORB's resized images leave it by a little).
    """
    per_pixel = jnp.maximum(logits, 0) - logits * images + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return jnp.sum(per_pixel) / len(images)


def kl_divergence(forward: Forward) -> Scalar:
    """KL of the posterior to the prior in nats, summed over dimensions and averaged over the batch."""
    return jnp.sum(forward.posterior.kl()) / len(forward.latents)


def elbo_terms(forward: Forward, images: Float[Array, "batch height width channel"]) -> dict[str, Scalar]:
    """The two terms of the negative ELBO."""
    return {"reconstruction": reconstruction(forward.logits, images), "kl": kl_divergence(forward)}
