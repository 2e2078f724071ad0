"""The straight-through gap: how much a discrete model's loss changes when its codes are rounded to the grid.

The paper's unsupervised score for model selection (Section 3.4): zero when the latent space is fully discrete, and the
smaller the better disentangled. Two versions are kept side by side: `st_gap_elbo` by the paper's text (the negative
ELBO) and `st_gap_loss` by its code (the whole training loss, with the weighted total correlation of FactorDVAE).
They are equal for objectives that are the ELBO. Supervised terms count in neither.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.datasets import Dataset
from factorgrid.datasets.feeder import Feeder
from factorgrid.datasets.table import HostTable
from factorgrid.latents import CategoricalPosterior
from factorgrid.models import Autoencoder, Forward
from factorgrid.objectives import Objective
from factorgrid.training.state import Recipe, State
from factorgrid.training.step import Fed, batch_of, rows_of_steps

NUM_BATCHES = 1000  # the first 64,000 images of the training stream
CHUNK = 20

Progress = Callable[[int, int], None]


def straight_through_gap(
    state: State,
    recipe: Recipe,
    dataset: Dataset,
    *,
    num_batches: int = NUM_BATCHES,
    progress: Progress | None = None,
) -> dict[str, Float[np.ndarray, " member"]]:
    """Both gaps of every member, in nats per image; lower is better.

    |mean hard loss - mean soft loss| over the first batches of the training stream, without noise.

    Args:
        state: trained members, with their discriminators.
        recipe, dataset: what they were trained with.
        num_batches: how many batches; 1000 is the paper's code.
        progress: called with (batches done, batches in all).

    Returns:
        {"st_gap_elbo", "st_gap_loss"}, each [member].
    """
    totals = np.zeros((2, 2, len(recipe.seeds)))
    for start, source in _sources(recipe, dataset, num_batches):
        count = min(CHUNK, num_batches - start)
        first, steps = jnp.asarray(start, jnp.int32), jnp.asarray(count, jnp.int32)
        totals += np.asarray(_sums(state, recipe, source, first, steps), np.float64)
        if progress is not None:
            progress(start + count, num_batches)
    soft, hard = totals / num_batches
    gap = np.abs(hard - soft)
    return {"st_gap_elbo": gap[0], "st_gap_loss": gap[1]}


def _sources(recipe: Recipe, dataset: Dataset, num_batches: int) -> Iterator[tuple[int, Dataset | Fed]]:
    starts = range(0, num_batches, CHUNK)
    if not isinstance(dataset, HostTable):
        yield from ((start, dataset) for start in starts)
        return
    rows = (np.asarray(rows_of_steps(recipe, jnp.asarray(start, jnp.int32), CHUNK, dataset)) for start in starts)
    with Feeder(dataset.gather, rows) as chunks:
        yield from ((start, Fed(dataset, raw)) for start, raw in zip(starts, chunks))


@jax.jit
def _sums(
    state: State, recipe: Recipe, source: Dataset | Fed, first: Int[Array, ""], num_batches: Int[Array, ""]
) -> Float[Array, "2 2 member"]:
    """[soft or hard, elbo or loss, member]: losses summed over batches."""
    image_axis = None if recipe.data_seed is not None else 0
    losses = jax.vmap(functools.partial(_losses, step=state.step), in_axes=(0, 0, 0, image_axis), out_axes=2)

    def body(index: Int[Array, ""], sums: Array) -> Array:
        images = batch_of(recipe, source, first + index, index)
        return sums + losses(state.model, recipe.objective, state.aux, images)

    return jax.lax.fori_loop(0, num_batches, body, jnp.zeros((2, 2, len(recipe.seeds))))


def _losses(
    model: Autoencoder,
    objective: Objective,
    aux: Any,
    images: Float[Array, "batch height width channel"],
    *,
    step: Int[Array, ""],
) -> Float[Array, "2 2"]:
    """[soft or hard, elbo or loss] of one batch and member."""
    posterior = model.posterior(images)
    assert isinstance(posterior, CategoricalPosterior), "the straight-through gap is defined for discrete models"
    soft = jax.nn.softmax(posterior.logits, axis=-1)
    hard = jax.nn.one_hot(posterior.categories(), posterior.logits.shape[-1])

    def both(choice: Array) -> Array:
        latents = posterior.latents(choice)
        forward = Forward(posterior, choice, latents, model.decoder(latents))
        loss = objective.loss(forward, images, step, aux)
        return jnp.stack([loss.terms["reconstruction"] + loss.terms["kl"], loss.total])

    return jnp.stack([both(soft), both(hard)])
