"""Three dense layers each way, any image size: small and quick, for demonstrations and tests."""

import math

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from factorgrid.layers import Dense
from factorgrid.layers.initializers import Initializer

WIDTH = 256


class MLPEncoder(eqx.Module):
    """Flattened images -> posterior parameters."""

    layers: tuple[Dense, Dense, Dense]

    def __init__(self, num_pixels: int, num_outputs: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        self.layers = dense_stack((num_pixels, WIDTH, WIDTH, num_outputs), init, key)

    def __call__(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]:
        return run_stack(self.layers, images.reshape(len(images), -1))


class MLPDecoder(eqx.Module):
    """Latents -> pixel logits."""

    layers: tuple[Dense, Dense, Dense]
    image_shape: tuple[int, int, int] = eqx.field(static=True)

    def __init__(
        self, num_latents: int, image_shape: tuple[int, int, int], *, init: Initializer, key: Key[Array, ""]
    ) -> None:
        self.layers = dense_stack((num_latents, WIDTH, WIDTH, math.prod(image_shape)), init, key)
        self.image_shape = image_shape

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]:
        return run_stack(self.layers, latents).reshape(len(latents), *self.image_shape)


def dense_stack(sizes: tuple[int, int, int, int], init: Initializer, key: Key[Array, ""]) -> tuple[Dense, Dense, Dense]:
    first, second, third = jax.random.split(key, 3)
    return (
        Dense(sizes[0], sizes[1], init=init, key=first),
        Dense(sizes[1], sizes[2], init=init, key=second),
        Dense(sizes[2], sizes[3], init=init, key=third),
    )


def run_stack(layers: tuple[Dense, ...], x: Float[Array, "batch input"]) -> Float[Array, "batch output"]:
    for layer in layers[:-1]:
        x = jax.nn.relu(layer(x))
    return layers[-1](x)


def mlp(
    image_shape: tuple[int, int, int], num_parameters: int, num_latents: int, init: Initializer, key: Key[Array, ""]
) -> tuple[MLPEncoder, MLPDecoder]:
    """Dense encoder and decoder."""
    key_encoder, key_decoder = jax.random.split(key)
    encoder = MLPEncoder(math.prod(image_shape), num_parameters, init=init, key=key_encoder)
    return encoder, MLPDecoder(num_latents, image_shape, init=init, key=key_decoder)
