"""Dense layers each way, any image size: small and quick, for demonstrations and tests."""

import math

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from factorgrid.errors import Error
from factorgrid.layers import Dense
from factorgrid.layers.initializers import Initializer
from factorgrid.layers.product import rounded

WIDTH, DEPTH = 256, 3


class MLPEncoder(eqx.Module):
    """Flattened images -> posterior parameters."""

    layers: tuple[Dense, ...]

    def __call__(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]:
        return run_stack(self.layers, images.reshape(len(images), -1))


class MLPDecoder(eqx.Module):
    """Latents -> pixel logits."""

    layers: tuple[Dense, ...]
    image_shape: tuple[int, int, int] = eqx.field(static=True)

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]:
        return run_stack(self.layers, latents).reshape(len(latents), *self.image_shape)

    def activations(self, latents: Float[Array, "batch latent"]) -> tuple[Array, ...]:
        found, x = [], rounded(latents)
        for layer in self.layers[:-1]:
            x = layer(x, relu=True)
            found.append(x)
        return tuple(found)


def build_mlp(
    image_shape: tuple[int, int, int],
    num_parameters: int,
    num_latents: int,
    init: Initializer,
    key: Key[Array, ""],
    *,
    width: int = WIDTH,
    depth: int = DEPTH,
) -> tuple[MLPEncoder, MLPDecoder]:
    """Encoder and decoder of `depth` dense layers each, with `width` units between them.

    Raises:
        Error: a width or depth below 1.
    """
    if min(width, depth) < 1:
        raise Error(f"width and depth must be at least 1, got {width} and {depth}")
    key_encoder, key_decoder = jax.random.split(key)
    num_pixels, inner = math.prod(image_shape), (width,) * (depth - 1)
    encoder = MLPEncoder(dense_stack((num_pixels, *inner, num_parameters), init, key_encoder))
    return encoder, MLPDecoder(dense_stack((num_latents, *inner, num_pixels), init, key_decoder), image_shape)


def dense_stack(sizes: tuple[int, ...], init: Initializer, key: Key[Array, ""]) -> tuple[Dense, ...]:
    keys = jax.random.split(key, len(sizes) - 1)
    return tuple(Dense(sizes[i], sizes[i + 1], init=init, key=keys[i]) for i in range(len(keys)))


def run_stack(layers: tuple[Dense, ...], x: Float[Array, "batch input"]) -> Float[Array, "batch output"]:
    x = rounded(x)
    for layer in layers[:-1]:
        x = layer(x, relu=True)
    return layers[-1](x)
