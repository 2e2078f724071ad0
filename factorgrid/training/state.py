"""The state of training: what the next step needs, and nothing else.

Members of a group share one `State`: its arrays have a leading member axis, except `step`. Random numbers need no
state: every key is derived from a seed, the step and the purpose, so a resumed run draws what an uninterrupted one
would have drawn.
"""

import functools
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Key

from factorgrid.method import Params, Trainable
from factorgrid.training.compilation import compiler_options

Trained = TypeVar("Trained", bound=Trainable)


class State(NamedTuple):
    """Everything that changes.

    Attributes:
        params: what is learned by gradient, in parts.
        memory: what is updated without one; None if nothing.
        optimizers: the state of each part's optimiser.
        alive: False once a member's loss or gradient has left the finite numbers; it is frozen from then on.
        step: finished steps, shared by all members.
    """

    params: Params
    memory: Any
    optimizers: Params
    alive: Bool[Array, "*member"]
    step: Int[Array, ""]


# For vmap: every part of a state has a leading member axis but the step.
MEMBER_AXIS: Any = State(0, 0, 0, 0, None)  # type: ignore[arg-type]


class Group(eqx.Module, Generic[Trained]):
    """Members that train together: one method whose leaves have a leading member axis, and what is the same for all.

    Attributes:
        method: with the hyperparameters of every member.
        seeds: of initial weights and noise, one a member.
        num_steps, batch_size: of the whole training.
        data_seed: seed of the data stream, shared by all members; None: every member draws its own batches.
    """

    method: Trained
    seeds: Int[Array, "*member"]
    num_steps: int = eqx.field(static=True)
    batch_size: int = eqx.field(static=True)
    data_seed: int | None = eqx.field(static=True)


def part_wise(fn: Any, first: Params, *rest: Params) -> Params:
    """fn of each part of the parameters; None where the method lacks it."""
    found: Any = [None if part is None else fn(part, *others) for part, *others in zip(first, *rest)]
    return Params(*found)


def initial_state(group: Group) -> State:
    """Fresh parameters for every member; a member's depend on its own seed only. Not within jit: see `state_shapes`."""
    return _initial()(group)


def state_shapes(group: Group) -> State:
    """Shapes and types of a group's state; nothing is computed."""
    return eqx.filter_eval_shape(_fresh, group)


@functools.cache
def _initial() -> Callable[[Group], State]:
    return jax.jit(_fresh, compiler_options=compiler_options("bfloat16"))  # no products: all but YNNPACK's option


def _fresh(group: Group) -> State:
    def one(key: Key[Array, ""], method: Trainable) -> tuple[Params, Any, Params]:
        params, memory = method.init(key)
        optimizers = part_wise(lambda part, optimizer: optimizer.init(part), params, method.optimizers())
        return params, memory, optimizers

    params, memory, optimizers = jax.vmap(one)(jax.vmap(jax.random.key)(group.seeds), group.method)
    alive = jnp.ones(group.seeds.shape, bool)
    return State(params, memory, optimizers, alive, jnp.zeros((), jnp.int32))
