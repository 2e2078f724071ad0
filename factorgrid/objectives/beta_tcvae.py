"""The beta-TCVAE (Chen et al. 2018): the total correlation, estimated within the minibatch, weighted by beta."""

from typing import Any

import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, Int

from factorgrid.models import Forward
from factorgrid.objectives.objective import Loss, Objective, Scalar, elbo_terms


class BetaTCVAE(Objective):
    """reconstruction + KL + (beta - 1) * total correlation; beta = 1 is the VAE."""

    beta: Scalar | float = 6.0

    def loss(
        self, forward: Forward, images: Float[Array, "batch height width channel"], step: Int[Array, ""], aux: Any
    ) -> Loss:
        terms = elbo_terms(forward, images)
        terms["total_correlation"] = minibatch_total_correlation(forward.posterior.log_density(forward.choice))
        total = terms["reconstruction"] + terms["kl"] + (self.beta - 1) * terms["total_correlation"]
        return Loss(total, terms)


def minibatch_total_correlation(log_density: Float[Array, "batch batch latent"]) -> Scalar:
    """KL(q(z) || prod q(z_l)) with q estimated from the batch, from [sample, posterior, latent] log densities.

    Constants in the batch and data set size are left out, as in disentanglement_lib, so the value is shifted and
    may be negative.
    """
    joint = logsumexp(jnp.sum(log_density, axis=2), axis=1)
    marginals = jnp.sum(logsumexp(log_density, axis=1), axis=1)
    return jnp.mean(joint - marginals)
