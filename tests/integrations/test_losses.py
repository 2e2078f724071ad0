"""Losses for other trainers, on arrays whose losses can be worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.integrations import losses

ZEROS = jnp.zeros((4, 2))


def test_divergences_and_reconstruction():
    assert losses.gaussian_kl(ZEROS, ZEROS) == 0
    # per latent half the square of the mean
    assert losses.gaussian_kl(ZEROS + 2, ZEROS) == pytest.approx(2 * 2)
    assert losses.categorical_kl(jnp.zeros((4, 2, 8))) == pytest.approx(0, abs=1e-6)
    assert losses.categorical_kl(100 * jax.nn.one_hot(jnp.ones((4, 2), int), 8)) == pytest.approx(2 * np.log(8))
    assert losses.bernoulli_loss(jnp.zeros((4, 3, 3, 1)), jnp.ones((4, 3, 3, 1))) == pytest.approx(9 * np.log(2))
    with pytest.raises(Error, match="differ in shape"):
        losses.gaussian_kl(ZEROS, ZEROS[:, :1])


def test_total_correlations():
    coins = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]]).repeat(250, axis=0)
    apart = losses.pairwise_total_correlation(jax.nn.one_hot(coins, 2))
    same = losses.pairwise_total_correlation(jax.nn.one_hot(coins[:, [0, 0]], 2))
    assert apart == pytest.approx(0, abs=1e-3)
    assert same == pytest.approx(np.log(2), abs=1e-3)
    places = 4.0 * coins.astype(jnp.float32)
    narrow = jnp.full((1000, 2), -4.0)
    values = [losses.gaussian_total_correlation(mean, mean, narrow) for mean in (places, places[:, [0, 0]])]
    # the second knows of one coin what the other tells; the constants are the same
    assert values[1] - values[0] == pytest.approx(np.log(2), abs=1e-3)


def test_critic():
    sure = jnp.array([[3.0, 0.0]] * 4)
    assert losses.critic_total_correlation(lambda latents: sure, ZEROS) == pytest.approx(3)
    assert losses.critic_loss(sure, sure[:, ::-1]) == pytest.approx(np.log1p(np.exp(-3)), rel=1e-5)
    mixed = losses.shuffle(jnp.arange(8.0).reshape(4, 2), jax.random.key(0))
    assert sorted(mixed[:, 0].tolist()) == [0, 2, 4, 6]


def test_gap_and_gradients():
    assert losses.straight_through_gap(jnp.array(3.0), jnp.array(1.0)) == 2
    gradient = jax.jit(jax.grad(losses.categorical_kl))(jnp.array([[[1.0, 0.0]]]))
    assert gradient[0, 0, 0] > 0 > gradient[0, 0, 1]
