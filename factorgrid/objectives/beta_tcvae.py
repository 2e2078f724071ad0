"""The beta-TCVAE (Chen et al. 2018): the total correlation, estimated within the minibatch, weighted by beta."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from factorgrid.datasets import Batch
from factorgrid.latents.abilities import Dense, Divergent
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms


class BetaTCVAE(Objective):
    """reconstruction + KL + (beta - 1) * total correlation; beta = 1 is the VAE."""

    requires: ClassVar[tuple[type, ...]] = (Divergent, Dense)
    beta: Scalar | float = 6.0

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        posterior: Any = passes[0].posterior
        terms = elbo_terms(passes, batch)
        terms["total_correlation"] = minibatch_total_correlation(posterior.log_density(passes[0].choice))
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
