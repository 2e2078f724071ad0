"""VQ, QVAE, FSLQ and the straight-through D-VAE against their definitions in NumPy, and their limits."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from factorgrid.latents.categorical import Categorical, grid
from factorgrid.latents.fslq import FSLQ
from factorgrid.latents.qlae import QLAE
from factorgrid.latents.qvae import QVAELatent
from factorgrid.latents.vq import VQ, Followed

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)


def single(values):
    return jnp.asarray(values, jnp.float32)


@pytest.mark.parametrize("shared", [False, True])
def test_vq_takes_the_nearest_entry(shared):
    latent = VQ(3, 7, size=2, shared=shared)
    books = RNG.normal(size=(1 if shared else 3, 7, 2))
    outputs = RNG.normal(size=(20, 3, 2))
    found = latent.read(single(outputs.reshape(20, 6)), single(books))
    distances = ((outputs[:, :, None] - books[None]) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(found.categories(), distances.argmin(axis=-1))
    squared = distances.min(axis=-1).sum(axis=1).mean()
    terms = latent.terms(found)
    assert float(terms["commitment"]) == pytest.approx(4 * squared, rel=1e-4)
    assert float(terms["quantization"]) == pytest.approx(16 * squared, rel=1e-4)


def test_vq_of_one_number_with_a_book_for_each_latent_is_qlae():
    values = RNG.normal(size=(3, 7))
    outputs = single(RNG.normal(size=(20, 3)))
    one = VQ(3, 7, size=1).read(outputs, single(values[..., None]))
    other = QLAE(3, 7).read(outputs, single(values))
    np.testing.assert_array_equal(one.categories(), other.categories())
    np.testing.assert_allclose(one.latents(one.sample(KEY, 1.0)), other.sample(KEY, 1.0), atol=1e-6)


@pytest.mark.parametrize("averaged", [False, True])
def test_neglected_entries_are_revived_at_vectors_of_the_batch_and_others_are_left(averaged):
    latent = VQ(1, 4, size=2, averaged=averaged, revival=0.5, forgetting=0.5)
    books = single(RNG.normal(size=(1, 4, 2)))
    learned = None if averaged else books
    memory = Followed(single([[1.0, 1.0, 1.0, 1e-3]]), books if averaged else jnp.zeros_like(books))
    if averaged:
        memory = memory._replace(sums=memory.sums * memory.uses[..., None])
    outputs = single(np.asarray(books[0, [0, 1, 2, 0, 1, 2]]) + 1e-3)
    posterior = latent.read(outputs, latent.codebook(learned, memory))
    new = latent.codebook(learned, latent.update(memory, posterior))
    np.testing.assert_allclose(new[0, 3], outputs[3], atol=1e-5)
    np.testing.assert_allclose(new[0, :3], books[0, :3], atol=2e-3)
    off = dataclasses.replace(latent, revival=0.0)
    np.testing.assert_allclose(off.codebook(learned, off.update(memory, posterior))[0, 3], books[0, 3], atol=1e-5)


def test_the_moving_average_is_that_of_the_vectors_that_chose_an_entry():
    latent = VQ(1, 2, size=1, averaged=True, forgetting=0.25)
    memory = Followed(jnp.ones((1, 2)), single([[[0.0], [10.0]]]))
    posterior = latent.read(single([[1.0], [2.0], [9.0]]), latent.codebook(None, memory))
    new = latent.update(memory, posterior)
    np.testing.assert_allclose(new.uses, [[0.75 + 0.25 * 2, 0.75 + 0.25]], rtol=1e-6)
    np.testing.assert_allclose(new.sums[0, :, 0], [0.25 * 3, 7.5 + 0.25 * 9], rtol=1e-6)


def test_qvae_is_its_formula_and_its_one_hot_is_the_nearest_value():
    outputs, values = RNG.normal(size=(20, 3)), RNG.normal(size=7)
    found = QVAELatent(3, 7).read(single(outputs), single(values))
    logits = -((outputs[..., None] - values) ** 2)
    probabilities = softmax(logits, axis=-1)
    np.testing.assert_allclose(found.soft(), probabilities, rtol=1e-4)
    np.testing.assert_allclose(found.kl(), (probabilities * np.log(7 * probabilities)).sum(-1), rtol=1e-3, atol=1e-5)
    nearest = np.abs(outputs[..., None] - values).argmin(axis=-1)
    np.testing.assert_array_equal(found.categories(), nearest)
    np.testing.assert_allclose(found.latents(found.hard()), values[nearest], rtol=1e-5)
    cold = found.latents(found.sample(KEY, 1e-4))
    assert np.abs(np.asarray(cold)[..., None] - values).min(axis=-1).max() < 1e-3
    fixed = QVAELatent(3, 7, learned=False)
    assert fixed.init(KEY) is None
    np.testing.assert_allclose(fixed.read(single(outputs), None).values, grid(7))


def test_fslq_rounds_to_the_grid_and_with_many_points_is_the_autoencoder_behind_a_tanh():
    outputs = RNG.normal(size=(50, 3))
    squashed = np.tanh(outputs)
    found = FSLQ(3, 12).read(single(outputs))
    np.testing.assert_allclose(found.hard(), 2 * np.round(11 * (squashed + 1) / 2) / 11 - 1, atol=1e-6)
    fine = FSLQ(3, 2**14).read(single(outputs))
    np.testing.assert_allclose(fine.sample(KEY, 1.0), squashed, atol=2e-4)


def test_the_straight_through_d_vae_gives_one_hot_choices_with_the_gradient_of_the_probabilities():
    latent = Categorical(2, 5, relaxed=False)
    logits = RNG.normal(size=(4, 10))
    weight = RNG.normal(size=(4, 2))
    posterior = latent.read(single(logits))
    np.testing.assert_allclose(posterior.sample(KEY, 1.0), posterior.hard(), atol=1e-6)

    def of_choice(values):
        posterior = latent.read(values)
        return jnp.sum(single(weight) * posterior.latents(posterior.sample(KEY, 1.0)))

    def surrogate(values):
        return np.sum(weight * (softmax(values.reshape(4, 2, 5), axis=-1) @ np.linspace(-1, 1, 5)))

    step = 1e-6
    moves = step * np.eye(40).reshape(40, 4, 10)
    slopes = [(surrogate(logits + move) - surrogate(logits - move)) / (2 * step) for move in moves]
    np.testing.assert_allclose(jax.grad(of_choice)(single(logits)), np.reshape(slopes, (4, 10)), atol=1e-5)
