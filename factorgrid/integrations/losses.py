"""Losses as functions of JAX arrays, for trainers of one's own: all are differentiable, and all are to be minimised.

They are the functions that the objectives here are made of. Values are in nats.
Arguments of one function have one shape: where the annotation leaves it open, another is an `Error`.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float

from factorgrid.errors import Error
from factorgrid.latents.categorical import CategoricalPosterior
from factorgrid.latents.gaussian import GaussianPosterior
from factorgrid.objectives.beta_tcvae import minibatch_total_correlation
from factorgrid.objectives.factor_vae import shuffle as shuffle
from factorgrid.objectives.factor_vae import telling_apart, total_correlation
from factorgrid.objectives.objective import reconstruction
from factorgrid.objectives.pairwise_information import chance_information, joint_of, pairwise_information

Scalar = Float[Array, ""]


def bernoulli_loss(logits: Float[Array, "batch *pixel"], images: Float[Array, "..."]) -> Scalar:
    """Negative Bernoulli log likelihood, summed over pixels, mean over the batch."""
    _same_shape(logits, images, "logits", "images")
    return reconstruction(logits, images)


def gaussian_kl(mean: Float[Array, "batch latent"], log_variance: Float[Array, "_ _"]) -> Scalar:
    """KL of normal posteriors to the standard normal, summed over latents, mean over the batch (Kingma and Welling)."""
    _same_shape(mean, log_variance, "mean", "log_variance")
    return jnp.sum(GaussianPosterior(mean, log_variance).kl()) / len(mean)


def categorical_kl(logits: Float[Array, "batch latent category"]) -> Scalar:
    """KL of categorical posteriors to the uniform distribution, summed over latents, mean over the batch.

    From 0 to latents * log categories. Of the D-VAE (Friede et al. 2023): from logits without Gumbel noise.
    """
    return jnp.sum(CategoricalPosterior(logits).kl()) / len(logits)


def gaussian_total_correlation(
    latents: Float[Array, "batch latent"],
    mean: Float[Array, "_ _"],
    log_variance: Float[Array, "_ _"],
) -> Scalar:
    """Total correlation of normal posteriors, estimated within the batch (beta-TCVAE, Chen et al. 2018).

    `latents` are samples of the posteriors. Constants in the size of batch and data are left out, so that the value is
    shifted and may be negative; its gradient is that of the estimate.
    """
    _same_shape(latents, mean, "latents", "mean")
    _same_shape(mean, log_variance, "mean", "log_variance")
    return minibatch_total_correlation(GaussianPosterior(mean, log_variance).log_density(latents))


def critic_total_correlation(critic: Callable[[Array], Array], latents: Float[Array, "batch latent"]) -> Scalar:
    """Total correlation as a critic sees it: its mean log odds of "joint" (FactorVAE, Kim and Mnih 2018).

    `critic` is any function of latents to logits [batch, 2]: joint, shuffled.
    """
    return total_correlation(critic, latents)


def critic_loss(joint: Float[Array, "batch 2"], shuffled: Float[Array, "batch 2"]) -> Scalar:
    """The critic's own loss: cross-entropy of its logits for latents, and for `shuffle(latents, key)`.

    Stop the gradient into the latents (`jax.lax.stop_gradient`) before the critic sees them here.
    """
    return telling_apart(joint, shuffled).total


def pairwise_total_correlation(probabilities: Float[Array, "batch latent category"]) -> Scalar:
    """Mutual information of every two discrete latents over the batch, summed over pairs, without that of chance.

    This library's own; no critic. May be slightly negative.
    """
    return pairwise_information(joint_of(probabilities)) - chance_information(probabilities)


def straight_through_gap(soft: Float[Array, ""], hard: Float[Array, ""]) -> Scalar:
    """|loss with codes rounded to categories - loss with soft codes| (Friede et al. 2023, Section 3.4).

    Both losses on the same images and without noise. 0 if the codes are wholly discrete.
    """
    return jnp.abs(hard - soft)


def _same_shape(first: Array, second: Array, name: str, other: str) -> None:
    if first.shape != second.shape:
        raise Error(f"{name} {first.shape} and {other} {second.shape} differ in shape; pass arrays of one shape")
