"""FactorVAE (Kim & Mnih 2018) and, on the categorical latent, FactorDVAE (Eq. 6 of the paper).

A discriminator learns to tell the latents of a batch (the joint) from the same latents shuffled in each dimension (the
product of marginals); its log odds estimate the total correlation that the autoencoder is penalised for.
"""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.datasets import Batch
from factorgrid.latents import Latent
from factorgrid.layers import INITIALIZERS, Dense
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms

WIDTH, DEPTH = 1000, 6


class Discriminator(eqx.Module):
    """Six layers (or `depth`) of 1000 units with leaky ReLU, then the logits of (joint, shuffled)."""

    layers: tuple[Dense, ...]
    slope: float = eqx.field(static=True)

    def __init__(self, num_inputs: int, *, slope: float, width: int, depth: int = DEPTH, key: Key[Array, ""]) -> None:
        sizes = (num_inputs, *(width,) * depth, 2)
        keys = jax.random.split(key, depth + 1)
        init = INITIALIZERS["truncated_normal"]
        self.layers = tuple(Dense(sizes[i], sizes[i + 1], init=init, key=keys[i]) for i in range(depth + 1))
        self.slope = slope

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch 2"]:
        x = latents
        for layer in self.layers[:-1]:
            x = jax.nn.leaky_relu(layer(x), self.slope)
        return self.layers[-1](x)


class FactorVAE(Objective):
    """reconstruction + KL + gamma * total correlation; gamma = 0 is the VAE.

    Attributes:
        gamma: weight of the total correlation.
        slope: of the discriminator's leaky ReLU: 0.01 in the paper's code, 0.2 in disentanglement_lib.
        width: units in each of the discriminator's layers.
    """

    gamma: Scalar | float = 30.0
    slope: float = eqx.field(static=True, default=0.01)
    width: int = eqx.field(static=True, default=WIDTH)

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        terms["total_correlation"] = total_correlation(jax.lax.stop_gradient(context.critic), passes[0].latents)
        total = terms["reconstruction"] + terms["kl"] + self.gamma * terms["total_correlation"]
        return Loss(total, terms)

    def init_critic(self, key: Key[Array, ""], latent: Latent) -> Discriminator:
        return Discriminator(latent.width, slope=self.slope, width=self.width, key=key)

    def critic_loss(self, passes: tuple[Forward, ...], context: Context) -> Loss:
        """Cross-entropy of telling joint from shuffled latents of the same batch, halved over the two."""
        latents = jax.lax.stop_gradient(passes[0].latents)
        return telling_apart(context.critic(latents), context.critic(shuffle(latents, context.key)))


def telling_apart(joint: Float[Array, "batch 2"], shuffled: Float[Array, "batch 2"]) -> Loss:
    """Cross-entropy of telling joint from shuffled, from the discriminator's logits, halved over the two."""
    loss = -0.5 * jnp.mean(jax.nn.log_softmax(joint)[:, 0]) - 0.5 * jnp.mean(jax.nn.log_softmax(shuffled)[:, 1])
    correct = 0.5 * jnp.mean(joint[:, 0] > joint[:, 1]) + 0.5 * jnp.mean(shuffled[:, 1] > shuffled[:, 0])
    return Loss(loss, {"discriminator_loss": loss, "discriminator_accuracy": correct})


def total_correlation(discriminator: Callable[[Array], Array], latents: Float[Array, "batch latent"]) -> Scalar:
    """The mean log odds of "joint": an estimate of the total correlation in nats."""
    logits = discriminator(latents)
    return jnp.mean(logits[:, 0] - logits[:, 1])


def shuffle(latents: Float[Array, "batch latent"], key: Key[Array, ""]) -> Float[Array, "batch latent"]:
    """Each column permuted over the batch on its own."""
    return jax.random.permutation(key, latents, axis=0, independent=True)
