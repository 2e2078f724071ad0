"""The discriminator: what it is shown, what it learns, and where gradients go."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import log_softmax

from factorgrid.datasets import Batch
from factorgrid.latents import GaussianPosterior
from factorgrid.latents.plain import Plain
from factorgrid.models import Forward
from factorgrid.objectives import OBJECTIVES, Context
from factorgrid.objectives.factor_vae import shuffle, total_correlation

OBJECTIVE = OBJECTIVES["factor_vae"](gamma=10.0, width=64)
RNG = np.random.default_rng(0)
CODES = jnp.asarray(RNG.normal(size=(64, 3)), jnp.float32)


def passes_of(codes) -> tuple[Forward, ...]:
    return (Forward(GaussianPosterior(codes, jnp.zeros_like(codes)), codes, codes, jnp.zeros((len(codes), 2, 2, 1))),)


def critic_loss(network, codes, key):
    return OBJECTIVE.critic_loss(passes_of(codes), Context(None, network, key, jnp.asarray(0), 1))


def test_shuffling_permutes_each_column_on_its_own():
    shuffled = np.asarray(shuffle(CODES, jax.random.key(0)))
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(CODES, axis=0))
    orders = [[int(np.flatnonzero(np.asarray(CODES)[:, d] == value)[0]) for value in shuffled[:, d]] for d in range(3)]
    for a in range(3):
        assert orders[a] != list(range(64))
        assert all(orders[a] != orders[b] for b in range(a))


def test_shuffling_breaks_the_joint():
    line = jnp.repeat(jnp.linspace(-1.0, 1.0, 512)[:, None], 2, axis=1)
    assert abs(np.corrcoef(np.asarray(shuffle(line, jax.random.key(1))).T)[0, 1]) < 0.2


def test_discriminator_loss_is_half_of_each_cross_entropy():
    network = jax.tree.map(lambda leaf: leaf + 0.05, OBJECTIVE.init_critic(jax.random.key(0), Plain(3)))
    key = jax.random.key(3)
    loss = critic_loss(network, CODES, key)
    joint = log_softmax(np.asarray(network(CODES), np.float64), axis=1)
    shuffled = log_softmax(np.asarray(network(shuffle(CODES, key)), np.float64), axis=1)
    expected = -0.5 * joint[:, 0].mean() - 0.5 * shuffled[:, 1].mean()
    assert float(loss.total) == pytest.approx(expected, rel=1e-5)
    accuracy = 0.5 * np.mean(joint[:, 0] > joint[:, 1]) + 0.5 * np.mean(shuffled[:, 1] > shuffled[:, 0])
    assert float(loss.terms["discriminator_accuracy"]) == pytest.approx(accuracy, abs=1e-6)
    assert float(loss.terms["discriminator_loss"]) == float(loss.total)


def test_no_gradient_crosses_between_the_two_networks():
    network = OBJECTIVE.init_critic(jax.random.key(0), Plain(3))
    images = jnp.zeros((64, 2, 2, 1))

    def vae_loss(network, codes):
        batch = (Batch(images, jnp.zeros((64, 0), jnp.int32)),)
        context = Context(None, network, jax.random.key(0), jnp.asarray(0), 1)
        return OBJECTIVE.loss(passes_of(codes), batch, context).total

    def discriminator_loss(network, codes):
        return critic_loss(network, codes, jax.random.key(1)).total

    to_network, to_codes = jax.jit(jax.grad(vae_loss, argnums=(0, 1)))(network, CODES)
    assert all((np.asarray(leaf) == 0).all() for leaf in jax.tree.leaves(to_network))
    reaches = np.asarray(to_codes) - np.asarray(CODES) / 64  # less the KL's part
    assert (np.abs(reaches) > 0).all()  # the penalty reaches the encoder through the codes
    to_network, to_codes = jax.jit(jax.grad(discriminator_loss, argnums=(0, 1)))(network, CODES)
    assert (np.asarray(to_codes) == 0).all()
    assert all((np.asarray(leaf) != 0).any() for leaf in jax.tree.leaves(to_network))


@functools.partial(jax.jit, static_argnums=1)
def trained_estimate(correlation: jax.Array, num_steps: int) -> tuple[jax.Array, jax.Array]:
    """Total correlation of two Gaussians and the discriminator's accuracy, after training on fresh batches."""
    optimizer = optax.adam(1e-3, b1=0.5, b2=0.9)
    network = OBJECTIVE.init_critic(jax.random.key(0), Plain(2))

    def draw(key, num):
        first, second = jax.random.normal(key, (2, num))
        return jnp.stack([first, correlation * first + jnp.sqrt(1 - correlation**2) * second], axis=1)

    def step(i, carry):
        network, state = carry
        key_codes, key_shuffle = jax.random.split(jax.random.fold_in(jax.random.key(1), i))
        gradient = jax.grad(lambda net: critic_loss(net, draw(key_codes, 256), key_shuffle).total)(network)
        with jax.numpy_dtype_promotion("standard"):  # optax raises its decay rates to integer counts
            updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(network, updates), state

    network, _ = jax.lax.fori_loop(0, num_steps, step, (network, optimizer.init(network)))
    codes = draw(jax.random.key(2), 4096)
    accuracy = critic_loss(network, codes, jax.random.key(3)).terms["discriminator_accuracy"]
    return total_correlation(network, codes), accuracy


def test_total_correlation_of_a_trained_discriminator():
    """Of correlated Gaussians it is -log(1 - r^2) / 2 nats; of independent ones, nothing."""
    estimate, accuracy = trained_estimate(jnp.asarray(0.9), 600)
    assert float(estimate) == pytest.approx(-0.5 * np.log(1 - 0.9**2), abs=0.15)
    assert accuracy > 0.7
    estimate, accuracy = trained_estimate(jnp.asarray(0.0), 600)
    assert abs(float(estimate)) < 0.08
    assert abs(float(accuracy) - 0.5) < 0.05
