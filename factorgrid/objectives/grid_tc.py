"""The D-VAE with a total correlation made for its grid (this library): pairwise information of the batch's categories.

No discriminator: the joint of two categories is known from their probabilities. Neighbouring categories are merged into
`cells`, so that a batch can fill the joint cells, and the information that a small batch has by chance is taken off.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp

from factorgrid.datasets import Batch
from factorgrid.latents.abilities import Divergent, Probabilistic
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms
from factorgrid.objectives.pairwise_information import chance_information, joint_of, merged, pairwise_information


class GridTC(Objective):
    """reconstruction + KL + gamma * information shared by pairs of latents; gamma = 0 is the D-VAE.

    Attributes:
        gamma: weight of the information.
        cells: into how many the categories are merged.
    """

    requires: ClassVar[tuple[type, ...]] = (Divergent, Probabilistic)
    gamma: Scalar | float = 10.0
    cells: int = eqx.field(static=True, default=8)

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        posterior: Any = passes[0].posterior
        terms = elbo_terms(passes, batch)
        probabilities = merged(jnp.exp(posterior.log_probabilities()), self.cells)
        terms["pairwise_information"] = pairwise_information(joint_of(probabilities)) - chance_information(
            probabilities
        )
        return Loss(terms["reconstruction"] + terms["kl"] + self.gamma * terms["pairwise_information"], terms)
