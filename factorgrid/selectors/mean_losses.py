"""Mean losses of trained members over the first batches of their training stream, for selectors."""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.datasets import Batch, Dataset, DeviceDataset
from factorgrid.datasets.feeder import Feeder
from factorgrid.datasets.table import HostTable
from factorgrid.method import NOISE, Memory, Method, Params, purpose_key
from factorgrid.models import Kind
from factorgrid.selectors.selector import Progress
from factorgrid.training.state import Group, State
from factorgrid.training.step import Fed, Stream, rows_of_steps, views_of

CHUNK = 20


def mean_losses(
    state: State,
    group: Group,
    dataset: Dataset,
    kinds: tuple[Kind, ...],
    *,
    num_batches: int,
    progress: Progress | None = None,
) -> Float[np.ndarray, "kind 2 member"]:
    """The negative ELBO and the whole loss, in nats per image, by passes of each kind.

    The negative ELBO is the reconstruction loss and the KL, which a latent without a prior does not have; the whole
    loss has the objective's own terms too. Supervised terms count in neither.

    Args:
        state: trained members, with their critics.
        group, dataset: what they were trained with.
        kinds: how a pass chooses: "noisy", "soft" or "hard".
        num_batches: how many batches of the training stream, from its start.
        progress: called with (batches done, batches in all).
    """
    totals = np.zeros((len(kinds), 2, len(group.seeds)))
    for start, stream in _streams(group, dataset, num_batches):
        count = min(CHUNK, num_batches - start)
        first, steps = jnp.asarray(start, jnp.int32), jnp.asarray(count, jnp.int32)
        totals += np.asarray(_sums(state, group, stream, first, steps, kinds), np.float64)
        if progress is not None:
            progress(start + count, num_batches)
    return totals / num_batches


def _streams(group: Group, dataset: Dataset, num_batches: int) -> Iterator[tuple[int, Stream]]:
    starts = range(0, num_batches, CHUNK)
    if isinstance(dataset, DeviceDataset):
        yield from ((start, dataset) for start in starts)
        return
    assert isinstance(dataset, HostTable)
    rows = (np.asarray(rows_of_steps(group, jnp.asarray(start, jnp.int32), CHUNK, dataset)) for start in starts)
    with Feeder(dataset.gather, rows) as chunks:
        yield from ((start, Fed(dataset, raw)) for start, raw in zip(starts, chunks))


@functools.partial(jax.jit, static_argnames="kinds")
def _sums(
    state: State,
    group: Group,
    stream: Stream,
    first: Int[Array, ""],
    num_batches: Int[Array, ""],
    kinds: tuple[Kind, ...],
) -> Float[Array, "kind 2 member"]:
    """Losses summed over batches."""
    image_axis = None if group.data_seed is not None else 0
    losses = functools.partial(_losses, kinds=kinds, step=state.step, num_steps=group.num_steps)
    of_members = jax.vmap(losses, in_axes=(0, 0, 0, 0, image_axis, None), out_axes=2)

    def body(index: Int[Array, ""], sums: Array) -> Array:
        views = views_of(group, stream, first + index, index)
        return sums + of_members(group.method, state.params, state.memory, group.seeds, views, first + index)

    return jax.lax.fori_loop(0, num_batches, body, jnp.zeros((len(kinds), 2, len(group.seeds))))


def _losses(
    method: Method,
    params: Params,
    memory: Memory,
    seed: Int[Array, ""],
    views: tuple[Batch, ...],
    batch: Int[Array, ""],
    *,
    kinds: tuple[Kind, ...],
    step: Int[Array, ""],
    num_steps: int,
) -> Float[Array, "kind 2"]:
    """[kind, elbo or loss] of one batch and member."""
    rows = []
    for kind in kinds:
        key = jax.random.key(seed)
        if kind == "noisy":
            key = purpose_key(key, NOISE, batch)
        loss = method.loss_of_passes(params, memory, views, kind, key, step, num_steps)
        elbo = loss.terms["reconstruction"] + loss.terms.get("kl", 0.0)
        rows.append(jnp.stack([elbo, loss.total]))
    return jnp.stack(rows)
