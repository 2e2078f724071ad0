"""One training step of one member, and many steps of many members as one program."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Bool, Float, Int, Shaped

from factorgrid.datasets import Batch, DeviceDataset
from factorgrid.datasets.table import HostTable
from factorgrid.layers.sums import total
from factorgrid.method import DATA, Examples, Labelled, Params, Trainable, purpose_key
from factorgrid.training.compilation import compiler_options
from factorgrid.training.labelled import labelled_batch
from factorgrid.training.sharding import AXIS, SPLIT, STATE_SPLIT, WHOLE, member_mesh
from factorgrid.training.state import MEMBER_AXIS, Group, State, part_wise

Terms = dict[str, Float[Array, "*member"]]


class Fed(eqx.Module):
    """Stored rows that the host has gathered for the next steps: a table too large for the device, taken in turn.

    Attributes:
        table: knows how to read them.
        raw: [step *member batch *stored], for steps from the first of the call on.
    """

    table: HostTable
    raw: Shaped[Array, "..."]


Stream = DeviceDataset | Fed


def advance(
    state: State, group: Group, stream: Stream, labelled: Labelled | None, num_steps: Int[Array, ""]
) -> tuple[State, Terms]:
    """`num_steps` training steps of all members, compiled once for any number of steps; `state` is used up.

    Returns:
        The new state, and each loss term averaged over these steps, [member]; NaN for members that are frozen.
        The terms include "loss" (the total) and "noise_scale".
    """
    return program(group)(state, group, stream, labelled, num_steps)


def program(group: Group) -> Any:
    """The compiled `advance` of a group, on as many devices as share its members evenly."""
    return _program(len(group.seeds), group.method.precision)


@functools.cache
def _program(num_members: int, precision: str) -> Any:
    mesh = member_mesh(num_members)
    if mesh.size == 1:
        return on_one_device(precision)

    def on_every_device(state: State, group: Group, stream: Stream, *rest: Any) -> Any:
        own_rows = isinstance(stream, Fed) and group.data_seed is None
        parts = Fed(WHOLE, PartitionSpec(None, AXIS)) if own_rows else WHOLE  # type: ignore[arg-type]
        split = jax.shard_map(
            take_steps,
            mesh=mesh,
            in_specs=(STATE_SPLIT, SPLIT, parts, WHOLE, WHOLE),
            out_specs=(STATE_SPLIT, SPLIT),
            check_vma=False,
        )
        return split(state, group, stream, *rest)

    return jax.jit(on_every_device, donate_argnums=0, compiler_options=compiler_options(precision))


@functools.cache
def on_one_device(precision: str) -> Any:
    """The compiled `advance` where all members lie on one device; `precision` of their products."""
    return jax.jit(take_steps, donate_argnums=0, compiler_options=compiler_options(precision))


def take_steps(
    state: State, group: Group, stream: Stream, labelled: Labelled | None, num_steps: Int[Array, ""]
) -> tuple[State, Terms]:
    """`advance` on one device, for the members that lie there."""
    first_step = state.step

    def body(_: Int[Array, ""], carry: tuple[State, Terms]) -> tuple[State, Terms]:
        state, sums = carry
        views = views_of(group, stream, state.step, state.step - first_step)
        state, terms = group_step(state, group, views, labelled)
        return state, jax.tree.map(jnp.add, sums, terms)

    one_step = jax.eval_shape(lambda: group_step(state, group, views_of(group, stream, state.step, 0), labelled)[1])
    zeros = jax.tree.map(lambda term: jnp.zeros(term.shape, term.dtype), one_step)
    state, sums = jax.lax.fori_loop(0, num_steps, body, (state, zeros))
    return state, jax.tree.map(lambda summed: summed / num_steps.astype(jnp.float32), sums)


def views_of(group: Group, stream: Stream, step: Int[Array, ""], position: Int[Array, ""] | int) -> tuple[Batch, ...]:
    """What one step sees: one batch for all members, or one for each if members draw their own."""
    if isinstance(stream, Fed):
        raw = jax.lax.dynamic_index_in_dim(stream.raw, position, keepdims=False)
        images = per_stream(group, step, stream.table.decode, raw)
        return (Batch(images, jnp.zeros((*images.shape[:-3], 0), jnp.int32)),)
    method = group.method
    return per_stream(group, step, lambda key: method.draw(stream, key, group.batch_size))


def per_stream(group: Group, step: Int[Array, ""], draw: Callable[..., Any], *args: Any) -> Any:
    """draw(key, *args) with the data key of this step: once if members share their stream, else for each member."""
    if group.data_seed is not None:
        return draw(purpose_key(jax.random.key(group.data_seed), DATA, step), *args)
    return jax.vmap(draw)(jax.vmap(lambda seed: purpose_key(jax.random.key(seed), DATA, step))(group.seeds), *args)


@functools.partial(jax.jit, static_argnums=(2,))
def rows_of_steps(
    group: Group, first_step: Int[Array, ""], num_steps: int, table: HostTable
) -> Int[Array, "step *member batch"]:
    """The rows that steps `first_step`, `first_step` + 1, ... will use."""
    return jax.vmap(lambda step: per_stream(group, step, lambda key: table.rows(key, group.batch_size)[0]))(
        first_step + jnp.arange(num_steps)
    )


def group_step(state: State, group: Group, views: tuple[Batch, ...], labelled: Labelled | None) -> tuple[State, Terms]:
    """One step of all members: all gradients are taken at the parameters before the step."""
    batch = None if labelled is None else labelled_batch(labelled, group.batch_size, state.step)
    shared = group.data_seed is not None

    def one(params: Params, memory: Any, method: Trainable, seed: Array, own: tuple[Batch, ...] | None) -> Pass:
        examples = Examples(views if own is None else own, batch)
        return one_pass(method, params, memory, examples, seed, state.step, group.num_steps)

    passes = each_member(one, (state.params, state.memory, group.method, group.seeds, None if shared else views))
    alive = state.alive & passes.finite
    new = jax.vmap(updated, in_axes=(0, MEMBER_AXIS, 0, 0), out_axes=MEMBER_AXIS)(group.method, state, passes, alive)
    return new, {name: jnp.where(alive, term, jnp.nan) for name, term in passes.terms.items()}


def each_member(fn: Callable[..., Any], members: tuple[Any, ...]) -> Any:
    """fn of every member: as batched products where they pay, one member after the other on a CPU.

    There one member's products fill the cores, and the activations of several would not stay in the cache.
    """
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda member: fn(*member), members)
    return jax.vmap(fn)(*members)


class Pass(NamedTuple):
    """What one pass of a member gives: gradients of each part, its new memory, loss terms, whether all is finite."""

    gradients: Params
    memory: Any
    terms: Terms
    finite: Bool[Array, "*member"]


def one_pass(
    method: Trainable,
    params: Params,
    memory: Any,
    examples: Examples,
    seed: Int[Array, ""],
    step: Int[Array, ""],
    num_steps: int,
) -> Pass:
    """Forward and backward pass of one member (no member axis): one gradient of the sum of its losses."""

    def sum_of_losses(params: Params) -> tuple[Array, tuple[dict[str, Any], Any]]:
        losses, new = method.losses(params, memory, examples, jax.random.key(seed), step, num_steps)
        return jnp.asarray(sum(loss.total for loss in losses.values())), (losses, new)

    (loss, (losses, new)), gradients = eqx.filter_value_and_grad(sum_of_losses, has_aux=True)(params)
    terms = {name: term for each in losses.values() for name, term in each.terms.items()}
    return Pass(gradients, new, terms, jnp.isfinite(loss) & all_finite(gradients))


def updated(method: Trainable, state: State, found: Pass, alive: Bool[Array, ""]) -> State:
    """The state of one member after its optimisers' step."""

    def apply(params: Any, gradient: Any, state: Any, optimizer: Any) -> tuple[Any, Any]:
        with jax.numpy_dtype_promotion("standard"):  # optax raises its decay rates to integer counts
            updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    pairs = part_wise(apply, state.params, found.gradients, state.optimizers, method.optimizers())
    params, optimizers = (part_wise(lambda pair, which=which: pair[which], pairs) for which in (0, 1))
    return freeze(alive, State(params, found.memory, optimizers, alive, state.step + 1), state)


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every number of a pytree is finite; a sum is one pass, and NaN and infinity leave none finite."""
    return jnp.isfinite(sum(total(leaf) for leaf in jax.tree.leaves(tree)))


def freeze(alive: Bool[Array, ""], new: State, old: State) -> State:
    """The new state of a member that is alive; else the old one, which was finite. The step counts on."""
    kept = jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, old)
    return kept._replace(alive=alive, step=new.step)
