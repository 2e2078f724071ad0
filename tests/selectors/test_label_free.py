"""ELBO and posterior entropy against numbers computed by hand in float64."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import factorgrid as fg
from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.selectors import SELECTORS
from factorgrid.selectors.mean_losses import mean_losses
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.state import Group, initial_state
from factorgrid.training.step import views_of

DATA = sized_circles(image_size=12)
NUM_BATCHES = 21  # one more than is computed at a time


def grouped(model: str) -> Group:
    config = Config(data="circles", model=model, architecture="mlp", num_latents=2, batch_size=8, seeds=(0, 1))
    return make_group(config, Shapes.of(DATA))


def test_the_elbo_is_the_negative_loss_of_a_vae_by_noisy_passes() -> None:
    group = grouped("vae")
    state = initial_state(group)
    # without variance the noisy pass is the one by means
    bias = state.params.model.encoder.layers[2].bias.at[:, 2:].set(-40.0)
    state = eqx.tree_at(lambda s: s.params.model.encoder.layers[2].bias, state, bias)
    found = mean_losses(state, group, DATA, ("noisy",), num_batches=NUM_BATCHES)
    assert found.shape == (1, 2, 2)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])  # the loss of a VAE is the negative ELBO
    images = [np.asarray(views_of(group, DATA, jnp.asarray(step), 0)[0].images) for step in range(NUM_BATCHES)]
    x = np.concatenate(images).reshape(-1, 144).astype(np.float64)
    for member in range(2):
        weights = jax.tree.map(lambda leaf, m=member: np.asarray(leaf[m], np.float64), state.params.model)
        moments = dense(weights.encoder.layers, x)
        mean, log_variance = moments[:, :2], moments[:, 2:]
        pixels = dense(weights.decoder.layers, mean)
        kl = 0.5 * np.sum(mean**2 + np.exp(log_variance) - 1 - log_variance, axis=1)
        loss = np.mean(np.sum(np.logaddexp(0, pixels) - pixels * x, axis=1) + kl)
        assert found[0, 0, member] == pytest.approx(loss, rel=2e-3)


def dense(layers, x: np.ndarray) -> np.ndarray:
    for depth, layer in enumerate(layers):
        x = (x if depth == 0 else np.maximum(x, 0)) @ layer.weight + layer.bias
    return x


def test_noise_differs_between_batches_and_not_between_calls() -> None:
    group = grouped("dvae")
    state = initial_state(group)
    several = [mean_losses(state, group, DATA, ("noisy",), num_batches=num) for num in (2, 2, 1)]
    np.testing.assert_array_equal(several[0], several[1])
    assert (several[0] != several[2]).all()
    soft, noisy = mean_losses(state, group, DATA, ("soft", "noisy"), num_batches=2)
    np.testing.assert_array_equal(noisy, several[0][0])
    assert (soft != noisy).all()


def test_scores_of_a_run(tmp_path) -> None:
    run = fg.train(
        data="circles", model="dvae", seeds=2, steps=5, architecture="mlp", num_latents=2, num_categories=8,
        image_size=12, out=tmp_path / "run", quiet=True,
    )  # fmt: skip
    found = fg.evaluate(run, ["elbo", "posterior_entropy"], gap_batches=2)
    images, _ = run.dataset().draw(1000, 0)
    for member in range(2):
        model = run.model(member).autoencoder
        logs = np.asarray(model.posterior(jnp.asarray(images)).log_probabilities(), np.float64)
        entropy = -np.sum(np.exp(logs) * logs, axis=-1).mean()
        assert found["posterior_entropy"][member] == pytest.approx(entropy, rel=1e-4)
        assert 0 < entropy <= np.log(8)
    assert (found["elbo"] < 0).all()
    gaussian = dataclasses.replace(run, config=dataclasses.replace(run.config, model="vae"))
    with pytest.raises(fg.Error, match="'posterior_entropy' needs probabilities of categories"):
        fg.evaluate(gaussian, ["posterior_entropy"])
    assert SELECTORS["elbo"].higher_is_better
    assert not SELECTORS["posterior_entropy"].higher_is_better
