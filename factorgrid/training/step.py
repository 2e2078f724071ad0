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

from factorgrid.datasets import Dataset
from factorgrid.datasets.table import HostTable
from factorgrid.layers.product import products_in
from factorgrid.models import Autoencoder
from factorgrid.objectives import Loss, Objective
from factorgrid.objectives.supervision import Supervision
from factorgrid.training.schedule import cosine
from factorgrid.training.sharding import AXIS, SPLIT, STATE_SPLIT, WHOLE, member_mesh
from factorgrid.training.state import DATA, MEMBER_AXIS, NOISE, SHUFFLE, Labelled, Recipe, State, member_key


class Fed(eqx.Module):
    """Stored rows that the host has gathered for the next steps: a table too large for the device, taken in turn.

    Attributes:
        table: knows how to read them.
        raw: [step *member batch *stored], for steps from the first of the call on.
    """

    table: HostTable
    raw: Shaped[Array, "..."]


def advance(
    state: State, recipe: Recipe, source: Dataset | Fed, labelled: Labelled | None, num_steps: Int[Array, ""]
) -> tuple[State, dict[str, Float[Array, " member"]]]:
    """`num_steps` training steps of all members, compiled once for any number of steps; `state` is used up.

    Returns:
        The new state, and each loss term averaged over these steps, [member]; NaN for members that are frozen.
        The terms include "loss" (the total) and "noise_scale".
    """
    return program(len(recipe.seeds))(state, recipe, source, labelled, num_steps)


@functools.cache
def program(num_members: int) -> Any:
    """The compiled `advance` of a group of that many members, on as many devices as share them evenly."""
    mesh = member_mesh(num_members)
    if mesh.size == 1:
        return jax.jit(take_steps, donate_argnums=0)

    def on_every_device(state: State, recipe: Recipe, source: Dataset | Fed, *rest: Any) -> Any:
        own_rows = isinstance(source, Fed) and recipe.data_seed is None
        parts = Fed(WHOLE, PartitionSpec(None, AXIS)) if own_rows else WHOLE  # type: ignore[arg-type]
        split = jax.shard_map(
            take_steps,
            mesh=mesh,
            in_specs=(STATE_SPLIT, SPLIT, parts, WHOLE, WHOLE),
            out_specs=(STATE_SPLIT, SPLIT),
            check_vma=False,
        )
        return split(state, recipe, source, *rest)

    return jax.jit(on_every_device, donate_argnums=0)


def take_steps(
    state: State, recipe: Recipe, source: Dataset | Fed, labelled: Labelled | None, num_steps: Int[Array, ""]
) -> tuple[State, dict[str, Float[Array, " member"]]]:
    """`advance` on one device, for the members that lie there."""
    first_step = state.step

    def body(_: Int[Array, ""], carry: tuple[State, dict[str, Array]]) -> tuple[State, dict[str, Array]]:
        state, sums = carry
        images = batch_of(recipe, source, state.step, state.step - first_step)
        state, terms = group_step(state, recipe, images, labelled)
        return state, jax.tree.map(jnp.add, sums, terms)

    with products_in(recipe.precision):
        one_step = jax.eval_shape(
            lambda: group_step(state, recipe, batch_of(recipe, source, state.step, 0), labelled)[1]
        )
        zeros = jax.tree.map(lambda term: jnp.zeros(term.shape, term.dtype), one_step)
        state, sums = jax.lax.fori_loop(0, num_steps, body, (state, zeros))
    return state, jax.tree.map(lambda total: total / num_steps.astype(jnp.float32), sums)


def batch_of(
    recipe: Recipe, source: Dataset | Fed, step: Int[Array, ""], position: Int[Array, ""] | int
) -> Float[Array, "*member batch height width channel"]:
    """The images of one step: one batch for all members, or one for each if members draw their own."""
    if isinstance(source, Fed):
        raw = jax.lax.dynamic_index_in_dim(source.raw, position, keepdims=False)
        return per_stream(recipe, step, source.table.decode, raw)
    return per_stream(recipe, step, lambda key: source.sample(key, recipe.batch_size).images)


def per_stream(recipe: Recipe, step: Int[Array, ""], draw: Callable[..., Any], *args: Any) -> Any:
    """draw(key, *args) with the data key of this step: once if members share their stream, else for each member."""
    if recipe.data_seed is not None:
        return draw(member_key(jnp.asarray(recipe.data_seed), step, DATA), *args)
    return jax.vmap(draw)(jax.vmap(lambda seed: member_key(seed, step, DATA))(recipe.seeds), *args)


@functools.partial(jax.jit, static_argnums=(2,))
def rows_of_steps(
    recipe: Recipe, first_step: Int[Array, ""], num_steps: int, table: HostTable
) -> Int[Array, "step *member batch"]:
    """The rows that steps `first_step`, `first_step` + 1, ... will use."""
    return jax.vmap(lambda step: per_stream(recipe, step, lambda key: table.rows(key, recipe.batch_size)[0]))(
        first_step + jnp.arange(num_steps)
    )


