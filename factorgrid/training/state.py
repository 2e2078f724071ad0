"""The state of training: what the next step needs, and nothing else.

Members of a group share one `State`: its arrays have a leading member axis, except `step`. Random numbers need no
state: every key is derived from a seed, the step and the purpose, so a resumed run draws what an uninterrupted one
would have drawn.
"""

import dataclasses
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from factorgrid.latents import Latent
from factorgrid.models import Autoencoder, autoencoder
from factorgrid.objectives import Objective
from factorgrid.objectives.supervision import Supervision


class State(NamedTuple):
    """Everything that changes.

    Attributes:
        model: the autoencoders.
        optimizer: Adam's state for them.
        aux: the objective's own networks (FactorVAE's discriminators), or None.
        aux_optimizer: Adam's state for those, or None.
        alive: False once a member's loss or gradient has left the finite numbers; it is frozen from then on.
        step: finished steps, shared by all members.
    """

    model: Autoencoder
    optimizer: Any
    aux: Any
    aux_optimizer: Any
    alive: Bool[Array, "*member"]
    step: Int[Array, ""]


# For vmap: every part of a state has a leading member axis but the step.
MEMBER_AXIS: Any = State(0, 0, 0, 0, 0, None)  # type: ignore[arg-type]


class Labelled(NamedTuple):
    """A labelled training set, walked through in its order, 64 at a time; a label of -1 is unknown."""

    images: Float[Array, "sample height width channel"]
    factors: Int[Array, "sample factor"]


class Recipe(eqx.Module):
    """What does not change in training; hyperparameters are leaves with a leading member axis.

    Attributes:
        objective: with hyperparameters of every member.
        supervision: the supervised term, or None.
        seeds: of initial weights and noise, one a member.
        latent, image_shape, architecture, init: what to build.
        num_steps, batch_size: of the whole training.
        noise_scale: of the Gumbel noise at the first and last step.
        learning_rate: of both optimisers.
        data_seed: seed of the data stream, shared by all members; None: every member draws its own batches.
        precision: of products, a name of `PRECISIONS`.
    """

    objective: Objective
    supervision: Supervision | None
    seeds: Int[Array, "*member"]
    latent: Latent
    image_shape: tuple[int, int, int] = eqx.field(static=True)
    architecture: str = eqx.field(static=True)
    init: str = eqx.field(static=True)
    num_steps: int = eqx.field(static=True)
    batch_size: int = eqx.field(static=True)
    noise_scale: tuple[float, float] = eqx.field(static=True)
    learning_rate: float = eqx.field(static=True)
    data_seed: int | None = eqx.field(static=True)
    precision: str = eqx.field(static=True, default="tf32")

    def optimizer(self) -> optax.GradientTransformation:
        return optax.adam(self.learning_rate)

    def aux_optimizer(self) -> optax.GradientTransformation:
        """The discriminator's Adam forgets faster (the paper's code)."""
        return optax.adam(self.learning_rate, b1=0.5, b2=0.9)


def member_key(seed: Int[Array, ""], step: Int[Array, ""] | int, purpose: int) -> Key[Array, ""]:
    """The key of one member for one purpose (0 weights, 1 noise, 2 shuffling, 3 data) at one step."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), purpose), step)


WEIGHTS, NOISE, SHUFFLE, DATA = range(4)


@eqx.filter_jit
def initial_state(recipe: Recipe) -> State:
    """Fresh weights for every member; a member's weights depend on its own seed only."""

    def one(seed: Int[Array, ""], objective: Objective) -> tuple[Autoencoder, Any, Any, Any]:
        key_model, key_aux = jax.random.split(member_key(seed, 0, WEIGHTS))
        model = autoencoder(recipe.architecture, recipe.image_shape, recipe.latent, init=recipe.init, key=key_model)
        if recipe.supervision is not None:
            model = dataclasses.replace(model, label_scale=recipe.supervision.initial_scale())
        aux = objective.init_aux(key_aux, recipe.latent.num_latents)
        aux_optimizer = None if aux is None else recipe.aux_optimizer().init(aux)
        return model, recipe.optimizer().init(model), aux, aux_optimizer

    model, optimizer, aux, aux_optimizer = jax.vmap(one)(recipe.seeds, recipe.objective)
    alive = jnp.ones(recipe.seeds.shape, bool)
    return State(model, optimizer, aux, aux_optimizer, alive, jnp.zeros((), jnp.int32))
