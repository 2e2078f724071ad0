"""Convolutions equal `jax.lax`'s in float64, forward and gradient, on every shape that the networks use and others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from factorgrid.layers import INITIALIZERS, Conv, ConvTranspose

INIT = INITIALIZERS["truncated_normal"]
DIMENSIONS = ("NHWC", "HWIO", "NHWC")
SLOW_COMPILER = settings(max_examples=12, deadline=None, derandomize=True, database=None)

# (height, width, inputs, outputs, kernel, stride): the encoder of Table 2 for grey and colour images, the broadcast
# decoder of Table 3 with two latents
CONVOLUTIONS = [
    (64, 64, 1, 32, 4, 2),
    (64, 64, 3, 32, 4, 2),
    (32, 32, 32, 32, 4, 2),
    (16, 16, 32, 64, 2, 2),
    (8, 8, 64, 64, 2, 2),
    (64, 64, 4, 64, 4, 1),
    (64, 64, 64, 64, 4, 1),
    (64, 64, 64, 3, 4, 1),
]
# (height, width, inputs, outputs): the decoder of Table 2
TRANSPOSED = [(4, 4, 64, 64), (8, 8, 64, 32), (16, 16, 32, 32), (32, 32, 32, 1), (32, 32, 32, 3)]


def lax_conv(layer: Conv, x: jax.Array) -> jax.Array:
    strides = (layer.stride, layer.stride)
    return lax.conv_general_dilated(x, layer.weight, strides, "SAME", dimension_numbers=DIMENSIONS) + layer.bias


def lax_conv_transpose(layer: ConvTranspose, x: jax.Array) -> jax.Array:
    """out[o] = sum_i x[i] w[o - 2i + 1]: a correlation of x, spread out, with the kernel turned round."""
    turned = layer.weight[::-1, ::-1]
    spread = lax.conv_general_dilated(
        x, turned, (1, 1), [(2, 2), (2, 2)], lhs_dilation=(2, 2), dimension_numbers=DIMENSIONS
    )
    return spread + layer.bias


def assert_same_function(layer, reference, shape: tuple[int, ...], seed: int = 0) -> None:
    """Outputs and gradients by weights, bias and inputs are equal for random numbers, a random bias included."""
    key_x, key_bias, key_out = jax.random.split(jax.random.key(seed), 3)
    x = jax.random.normal(key_x, shape)
    layer = jax.tree.map(lambda leaf: leaf + jax.random.normal(key_bias, leaf.shape) / 4, layer)
    assert x.dtype == layer.weight.dtype == layer.bias.dtype == jnp.float64

    def with_gradients(fn):
        def run(layer, x):
            out, pull = jax.vjp(fn, layer, x)
            return out, pull(jax.random.normal(key_out, out.shape))

        return jax.jit(run)(layer, x)

    found, expected = with_gradients(lambda layer, x: layer(x)), with_gradients(reference)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("shape", CONVOLUTIONS, ids=str)
def test_convolutions_of_the_networks_equal_lax(shape):
    height, width, inputs, outputs, kernel, stride = shape
    with jax.enable_x64(True):
        layer = Conv(inputs, outputs, kernel=kernel, stride=stride, init=INIT, key=jax.random.key(1))
        assert_same_function(layer, lax_conv, (2, height, width, inputs))


@pytest.mark.parametrize("shape", TRANSPOSED, ids=str)
def test_transposed_convolutions_of_the_networks_equal_lax(shape):
    height, width, inputs, outputs = shape
    with jax.enable_x64(True):
        layer = ConvTranspose(inputs, outputs, init=INIT, key=jax.random.key(1))
        assert_same_function(layer, lax_conv_transpose, (2, height, width, inputs))


sizes, channels = st.integers(1, 6), st.integers(1, 4)


@SLOW_COMPILER
@given(
    batch=st.integers(1, 3),
    half=st.tuples(sizes, sizes),
    inputs=channels,
    outputs=channels,
    kind=st.sampled_from([(2, 2), (4, 2), (1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]),
    seed=st.integers(0, 2**20),
)
def test_any_convolution_equals_lax(batch, half, inputs, outputs, kind, seed):
    kernel, stride = kind
    with jax.enable_x64(True):
        layer = Conv(inputs, outputs, kernel=kernel, stride=stride, init=INIT, key=jax.random.key(seed))
        assert_same_function(layer, lax_conv, (batch, 2 * half[0], 2 * half[1], inputs), seed)


@SLOW_COMPILER
@given(
    batch=st.integers(1, 3),
    size=st.tuples(sizes, sizes),
    inputs=channels,
    outputs=channels,
    seed=st.integers(0, 2**20),
)
def test_any_transposed_convolution_equals_lax(batch, size, inputs, outputs, seed):
    with jax.enable_x64(True):
        layer = ConvTranspose(inputs, outputs, init=INIT, key=jax.random.key(seed))
        assert_same_function(layer, lax_conv_transpose, (batch, *size, inputs), seed)


def test_an_input_of_the_transposed_convolution_reaches_four_outputs():
    """Input i touches outputs 2i-1 .. 2i+2, tap k the k-th of them: torch's ConvTranspose2d(4, stride=2, padding=1)."""
    layer = ConvTranspose(1, 1, init=INIT, key=jax.random.key(0))
    kernel = layer.weight[:, :, 0, 0]
    out = layer(jnp.zeros((1, 5, 6, 1)).at[0, 2, 3, 0].set(1.0))[0, :, :, 0]
    expected = np.zeros((10, 12))
    expected[3:7, 5:9] = kernel
    np.testing.assert_allclose(out, expected, atol=1e-7)
    corner = layer(jnp.zeros((1, 5, 6, 1)).at[0, 0, 5, 0].set(1.0))[0, :, :, 0]
    expected = np.zeros((10, 12))
    expected[0:3, 9:12] = kernel[1:, :3]  # what falls off the image is cut
    np.testing.assert_allclose(corner, expected, atol=1e-7)


