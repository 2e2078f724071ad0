"""The negative evidence lower bound (Kingma & Welling 2014; Eq. 1 of the paper): reconstruction + KL."""

from typing import Any

from jaxtyping import Array, Float, Int

from factorgrid.models import Forward
from factorgrid.objectives.objective import Loss, Objective, elbo_terms


class VAE(Objective):
    """With the categorical latent this is the D-VAE."""

    def loss(
        self, forward: Forward, images: Float[Array, "batch height width channel"], step: Int[Array, ""], aux: Any
    ) -> Loss:
        terms = elbo_terms(forward, images)
        return Loss(terms["reconstruction"] + terms["kl"], terms)
