"""The paper's networks: their sizes, their wiring against `jax.lax`, and what they refuse."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from factorgrid.errors import Error
from factorgrid.latents import Categorical, Gaussian, Latent
from factorgrid.latents.plain import Plain
from factorgrid.layers import INITIALIZERS
from factorgrid.models import ARCHITECTURES, Autoencoder, fresh_autoencoder
from factorgrid.models.broadcast import BroadcastDecoder
from factorgrid.objectives.factor_vae import FactorVAE
from factorgrid.training.weights import named_leaves

SIZES = [(32, 32), (64, 64), (96, 96), (128, 128), (256, 256), (48, 64), (160, 32), (144, 80), (28, 28)]
CONVOLUTIONAL = ("convolutional", "conv64", "broadcast")
LATENTS = {"gaussian": Gaussian(10), "categorical": Categorical(10)}


def shapes_of(architecture: str, image_shape: tuple[int, int, int], latent: Latent) -> Autoencoder:
    """The model without its numbers: nothing is computed."""
    return eqx.filter_eval_shape(fresh_autoencoder, architecture, image_shape, latent, key=jax.random.key(0))


def networks_of(architecture: str, image_shape: tuple[int, int, int], **options):
    """(encoder, decoder) for two latents, without their numbers."""
    build, init = ARCHITECTURES[architecture].build, INITIALIZERS["glorot"]
    return eqx.filter_eval_shape(lambda key: build(image_shape, 4, 2, init, key, **options), jax.random.key(0))


def num_parameters(tree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))


# Counted once on the authors' released networks; the grid of the D-VAE is a constant and does not count.
@pytest.mark.parametrize(
    ("latent", "channels", "count"),
    [
        ("gaussian", 1, 690_517),
        ("gaussian", 3, 692_567),
        ("categorical", 1, 849_857),
        ("categorical", 3, 851_907),
    ],
)
def test_parameter_counts_of_the_paper(latent, channels, count):
    assert num_parameters(shapes_of("convolutional", (64, 64, channels), LATENTS[latent])) == count


def test_parameter_count_of_the_discriminator():
    discriminator = eqx.filter_eval_shape(FactorVAE().init_critic, jax.random.key(0), Plain(10))
    assert num_parameters(discriminator) == 5_018_002


def test_parameter_counts_of_the_other_architectures():
    """By hand: kernels of 4 x 4 from 2 + 2 to 64, 64, 1 channels; three dense layers of 256 each way."""
    broadcast = shapes_of("broadcast", (64, 64, 1), Gaussian(2))
    assert num_parameters(broadcast.decoder) == 16 * (4 * 64 + 64 * 64 + 64) + 64 + 64 + 1
    encoder = shapes_of("convolutional", (64, 64, 1), Gaussian(2)).encoder
    assert num_parameters(broadcast.encoder) == num_parameters(encoder)
    mlp = shapes_of("mlp", (8, 9, 3), Gaussian(2))
    assert num_parameters(mlp.encoder) == (216 + 1) * 256 + (256 + 1) * 256 + (256 + 1) * 4
    assert num_parameters(mlp.decoder) == (2 + 1) * 256 + (256 + 1) * 256 + (256 + 1) * 216


@pytest.mark.parametrize("latent", LATENTS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shapes_of_a_forward_pass(architecture, channels, latent):
    shape = (8, 12, channels) if architecture == "mlp" else (64, 64, channels)
    model = shapes_of(architecture, shape, LATENTS[latent])
    images = jax.ShapeDtypeStruct((5, *shape), jnp.float32)
    forward = eqx.filter_eval_shape(lambda model, x: model.forward(x, "noisy", jax.random.key(0), 1.0), model, images)
    assert forward.logits.shape == (5, *shape)
    assert forward.latents.shape == (5, 10)
    assert forward.choice.shape == ((5, 10) if latent == "gaussian" else (5, 10, 64))
    assert {leaf.dtype for leaf in jax.tree.leaves(forward)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("architecture", CONVOLUTIONAL)
def test_shapes_at_every_size(architecture, size):
    encoder, decoder = networks_of(architecture, (*size, 3))
    images = jax.ShapeDtypeStruct((2, *size, 3), jnp.float32)
    parameters = eqx.filter_eval_shape(lambda encoder, x: encoder(x), encoder, images)
    assert (parameters.shape, parameters.dtype) == ((2, 4), jnp.float32)
    latents = jax.ShapeDtypeStruct((2, 2), jnp.float32)
    logits = eqx.filter_eval_shape(lambda decoder, x: decoder(x), decoder, latents)
    assert (logits.shape, logits.dtype) == ((2, *size, 3), jnp.float32)


@pytest.mark.parametrize(("side", "depth"), [(16, 2), (32, 3), (64, 4), (96, 4), (128, 5), (144, 4), (256, 6), (28, 2)])
def test_images_are_halved_to_four_pixels_or_a_little_more(side, depth):
    encoder, decoder = networks_of("convolutional", (side, 2 * side, 1))
    assert len(encoder.convolutions) == len(decoder.deconvolutions) == depth
    assert decoder.smallest == (side / 2**depth, 2 * side / 2**depth)


def test_width_and_depth_are_options():
    """By hand: 4 x 4 kernels from 1 to 8 to 8 channels, 2 x 2 ones to 16; then 8 x 8 x 16 inputs."""
    encoder, decoder = networks_of("convolutional", (64, 64, 1), width=8, depth=3)
    assert num_parameters(encoder) == (16 + 1) * 8 + (128 + 1) * 8 + (32 + 1) * 16 + 1025 * 256 + 257 * 4
    assert num_parameters(decoder) == 3 * 256 + 257 * 1024 + (256 * 8 + 8) + (128 * 8 + 8) + (128 + 1)
    _, decoder = networks_of("broadcast", (32, 48, 1), width=8)
    assert num_parameters(decoder) == (64 * 8 + 8) + (128 * 8 + 8) + (128 + 1)
    encoder, _ = networks_of("mlp", (8, 8, 1), width=5, depth=2)
    assert num_parameters(encoder) == 65 * 5 + 6 * 4


@pytest.mark.parametrize("architecture", ["convolutional", "broadcast"])
@pytest.mark.parametrize("size", [(64, 66), (12, 64), (65, 65), (8, 8)])
def test_sizes_that_do_not_fit_are_refused(architecture, size):
    with pytest.raises(Error, match=rf"multiples of 4 and at least 16, got {size[0]} x {size[1]}; .*'mlp'"):
        networks_of(architecture, (*size, 1))


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("convolutional", {"depth": 5}, r"depth must be within 2..4 for images of 64 x 64 pixels, got 5"),
        ("convolutional", {"depth": 1}, "within 2..4"),
        ("convolutional", {"width": 0}, "width must be at least 1, got 0"),
        ("broadcast", {"width": 0}, "width must be at least 1, got 0"),
        ("mlp", {"depth": 0}, "width and depth must be at least 1, got 256 and 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(architecture, options, message):
    with pytest.raises(Error, match=message):
        networks_of(architecture, (64, 64, 1), **options)


@pytest.mark.parametrize("architecture", ["convolutional", "broadcast", "mlp"])
def test_gradients_are_finite_and_of_one_type(architecture):
    """Not square, and no type is promoted in silence."""
    with jax.numpy_dtype_promotion("strict"):
        model = randomised(shapes_of(architecture, (16, 24, 3), Gaussian(3)))
        images = jnp.full((2, 16, 24, 3), 0.3)

        @eqx.filter_jit
        def gradient(model):
            return eqx.filter_grad(
                lambda model: jnp.mean(model.forward(images, "noisy", jax.random.key(1), 1.0).logits ** 2)
            )(model)

        leaves = jax.tree.leaves(gradient(model))
    assert {leaf.dtype for leaf in leaves} == {jnp.dtype("float32")}
    assert all(jnp.isfinite(leaf).all() and leaf.any() for leaf in leaves)


def test_unknown_names_are_refused():
    with pytest.raises(Error, match="unknown architecture 'broadcasts'; did you mean 'broadcast'"):
        fresh_autoencoder("broadcasts", (64, 64, 1), Gaussian(2), key=jax.random.key(0))
    with pytest.raises(Error, match="unknown initialiser 'glorrot'; did you mean 'glorot'"):
        fresh_autoencoder("mlp", (8, 8, 1), Gaussian(2), init="glorrot", key=jax.random.key(0))


# ------------------------------------------------------------------------------------------------------- wiring
def lax_conv(x: jax.Array, layer, stride: int) -> jax.Array:
    return lax.conv_general_dilated(x, layer.weight, (stride,) * 2, "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def randomised(tree):
    """Biases begin at zero, so give every leaf new numbers, of the same size as before."""
    rng = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(
            rng.normal(size=leaf.shape) / np.sqrt(max(1, leaf.size // leaf.shape[-1])), leaf.dtype
        ),
        tree,
    )


def lax_encoder(encoder, images: jax.Array) -> jax.Array:
    """Table 2 of the paper: strides of 2, ReLU after all but the last layer, flattened row by row, channels last."""
    x = images
    for layer in encoder.convolutions:
        x = jnp.maximum(lax_conv(x, layer, 2) + layer.bias, 0)
    assert x.shape[1:] == (4, 4, 64)
    x = jnp.maximum(x.reshape(len(x), 1024) @ encoder.hidden.weight + encoder.hidden.bias, 0)
    return x @ encoder.output.weight + encoder.output.bias


def lax_decoder(decoder, latents: jax.Array) -> jax.Array:
    x = latents
    for layer in decoder.hidden:
        x = jnp.maximum(x @ layer.weight + layer.bias, 0)
    x = x.reshape(len(x), 4, 4, 64)
    for depth, layer in enumerate(decoder.deconvolutions):
        if depth:
            x = jnp.maximum(x, 0)
        x = layer.bias + lax.conv_general_dilated(
            x,
            layer.weight[::-1, ::-1],
            (1, 1),
            [(2, 2), (2, 2)],
            lhs_dilation=(2, 2),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
    return x


def test_the_convolutional_networks_are_wired_as_in_the_paper():
    model = randomised(shapes_of("convolutional", (64, 64, 1), Categorical(10)))
    rng = np.random.default_rng(1)
    images = jnp.asarray(rng.random((2, 64, 64, 1)), jnp.float32)
    latents = jnp.asarray(rng.normal(size=(2, 10)), jnp.float32)

    @jax.jit
    def both(model, images, latents):
        return (model.encoder(images), model.decoder(latents)), (
            lax_encoder(model.encoder, images),
            lax_decoder(model.decoder, latents),
        )

    found, expected = both(model, images, latents)
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4 * float(jnp.std(b)))


@pytest.mark.parametrize("size", [(64, 64), (17, 30), (2, 3)])
def test_broadcast_decoder_tiles_latents_beside_coordinates(size):
    """Channels: the latents, then x (left -1, right 1), then y (top -1, bottom 1); forward and gradients."""
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        shapes = eqx.filter_eval_shape(
            lambda: BroadcastDecoder(3, (*size, 2), width=16, init=INITIALIZERS["glorot"], key=jax.random.key(0))
        )
        decoder = jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes)
        latents = jnp.asarray(rng.normal(size=(2, 3)))

        def plain(decoder, latents):
            x = jnp.broadcast_to(jnp.linspace(-1.0, 1.0, size[1])[None, :], size)
            y = jnp.broadcast_to(jnp.linspace(-1.0, 1.0, size[0])[:, None], size)
            planes = [jnp.broadcast_to(latents[:, i, None, None], (2, *size)) for i in range(3)]
            image = jnp.stack([*planes, jnp.broadcast_to(x, (2, *size)), jnp.broadcast_to(y, (2, *size))], axis=-1)
            for depth, layer in enumerate(decoder.convolutions):
                image = lax_conv(jnp.maximum(image, 0) if depth else image, layer, 1) + layer.bias
            return image

        @jax.jit
        def both(decoder, latents):
            weights = jnp.asarray(rng.normal(size=(2, *size, 2)))
            return tuple(
                (
                    fn(decoder, latents),
                    jax.grad(lambda *args, fn=fn: jnp.sum(weights * fn(*args)), (0, 1))(decoder, latents),
                )
                for fn in (lambda decoder, latents: decoder(latents), plain)
            )

        found, expected = both(decoder, latents)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * float(jnp.abs(b).max()))


# ------------------------------------------------------------------------------------- names in published weights
def test_names_of_published_arrays_are_stable():
    """Weights on disk are found by these names: renaming a field breaks every published model."""
    convolutional = [
        *(f"encoder.convolutions.{i}.{part}" for i in range(4) for part in ("weight", "bias")),
        *(f"encoder.{layer}.{part}" for layer in ("hidden", "output") for part in ("weight", "bias")),
        *(f"decoder.hidden.{i}.{part}" for i in range(2) for part in ("weight", "bias")),
        *(f"decoder.deconvolutions.{i}.{part}" for i in range(4) for part in ("weight", "bias")),
    ]
    for name in ("convolutional", "conv64"):
        assert list(named_leaves(shapes_of(name, (64, 64, 1), Categorical(10)))) == convolutional
    broadcast = [
        *convolutional[:12],
        *(f"decoder.convolutions.{i}.{part}" for i in range(3) for part in ("weight", "bias")),
    ]
    assert list(named_leaves(shapes_of("broadcast", (64, 64, 1), Gaussian(2)))) == broadcast
    mlp = [
        f"{net}.layers.{i}.{part}" for net in ("encoder", "decoder") for i in range(3) for part in ("weight", "bias")
    ]
    assert list(named_leaves(shapes_of("mlp", (8, 8, 1), Gaussian(2)))) == mlp
    discriminator = eqx.filter_eval_shape(FactorVAE().init_critic, jax.random.key(0), Plain(10))
    assert list(named_leaves(discriminator)) == [f"layers.{i}.{part}" for i in range(7) for part in ("weight", "bias")]
