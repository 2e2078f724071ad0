"""The beta-VAE (Higgins et al. 2017): reconstruction + beta * KL."""

from typing import Any

from jaxtyping import Array, Float, Int

from factorgrid.models import Forward
from factorgrid.objectives.objective import Loss, Objective, Scalar, elbo_terms


class BetaVAE(Objective):
    """beta = 1 is the VAE."""

    beta: Scalar | float = 4.0

    def loss(
        self, forward: Forward, images: Float[Array, "batch height width channel"], step: Int[Array, ""], aux: Any
    ) -> Loss:
        terms = elbo_terms(forward, images)
        return Loss(terms["reconstruction"] + self.beta * terms["kl"], terms)
