"""The beta-VAE (Higgins et al. 2017): reconstruction + beta * KL."""

from factorgrid.datasets import Batch
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms


class BetaVAE(Objective):
    """beta = 1 is the VAE."""

    beta: Scalar | float = 4.0

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        return Loss(terms["reconstruction"] + self.beta * terms["kl"], terms)