def group_step(
    state: State, recipe: Recipe, images: Float[Array, "*member batch height width channel"], labelled: Labelled | None
) -> tuple[State, dict[str, Float[Array, " member"]]]:
    """One step of all members: all gradients are taken at the weights before the step."""
    batch = None if labelled is None else labelled_batch(labelled, recipe.batch_size, state.step)
    noise_scale = cosine(*recipe.noise_scale, state.step, recipe.num_steps)
    shared = recipe.data_seed is not None

    def one(
        model: Autoencoder, aux: Any, objective: Objective, supervision: Supervision | None, seed: Array, own: Any
    ) -> Gradients:
        return member_gradients(
            model, aux, objective, supervision, seed, state.step, images if shared else own, batch, noise_scale
        )

    members = (state.model, state.aux, recipe.objective, recipe.supervision, recipe.seeds, None if shared else images)
    gradients = each_member(one, members)
    alive = state.alive & gradients.finite
    new = jax.vmap(functools.partial(updated, recipe), in_axes=(MEMBER_AXIS, 0, 0), out_axes=MEMBER_AXIS)(
        state, gradients, alive
    )
    terms = {**gradients.terms, "noise_scale": jnp.broadcast_to(noise_scale, alive.shape)}
    return new, {name: jnp.where(alive, term, jnp.nan) for name, term in terms.items()}


def each_member(fn: Callable[..., Any], members: tuple[Any, ...]) -> Any:
    """fn of every member: as batched products where they pay, one member after the other on a CPU.

    There one member's products fill the cores, and the activations of several would not stay in the cache.
    """
    if jax.default_backend() == "cpu":
        return jax.lax.map(lambda member: fn(*member), members)
    return jax.vmap(fn)(*members)


class Gradients(NamedTuple):
    """What one pass of a member gives: gradients of its networks, loss terms, and whether all of it is finite."""

    model: Autoencoder
    aux: Any
    terms: dict[str, Float[Array, "*member"]]
    finite: Bool[Array, "*member"]


def member_gradients(
    model: Autoencoder,
    aux: Any,
    objective: Objective,
    supervision: Supervision | None,
    seed: Int[Array, ""],
    step: Int[Array, ""],
    images: Float[Array, "batch height width channel"],
    labelled: Labelled | None,
    noise_scale: Float[Array, ""],
) -> Gradients:
    """Forward and backward pass of one member (no member axis)."""
    key_noise, key_shuffle = (member_key(seed, step, purpose) for purpose in (NOISE, SHUFFLE))

    def loss_fn(model: Autoencoder) -> tuple[Array, tuple[dict[str, Array], Array]]:
        forward = model(images, key_noise, noise_scale)
        loss = objective.loss(forward, images, step, aux)
        if supervision is not None and labelled is not None:
            loss = add_supervision(loss, model, supervision, labelled)
        return loss.total, ({"loss": loss.total, **loss.terms}, forward.latents)

    (total, (terms, latents)), gradient = eqx.filter_value_and_grad(loss_fn, has_aux=True)(model)
    finite = jnp.isfinite(total) & all_finite(gradient)
    if aux is None:
        return Gradients(gradient, None, terms, finite)
    # The discriminator learns from the latents that this very pass has sampled.
    aux_loss, aux_terms, aux_gradient = aux_gradients(objective, aux, latents, key_shuffle)
    return Gradients(gradient, aux_gradient, {**terms, **aux_terms}, finite & jnp.isfinite(aux_loss))


def updated(recipe: Recipe, state: State, gradients: Gradients, alive: Bool[Array, ""]) -> State:
    """The state of one member after Adam's step."""
    model, optimizer = apply(recipe.optimizer(), gradients.model, state.optimizer, state.model)
    aux, aux_optimizer = state.aux, state.aux_optimizer
    if aux is not None:
        aux, aux_optimizer = apply(recipe.aux_optimizer(), gradients.aux, state.aux_optimizer, state.aux)
    return freeze(alive, State(model, optimizer, aux, aux_optimizer, alive, state.step + 1), state)


def add_supervision(loss: Loss, model: Autoencoder, supervision: Supervision, labelled: Labelled) -> Loss:
    """omega * R_s added: a second application of the encoder, without noise."""
    supervised = supervision.loss(model, labelled.images, labelled.factors)
    return Loss(loss.total + supervision.omega * supervised, {**loss.terms, "supervised": supervised})


def aux_gradients(objective: Objective, aux: Any, latents: Array, key: Array) -> tuple[Array, dict[str, Array], Any]:
    def loss_fn(aux: Any) -> tuple[Array, dict[str, Array]]:
        loss = objective.aux_loss(aux, latents, key)
        return loss.total, loss.terms

    (total, terms), gradient = eqx.filter_value_and_grad(loss_fn, has_aux=True)(aux)
    return total, terms, gradient


def apply(optimizer: optax.GradientTransformation, gradient: Any, state: Any, parameters: Any) -> tuple[Any, Any]:
    with jax.numpy_dtype_promotion("standard"):  # optax raises its decay rates to integer counts
        updates, state = optimizer.update(gradient, state, parameters)
    return optax.apply_updates(parameters, updates), state


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every number of a pytree is finite; a sum of magnitudes is one pass and keeps NaN and infinity."""
    return jnp.isfinite(sum(jnp.sum(jnp.abs(leaf)) for leaf in jax.tree.leaves(tree)))


def freeze(alive: Bool[Array, ""], new: State, old: State) -> State:
    """The new state of a member that is alive; else the old one, which was finite. The step counts on."""
    kept = jax.tree.map(lambda a, b: jnp.where(alive, a, b), new, old)
    return kept._replace(alive=alive, step=new.step)


def labelled_batch(labelled: Labelled, batch_size: int, step: Int[Array, ""]) -> Labelled:
    """The next images of the labelled set in its order, starting over at its end, in the middle of a batch too."""
    index = (step * batch_size + jnp.arange(batch_size)) % len(labelled.images)
    return Labelled(labelled.images[index], labelled.factors[index])
