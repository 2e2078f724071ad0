"""Codebooks receive their updates through the trainer, entry by entry as the method says; fixed grids stay."""

from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import factorgrid as fg
from factorgrid.training.state import State, initial_state
from factorgrid.training.step import views_of

RATE = 1e-3
K, N = 6, 2


class Trained(NamedTuple):
    """A run of one step, the state before it, and what the encoder gave for the images of that step, in float64."""

    run: fg.Run
    before: State
    numbers: np.ndarray


def trained(model: str, folder: Path) -> Trained:
    run = fg.train(
        data="circles", model=model, image_size=8, seeds=1, steps=1, architecture="mlp", width=8, depth=1,
        num_latents=N, num_categories=K, batch_size=16, learning_rate=RATE, out=folder / "run", quiet=True,
    )  # fmt: skip
    group = run.group()
    before = jax.tree.map(lambda leaf: np.asarray(leaf)[0] if jnp.ndim(leaf) else leaf, initial_state(group))
    views = views_of(group, run.dataset(), jnp.zeros((), jnp.int32), 0)
    images = np.asarray(views[0].images, np.float64).reshape(16, -1)
    (layer,) = before.params.model.encoder.layers
    return Trained(run, before, images @ np.asarray(layer.weight, np.float64) + layer.bias)


def published(run: fg.Run) -> np.ndarray:
    """The codebook that the model reads by, as it was written and read again."""
    return np.asarray(run.model(0).autoencoder.codebook, np.float64)


def chosen(vectors: np.ndarray, book: np.ndarray) -> np.ndarray:
    """[vector entry]: one-hot, the nearest."""
    return np.eye(len(book))[((vectors[:, None] - book) ** 2).sum(axis=-1).argmin(axis=1)]


@pytest.mark.parametrize("model", ["vq_vae", "vq_per_latent", "qlae"])
def test_chosen_entries_take_a_step_of_adam_to_the_vectors_that_chose_them(model: str, tmp_path: Path) -> None:
    """By the quantisation term alone: the first step of Adam is the learning rate, in the direction of their mean."""
    run, before, numbers = trained(model, tmp_path)
    old, new = np.asarray(before.params.model.codebook, np.float64), published(run)
    old, new = (book.reshape(-1, K, book.shape[-1] if book.ndim == 3 else 1) for book in (old, new))
    vectors = numbers.reshape(16, N, -1)
    # all latents choose from one book, or each from its own
    vectors = vectors.reshape(1, 16 * N, -1) if len(old) == 1 else vectors.swapaxes(0, 1)
    for own, was, now in zip(vectors, old, new, strict=True):
        choices = chosen(own, was)
        used = choices.any(axis=0)
        means = choices.T[used] @ own / choices.sum(axis=0)[used, None]
        np.testing.assert_array_equal(now[~used], was[~used])
        np.testing.assert_allclose(now[used] - was[used], RATE * np.sign(means - was[used]), rtol=0.02)


def test_a_moving_average_is_updated_by_the_vectors_and_not_by_gradient(tmp_path: Path) -> None:
    run, before, numbers = trained("vq_vae_ema", tmp_path)
    assert before.params.model.codebook is None
    old, vectors = np.asarray(before.memory.latent.sums, np.float64)[0], numbers.reshape(16 * N, -1)
    choices = chosen(vectors, old)  # every entry begins with a use of 1
    sums, uses = 0.99 * old + 0.01 * choices.T @ vectors, 0.99 + 0.01 * choices.sum(axis=0)
    new = published(run)[0]
    np.testing.assert_allclose(new, sums / uses[:, None], rtol=1e-4, atol=1e-6)
    assert np.abs(new - old)[choices.any(axis=0)].max() > 1e-3


def test_every_value_of_a_qvae_takes_a_step_of_adam(tmp_path: Path) -> None:
    """Probabilities depend on all of them."""
    run, before, _ = trained("qvae", tmp_path)
    moved = published(run) - np.asarray(before.params.model.codebook, np.float64)
    np.testing.assert_allclose(np.abs(moved), RATE, rtol=0.05)


@pytest.mark.parametrize("model", ["fslq", "grid_qvae"])
def test_a_fixed_grid_stays(model: str, tmp_path: Path) -> None:
    run, before, _ = trained(model, tmp_path)
    after = run.model(0)
    assert before.params.model.codebook is None
    assert after.autoencoder.codebook is None
    np.testing.assert_array_equal(after.position_table, np.tile(np.linspace(-1, 1, K, dtype=np.float32), (N, 1)))
    (old,), (new,) = before.params.model.encoder.layers, after.autoencoder.encoder.layers
    assert (np.asarray(old.weight) != np.asarray(new.weight)).any()  # it did learn
