"""DIP-VAE I and II (Kumar et al. 2018): the covariance of the codes is drawn to that of the prior.

For the standard normal prior that is the identity, as published. On the categorical latent it is the variance of the
grid under the uniform prior, a third or so: a variance of 1 would need every code at one end or the other.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from factorgrid.datasets import Batch
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms


class DIPVAEI(Objective):
    """reconstruction + KL + penalty on the covariance of the codes.

    Attributes:
        lambda_od: weight of the squared covariances off the diagonal.
        lambda_d_factor: weight of the diagonal's squared distance to the prior's variance, as a multiple of lambda_od.
    """

    lambda_od: Scalar | float = 5.0
    lambda_d_factor: Scalar | float = 10.0

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        matrix = covariance(passes[0].posterior.codes())
        return dip_loss(matrix, passes, batch, self.lambda_od, self.lambda_d_factor)


class DIPVAEII(Objective):
    """As DIP-VAE-I, on the covariance of the samples: that of the codes plus the mean posterior variance."""

    lambda_od: Scalar | float = 5.0
    lambda_d_factor: Scalar | float = 1.0

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        posterior: Any = passes[0].posterior
        matrix = covariance(posterior.codes()) + jnp.diag(jnp.mean(posterior.variance(), axis=0))
        return dip_loss(matrix, passes, batch, self.lambda_od, self.lambda_d_factor)


def dip_loss(
    matrix: Float[Array, "latent latent"],
    passes: tuple[Forward, ...],
    batch: tuple[Batch, ...],
    lambda_od: Scalar | float,
    lambda_d_factor: Scalar | float,
) -> Loss:
    posterior: Any = passes[0].posterior
    terms = elbo_terms(passes, batch)
    diagonal = jnp.diagonal(matrix)
    terms["off_diagonal"] = jnp.sum((matrix - jnp.diag(diagonal)) ** 2)
    terms["diagonal"] = jnp.sum((diagonal - posterior.prior_variance()) ** 2)
    penalty = lambda_od * terms["off_diagonal"] + lambda_od * lambda_d_factor * terms["diagonal"]
    return Loss(terms["reconstruction"] + terms["kl"] + penalty, terms)


def covariance(codes: Float[Array, "batch latent"]) -> Float[Array, "latent latent"]:
    """Biased covariance (divided by the number of samples) over the batch."""
    centred = codes - jnp.mean(codes, axis=0)
    return centred.T @ centred / len(codes)
