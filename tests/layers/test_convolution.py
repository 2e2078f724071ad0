"""Convolutions equal `jax.lax`'s in float64, forward and gradient, on every shape that the networks use and others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from factorgrid.layers import INITIALIZERS, Conv, ConvTranspose, unit_stride, winograd
from factorgrid.layers.convolution import PADDED_BLOCKS
from factorgrid.layers.product import products_in

INIT = INITIALIZERS["truncated_normal"]
DIMENSIONS = ("NHWC", "HWIO", "NHWC")
SLOW_COMPILER = settings(max_examples=10, deadline=None, derandomize=True, database=None)

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


def assert_same_function(make, reference, shape: tuple[int, ...], seed: int = 0, call=None) -> None:
    """Outputs and gradients by weights, bias and inputs are equal for random numbers, a random bias included.

    One compilation; the numbers come from NumPy, since every new shape would compile a generator.
    """
    rng = np.random.default_rng(seed)
    layer = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), jax.eval_shape(make))
    x = rng.normal(size=shape)
    cotangent = rng.normal(size=jax.eval_shape(reference, layer, x).shape)

    def with_gradients(fn, layer, x):
        out, pull = jax.vjp(fn, layer, x)
        return out, pull(cotangent)

    def both(layer, x):
        return with_gradients(call or (lambda layer, x: layer(x)), layer, x), with_gradients(reference, layer, x)

    found, expected = jax.jit(both)(layer, x)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
        assert a.dtype == b.dtype == jnp.float64
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def with_relu(make):
    """The layer and the reference, each with a ReLU: the layer's is part of its operation."""
    return lambda layer, x: layer(x, relu=True), lambda layer, x: jax.nn.relu(make(layer, x))


def conv(inputs: int, outputs: int, kernel: int, stride: int) -> Conv:
    return Conv(inputs, outputs, kernel=kernel, stride=stride, init=INIT, key=jax.random.key(0))


def conv_transpose(inputs: int, outputs: int) -> ConvTranspose:
    return ConvTranspose(inputs, outputs, init=INIT, key=jax.random.key(0))


@pytest.mark.parametrize("shape", CONVOLUTIONS, ids=str)
def test_convolutions_of_the_networks_equal_lax(shape):
    height, width, inputs, outputs, kernel, stride = shape
    with jax.enable_x64(True):
        assert_same_function(lambda: conv(inputs, outputs, kernel, stride), lax_conv, (1, height, width, inputs))


@pytest.mark.parametrize("shape", TRANSPOSED, ids=str)
def test_transposed_convolutions_of_the_networks_equal_lax(shape):
    height, width, inputs, outputs = shape
    with jax.enable_x64(True):
        assert_same_function(lambda: conv_transpose(inputs, outputs), lax_conv_transpose, (1, height, width, inputs))


@pytest.mark.parametrize("shape", [(8, 8, 1, 32, 4, 2), (8, 8, 8, 8, 4, 2), (8, 8, 4, 8, 2, 2), (8, 8, 2, 8, 4, 1)])
def test_a_layer_with_its_relu(shape):
    height, width, inputs, outputs, kernel, stride = shape
    call, reference = with_relu(lax_conv)
    with jax.enable_x64(True):
        assert_same_function(
            lambda: conv(inputs, outputs, kernel, stride), reference, (2, height, width, inputs), 0, call
        )
        call, reference = with_relu(lax_conv_transpose)
        assert_same_function(lambda: conv_transpose(inputs, outputs), reference, (2, height, width, inputs), 0, call)


@pytest.mark.parametrize("relu", [False, True])
def test_blocks_handed_over_are_those_of_the_padded_outputs(relu):
    def pixels(layer, x):
        out = lax_conv(layer, x)
        return PADDED_BLOCKS.forward(jax.nn.relu(out) if relu else out)

    with jax.enable_x64(True):
        assert_same_function(
            lambda: conv(1, 8, 4, 2), pixels, (2, 12, 8, 1), 0, lambda layer, x: layer.to_blocks(x, relu=relu)
        )


@pytest.mark.parametrize("make", [lambda: conv(1, 32, 4, 2), lambda: conv(16, 16, 4, 2), lambda: conv(8, 16, 2, 2),
                                  lambda: conv(3, 16, 4, 1), lambda: conv(16, 16, 4, 1), lambda: conv(16, 1, 4, 1),
                                  lambda: conv_transpose(16, 16), lambda: conv_transpose(16, 1)])  # fmt: skip
def test_layers_in_bfloat16(make):
    """Activations and their gradients have sixteen bits, sums and weights' gradients not; all are near float32's."""
    rng = np.random.default_rng(0)
    layer = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), jnp.float32), jax.eval_shape(make))
    x = jnp.asarray(rng.normal(size=(2, 8, 8, layer.weight.shape[2])), jnp.float32)

    def gradients(x, precision):
        with products_in(precision):
            out, pull = jax.vjp(lambda layer, x: layer(x), layer, x)
        return out, *pull((jnp.arange(out.size) % 7 - 2).reshape(out.shape).astype(out.dtype))

    (out, of_layer, of_x), expected = (
        jax.jit(gradients, static_argnums=1)(x.astype(dtype), precision)
        for dtype, precision in ((jnp.bfloat16, "bfloat16"), (jnp.float32, "float32"))
    )
    assert (out.dtype, of_x.dtype) == (jnp.float32, jnp.bfloat16)
    assert of_layer.weight.dtype == of_layer.bias.dtype == jnp.float32
    with products_in("bfloat16"):
        assert jax.eval_shape(lambda: layer(x.astype(jnp.bfloat16), relu=True)).dtype == jnp.bfloat16
    for found, wanted in zip(jax.tree.leaves((out, of_layer, of_x)), jax.tree.leaves(expected)):
        error = np.asarray(found, np.float32) - np.asarray(wanted)
        assert np.sqrt(np.mean(error**2)) < 0.006 * np.sqrt(np.mean(np.square(wanted)))


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
        shape = (batch, 2 * half[0], 2 * half[1], inputs)
        assert_same_function(lambda: conv(inputs, outputs, kernel, stride), lax_conv, shape, seed)


