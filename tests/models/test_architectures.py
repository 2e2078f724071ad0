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
from factorgrid.models import ARCHITECTURES, Autoencoder, autoencoder
from factorgrid.models.broadcast import BroadcastDecoder
from factorgrid.objectives.factor_vae import FactorVAE
from factorgrid.training.weights import named_leaves

LATENTS = {"gaussian": Gaussian(10), "categorical": Categorical(10)}


def shapes_of(architecture: str, image_shape: tuple[int, int, int], latent: Latent) -> Autoencoder:
    """The model without its numbers: nothing is computed."""
    return eqx.filter_eval_shape(autoencoder, architecture, image_shape, latent, key=jax.random.key(0))


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
    assert num_parameters(shapes_of("conv64", (64, 64, channels), LATENTS[latent])) == count


def test_parameter_count_of_the_discriminator():
    discriminator = eqx.filter_eval_shape(FactorVAE().init_aux, jax.random.key(0), 10)
    assert num_parameters(discriminator) == 5_018_002


def test_parameter_counts_of_the_other_architectures():
    """By hand: kernels of 4 x 4 from 2 + 2 to 64, 64, 1 channels; three dense layers of 256 each way."""
    broadcast = shapes_of("broadcast", (64, 64, 1), Gaussian(2))
    assert num_parameters(broadcast.decoder) == 16 * (4 * 64 + 64 * 64 + 64) + 64 + 64 + 1
    encoder = shapes_of("conv64", (64, 64, 1), Gaussian(2)).encoder
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
    forward = eqx.filter_eval_shape(lambda model, x: model(x, jax.random.key(0), 1.0), model, images)
    assert forward.logits.shape == (5, *shape)
    assert forward.latents.shape == (5, 10)
    assert forward.choice.shape == ((5, 10) if latent == "gaussian" else (5, 10, 64))
    assert {leaf.dtype for leaf in jax.tree.leaves(forward)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("architecture", ["conv64", "broadcast"])
@pytest.mark.parametrize("shape", [(32, 32, 1), (64, 32, 3), (65, 65, 1)])
def test_images_of_another_size_are_refused(architecture, shape):
    with pytest.raises(Error, match=rf"'{architecture}' takes 64 x 64 images, got {shape[0]} x {shape[1]}; .*'mlp'"):
        shapes_of(architecture, shape, Gaussian(2))


def test_unknown_names_are_refused():
    with pytest.raises(Error, match="unknown architecture 'conv46'; did you mean 'conv64'"):
        autoencoder("conv46", (64, 64, 1), Gaussian(2), key=jax.random.key(0))
    with pytest.raises(Error, match="unknown initialiser 'glorrot'; did you mean 'glorot'"):
        autoencoder("mlp", (8, 8, 1), Gaussian(2), init="glorrot", key=jax.random.key(0))


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


def test_conv64_is_wired_as_in_the_paper():
    model = randomised(shapes_of("conv64", (64, 64, 1), Categorical(10)))
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


def test_broadcast_decoder_tiles_latents_beside_coordinates():
    """Channels: the latents, then x (left -1, right 1), then y (top -1, bottom 1)."""
    shapes = eqx.filter_eval_shape(
        lambda: BroadcastDecoder(3, 1, 64, init=lambda key, shape, *_: jnp.zeros(shape), key=jax.random.key(0))
    )
    decoder = randomised(shapes)
    latents = jnp.asarray([[0.3, -0.7, 2.0], [0.0, 1.0, -1.0]], jnp.float32)

    @jax.jit
    def both(decoder, latents):
        line = jnp.linspace(-1.0, 1.0, 64)
        x, y = jnp.broadcast_to(line[None, :], (64, 64)), jnp.broadcast_to(line[:, None], (64, 64))
        planes = [jnp.broadcast_to(latents[:, i, None, None], (2, 64, 64)) for i in range(3)]
        image = jnp.stack([*planes, jnp.broadcast_to(x, (2, 64, 64)), jnp.broadcast_to(y, (2, 64, 64))], axis=-1)
        for depth, layer in enumerate(decoder.convolutions):
            image = lax_conv(jnp.maximum(image, 0) if depth else image, layer, 1) + layer.bias
        return decoder(latents), image

    found, expected = both(decoder, latents)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * float(jnp.std(expected)))


# ------------------------------------------------------------------------------------- names in published weights
def test_names_of_published_arrays_are_stable():
    """Weights on disk are found by these names: renaming a field breaks every published model."""
    conv64 = [
        *(f"encoder.convolutions.{i}.{part}" for i in range(4) for part in ("weight", "bias")),
        *(f"encoder.{layer}.{part}" for layer in ("hidden", "output") for part in ("weight", "bias")),
        *(f"decoder.hidden.{i}.{part}" for i in range(2) for part in ("weight", "bias")),
        *(f"decoder.deconvolutions.{i}.{part}" for i in range(4) for part in ("weight", "bias")),
    ]
    assert list(named_leaves(shapes_of("conv64", (64, 64, 1), Categorical(10)))) == conv64
    broadcast = [*conv64[:12], *(f"decoder.convolutions.{i}.{part}" for i in range(3) for part in ("weight", "bias"))]
    assert list(named_leaves(shapes_of("broadcast", (64, 64, 1), Gaussian(2)))) == broadcast
    mlp = [
        f"{net}.layers.{i}.{part}" for net in ("encoder", "decoder") for i in range(3) for part in ("weight", "bias")
    ]
    assert list(named_leaves(shapes_of("mlp", (8, 8, 1), Gaussian(2)))) == mlp
    discriminator = eqx.filter_eval_shape(FactorVAE().init_aux, jax.random.key(0), 10)
    assert list(named_leaves(discriminator)) == [f"layers.{i}.{part}" for i in range(7) for part in ("weight", "bias")]
