"""The negative evidence lower bound (Kingma & Welling 2014; Eq. 1 of the paper): reconstruction + KL."""

from factorgrid.datasets import Batch
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, elbo_terms


class VAE(Objective):
    """With the categorical latent this is the D-VAE."""

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        return Loss(terms["reconstruction"] + terms["kl"], terms)
