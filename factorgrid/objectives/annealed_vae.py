"""The AnnealedVAE (Burgess et al. 2018): the KL is drawn to a capacity that grows during training."""

import jax.numpy as jnp

from factorgrid.datasets import Batch
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms


class AnnealedVAE(Objective):
    """reconstruction + gamma * |KL - c|, where KL is the mean over the batch and c grows to c_max.

    Attributes:
        c_max: final capacity in nats.
        gamma: weight of the distance to the capacity.
        iterations: steps over which the capacity grows linearly from 0.
    """

    c_max: Scalar | float = 25.0
    gamma: Scalar | float = 1000.0
    iterations: Scalar | float = 100_000.0

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        capacity = jnp.minimum(self.c_max, self.c_max * context.step.astype(jnp.float32) / self.iterations)
        terms["capacity_error"] = jnp.abs(terms["kl"] - capacity)
        return Loss(terms["reconstruction"] + self.gamma * terms["capacity_error"], terms)