@pytest.mark.parametrize("kind", ["2x2 stride 2", "4x4 stride 2", "4x4 stride 1", "transposed"])
def test_members_together_equal_members_alone(kind):
    """vmap over weights, as a group trains: equal to one member after the other, with shared and with own images."""
    makers = {
        "2x2 stride 2": lambda key: Conv(3, 4, kernel=2, stride=2, init=INIT, key=key),
        "4x4 stride 2": lambda key: Conv(3, 4, kernel=4, stride=2, init=INIT, key=key),
        "4x4 stride 1": lambda key: Conv(3, 4, kernel=4, stride=1, init=INIT, key=key),
        "transposed": lambda key: ConvTranspose(3, 4, init=INIT, key=key),
    }
    with jax.enable_x64(True):
        layers = jax.vmap(makers[kind])(jax.random.split(jax.random.key(0), 3))
        own = jax.random.normal(jax.random.key(1), (3, 2, 8, 6, 3))
        gradient = jax.grad(lambda layer, x: jnp.sum(layer(x) ** 3))
        for axis, images in ((0, own), (None, own[0])):
            out = jax.vmap(lambda layer, x: layer(x), in_axes=(0, axis))(layers, images)
            gradients = jax.vmap(gradient, in_axes=(0, axis))(layers, images)
            for member in range(3):
                layer = jax.tree.map(lambda leaf, member=member: leaf[member], layers)
                x = images if axis is None else images[member]
                np.testing.assert_allclose(out[member], layer(x), rtol=1e-12, atol=1e-12)
                alone = gradient(layer, x)
                np.testing.assert_allclose(gradients.weight[member], alone.weight, rtol=1e-10, atol=1e-10)
                np.testing.assert_allclose(gradients.bias[member], alone.bias, rtol=1e-10, atol=1e-10)


def test_double_precision_does_not_leak_out_of_these_tests():
    assert jnp.zeros(1).dtype == jnp.float32
