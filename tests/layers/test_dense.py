"""The dense layer, and how weights begin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from factorgrid.layers import INITIALIZERS, Conv, ConvTranspose, Dense

# (layer, fan_in, fan_out): the rule of Haiku 0.0.10, kernel area times input channels for both kinds of convolution
LAYERS = {
    "dense": (lambda init, key: Dense(300, 200, init=init, key=key), 300, 200),
    "conv": (lambda init, key: Conv(32, 64, kernel=4, stride=2, init=init, key=key), 16 * 32, 16 * 64),
    "transposed": (lambda init, key: ConvTranspose(64, 32, init=init, key=key), 16 * 64, 16 * 32),
}


def test_dense_is_a_product_and_a_sum():
    layer = Dense(3, 2, init=INITIALIZERS["glorot"], key=jax.random.key(0))
    layer = jax.tree.map(lambda leaf: leaf + 0.5, layer)
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    expected = np.einsum("abi,io->abo", x, np.asarray(layer.weight)) + np.asarray(layer.bias)
    np.testing.assert_allclose(layer(jnp.asarray(x)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_truncated_normal_weights(name):
    """Cut at two nominal standard deviations of 1/sqrt(fan_in), uncorrected: the actual one is 0.88 of it."""
    make, fan_in, _ = LAYERS[name]
    layer = make(INITIALIZERS["truncated_normal"], jax.random.key(0))
    weights = np.asarray(layer.weight, np.float64).ravel() * np.sqrt(fan_in)
    assert np.abs(weights).max() <= 2 + 1e-6
    assert np.abs(weights).max() > 1.99
    assert stats.kstest(weights, stats.truncnorm(-2, 2).cdf).pvalue > 1e-3
    assert weights.std() == pytest.approx(stats.truncnorm(-2, 2).std(), rel=0.01)
    assert stats.truncnorm(-2, 2).std() == pytest.approx(0.88, abs=0.001)
    assert not np.asarray(layer.bias).any()


@pytest.mark.parametrize("name", LAYERS)
def test_glorot_weights(name):
    """Uniform within sqrt(6 / (fan_in + fan_out)): TensorFlow's default."""
    make, fan_in, fan_out = LAYERS[name]
    layer = make(INITIALIZERS["glorot"], jax.random.key(0))
    weights = np.asarray(layer.weight, np.float64).ravel() / np.sqrt(6 / (fan_in + fan_out))
    assert 0.999 < np.abs(weights).max() <= 1 + 1e-6
    assert stats.kstest(weights, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert not np.asarray(layer.bias).any()
