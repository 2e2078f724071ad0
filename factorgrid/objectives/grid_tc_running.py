"""Grid TC with a running joint histogram (this library): the pairwise information of many batches' categories.

The value is that of the moving average of the joint; the gradient reaches it through the newest batch, as if that were
the whole of it. Many batches fill many joint cells, so little is shared by chance, and nothing is taken off.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from factorgrid.datasets import Batch
from factorgrid.latents import Latent
from factorgrid.latents.abilities import Divergent, Probabilistic
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms
from factorgrid.objectives.pairwise_information import joint_of, merged, pairwise_information


class Histogram(NamedTuple):
    """Sums of the joints of past batches, weighted by age, and the sum of the weights."""

    sums: Float[Array, "latent cell latent cell"]
    weight: Float[Array, ""]


class GridTCRunning(Objective):
    """As `GridTC`.

    Attributes:
        gamma: weight of the information.
        forgetting: of the histogram, a batch: 0.01 remembers some 200 batches.
        cells: into how many the categories are merged.
    """

    requires: ClassVar[tuple[type, ...]] = (Divergent, Probabilistic)
    gamma: Scalar | float = 10.0
    forgetting: Scalar | float = 0.01
    cells: int = eqx.field(static=True, default=16)

    def init_memory(self, latent: Latent) -> Histogram:
        fixed: Any = latent
        cells = min(self.cells, fixed.num_categories)
        return Histogram(jnp.zeros((latent.num_latents, cells, latent.num_latents, cells)), jnp.zeros(()))

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        newest = self._joint(passes)
        known = self._remembered(context.memory, newest)
        average = jax.lax.stop_gradient(known.sums / known.weight)
        terms["pairwise_information"] = pairwise_information(average + newest - jax.lax.stop_gradient(newest))
        return Loss(terms["reconstruction"] + terms["kl"] + self.gamma * terms["pairwise_information"], terms)

    def update(self, memory: Histogram, passes: tuple[Forward, ...]) -> Histogram:
        return jax.lax.stop_gradient(self._remembered(memory, self._joint(passes)))

    def _joint(self, passes: tuple[Forward, ...]) -> Float[Array, "latent cell latent cell"]:
        posterior: Any = passes[0].posterior
        return joint_of(merged(jnp.exp(posterior.log_probabilities()), self.cells))

    def _remembered(self, memory: Histogram, newest: Float[Array, "latent cell latent cell"]) -> Histogram:
        keep = 1 - self.forgetting
        return Histogram(keep * memory.sums + newest, keep * memory.weight + 1)
