"""The straight-through gap: how much a discrete model's loss changes when its codes are rounded to the grid.

The paper's unsupervised score for model selection (Section 3.4): zero when the latent space is fully discrete, and the
smaller the better disentangled. Two versions are kept side by side: `st_gap_elbo` by the paper's text (the negative
ELBO) and `st_gap_loss` by its code (the whole training loss, with the weighted total correlation of FactorDVAE).
They are equal for objectives that are the ELBO. Supervised terms count in neither. For a deterministic quantiser it is
the loss with rounded codes minus the loss with codes before rounding; without a prior the ELBO is the reconstruction.
"""

import functools
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.datasets import Batch, Dataset, DeviceDataset
from factorgrid.datasets.feeder import Feeder
from factorgrid.datasets.table import HostTable
from factorgrid.latents.abilities import Discrete
from factorgrid.method import Memory, Method, Params
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run
from factorgrid.training.state import Group, State
from factorgrid.training.step import Fed, Stream, rows_of_steps, views_of

NUM_BATCHES = 1000  # the first 64,000 images of the training stream
CHUNK = 20


def lacks_categories(run: Run) -> str:
    """Of a run that it does not apply to: what it lacks."""
    return "" if run.config.method.can(Discrete) else "categories"


def score_gap(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """The gap of a run's members."""
    gaps = straight_through_gap(
        members.state, members.group, members.dataset, num_batches=num_batches, progress=progress
    )
    return Found(gaps, {"num_batches": num_batches})


def straight_through_gap(
    state: State,
    group: Group,
    dataset: Dataset,
    *,
    num_batches: int = NUM_BATCHES,
    progress: Progress | None = None,
) -> dict[str, Float[np.ndarray, " member"]]:
    """Both gaps of every member, in nats per image; lower is better.

    |mean hard loss - mean soft loss| over the first batches of the training stream, without noise.

    Args:
        state: trained members, with their critics.
        group, dataset: what they were trained with.
        num_batches: how many batches; 1000 is the paper's code.
        progress: called with (batches done, batches in all).

    Returns:
        {"st_gap_elbo", "st_gap_loss"}, each [member].
    """
    totals = np.zeros((2, 2, len(group.seeds)))
    for start, stream in _streams(group, dataset, num_batches):
        count = min(CHUNK, num_batches - start)
        first, steps = jnp.asarray(start, jnp.int32), jnp.asarray(count, jnp.int32)
        totals += np.asarray(_sums(state, group, stream, first, steps), np.float64)
        if progress is not None:
            progress(start + count, num_batches)
    soft, hard = totals / num_batches
    gap = np.abs(hard - soft)
    return {"st_gap_elbo": gap[0], "st_gap_loss": gap[1]}


def _streams(group: Group, dataset: Dataset, num_batches: int) -> Iterator[tuple[int, Stream]]:
    starts = range(0, num_batches, CHUNK)
    if isinstance(dataset, DeviceDataset):
        yield from ((start, dataset) for start in starts)
        return
    assert isinstance(dataset, HostTable)
    rows = (np.asarray(rows_of_steps(group, jnp.asarray(start, jnp.int32), CHUNK, dataset)) for start in starts)
    with Feeder(dataset.gather, rows) as chunks:
        yield from ((start, Fed(dataset, raw)) for start, raw in zip(starts, chunks))


@jax.jit
def _sums(
    state: State, group: Group, stream: Stream, first: Int[Array, ""], num_batches: Int[Array, ""]
) -> Float[Array, "2 2 member"]:
    """[soft or hard, elbo or loss, member]: losses summed over batches."""
    image_axis = None if group.data_seed is not None else 0
    losses = functools.partial(_losses, step=state.step, num_steps=group.num_steps)
    of_members = jax.vmap(losses, in_axes=(0, 0, 0, 0, image_axis), out_axes=2)

    def body(index: Int[Array, ""], sums: Array) -> Array:
        views = views_of(group, stream, first + index, index)
        return sums + of_members(group.method, state.params, state.memory, group.seeds, views)

    return jax.lax.fori_loop(0, num_batches, body, jnp.zeros((2, 2, len(group.seeds))))


def _losses(
    method: Method,
    params: Params,
    memory: Memory,
    seed: Int[Array, ""],
    views: tuple[Batch, ...],
    *,
    step: Int[Array, ""],
    num_steps: int,
) -> Float[Array, "2 2"]:
    """[soft or hard, elbo or loss] of one batch and member."""
    rows = []
    for kind in ("soft", "hard"):
        loss = method.noise_free_loss(params, memory, views, kind, jax.random.key(seed), step, num_steps)
        elbo = loss.terms["reconstruction"] + loss.terms.get("kl", 0.0)
        rows.append(jnp.stack([elbo, loss.total]))
    return jnp.stack(rows)