@pytest.mark.parametrize("shape", [(3, 8, 12, 16, 17), (2, 7, 10, 20, 16), (1, 1, 2, 16, 16)], ids=str)
def test_tiles_equal_lax(shape):
    """Sizes that are no multiple of a tile are padded and cropped."""
    batch, height, width, inputs, outputs = shape
    with jax.enable_x64(True):
        assert_same_function(lambda: conv(inputs, outputs, 4, 1), lax_conv, (batch, height, width, inputs))


def test_tiles_of_one_image_and_of_several_are_the_same(monkeypatch):
    """A group of images is a matter of speed only."""
    monkeypatch.setattr(winograd, "GROUP_SIZE", 2 * 8 * 8 * 16)
    with jax.enable_x64(True):
        assert_same_function(lambda: conv(16, 16, 4, 1), lax_conv, (6, 8, 8, 16))


def test_rounding_of_tiles():
    """Root mean square error in float32, in standard deviations of the results; TF32 would have 5e-4."""
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=(4, 4, 64, 64)), np.maximum(rng.normal(size=(2, 32, 32, 64)), 0)
    found = winograd.convolve_by_tiles(jnp.asarray(x, jnp.float32), jnp.asarray(weight, jnp.float32))
    with jax.enable_x64(True):
        expected = np.asarray(lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=DIMENSIONS))
    assert np.sqrt(np.mean((np.asarray(found) - expected) ** 2)) < 3e-6 * np.std(expected)


def test_bfloat16_and_narrow_layers_take_no_tiles(monkeypatch):
    """Evaluating at points would lose bfloat16's few digits."""
    monkeypatch.setattr(unit_stride, "convolve_by_tiles", lambda *_: pytest.fail("tiles"))
    x = jax.ShapeDtypeStruct((1, 8, 8, 16), jnp.float32)
    with products_in("bfloat16"):
        jax.eval_shape(lambda x: conv(16, 16, 4, 1)(x), x)
    jax.eval_shape(lambda x: conv(8, 16, 4, 1)(x[..., :8]), x)
    with pytest.raises(pytest.fail.Exception, match="tiles"):
        jax.eval_shape(lambda x: conv(16, 16, 4, 1)(x), x)


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
        shape = (batch, *size, inputs)
        assert_same_function(lambda: conv_transpose(inputs, outputs), lax_conv_transpose, shape, seed)


def test_an_input_of_the_transposed_convolution_reaches_four_outputs():
    """Input i touches outputs 2i-1 .. 2i+2, tap k the k-th of them: torch's ConvTranspose2d(4, stride=2, padding=1)."""
    layer = conv_transpose(1, 1)
    kernel = layer.weight[:, :, 0, 0]
    out = layer(jnp.zeros((1, 5, 6, 1)).at[0, 2, 3, 0].set(1.0))[0, :, :, 0]
    expected = np.zeros((10, 12))
    expected[3:7, 5:9] = kernel
    np.testing.assert_allclose(out, expected, atol=1e-7)
    corner = layer(jnp.zeros((1, 5, 6, 1)).at[0, 0, 5, 0].set(1.0))[0, :, :, 0]
    expected = np.zeros((10, 12))
    expected[0:3, 9:12] = kernel[1:, :3]  # what falls off the image is cut
    np.testing.assert_allclose(corner, expected, atol=1e-7)


@pytest.mark.parametrize("kind", [(2, 2), (4, 2), (4, 1), "tiles", "transposed"], ids=str)
@pytest.mark.parametrize("shared", [True, False])
def test_members_together_equal_members_alone(kind, shared):
    """vmap over weights, as a group trains: equal to one member after the other, with shared and with own images."""
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        inputs = 16 if kind == "tiles" else 3
        make = {"transposed": lambda: conv_transpose(3, 4), "tiles": lambda: conv(16, 16, 4, 1)}
        like = jax.eval_shape(make.get(kind, lambda: conv(3, 4, *kind)))
        layers = jax.tree.map(lambda leaf: rng.normal(size=(3, *leaf.shape)), like)
        images = rng.normal(size=(2, 8, 6, inputs) if shared else (3, 2, 8, 6, inputs))

        def run(layer, x):
            return layer(x), jax.grad(lambda layer: jnp.sum(layer(x) ** 3))(layer)

        together = jax.jit(jax.vmap(run, in_axes=(0, None if shared else 0)))(layers, images)
        alone = jax.jit(run)
        for member in range(3):
            layer = jax.tree.map(lambda leaf, member=member: leaf[member], layers)
            expected = alone(layer, images if shared else images[member])
            for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(expected)):
                np.testing.assert_allclose(a[member], b, rtol=1e-9, atol=1e-9)


def test_double_precision_does_not_leak_out_of_these_tests():
    assert jnp.zeros(1).dtype == jnp.float32
