"""FactorQVAE (Baykal et al. 2025, https://arxiv.org/abs/2409.14851): a discriminator of choices, not of numbers.

As FactorVAE, but the discriminator sees the (relaxed) one-hot choice of every dimension, flattened: n K numbers instead
of n.
"""

from typing import Any, ClassVar

import equinox as eqx
import jax
from jaxtyping import Array, Key

from factorgrid.datasets import Batch
from factorgrid.latents import Latent
from factorgrid.latents.abilities import Divergent, Probabilistic
from factorgrid.models import Forward
from factorgrid.objectives.factor_vae import WIDTH, Discriminator, telling_apart, total_correlation
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, elbo_terms

DEPTH = 5


class FactorQVAE(Objective):
    """reconstruction + beta * KL + gamma * total correlation of the choices.

    Attributes:
        beta, gamma: weights. The authors' 1e-3 and 1e-4 (Shapes3D) of means over pixels and dimensions are 1.02 and
            1.23 of our sums for 64 x 64 x 3 images and 12 latents.
        width: units in each of the discriminator's five layers.
    """

    requires: ClassVar[tuple[type, ...]] = (Divergent, Probabilistic)
    beta: Scalar | float = 1.0
    gamma: Scalar | float = 1.23
    width: int = eqx.field(static=True, default=WIDTH)

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        terms = elbo_terms(passes, batch)
        terms["total_correlation"] = total_correlation(jax.lax.stop_gradient(context.critic), _flat(passes[0].choice))
        total = terms["reconstruction"] + self.beta * terms["kl"] + self.gamma * terms["total_correlation"]
        return Loss(total, terms)

    def init_critic(self, key: Key[Array, ""], latent: Latent) -> Discriminator:
        discrete: Any = latent
        inputs = latent.num_latents * discrete.num_categories
        return Discriminator(inputs, slope=0.2, width=self.width, depth=DEPTH, key=key)

    def critic_loss(self, passes: tuple[Forward, ...], context: Context) -> Loss:
        """Of telling joint from shuffled choices of the same batch; a choice is shuffled whole."""
        choice = jax.lax.stop_gradient(passes[0].choice)
        keys = jax.random.split(context.key, choice.shape[1])
        shuffled = jax.vmap(jax.random.permutation, in_axes=(0, 1), out_axes=1)(keys, choice)
        return telling_apart(context.critic(_flat(choice)), context.critic(_flat(shuffled)))


def _flat(choice: Array) -> Array:
    return choice.reshape(len(choice), -1)
