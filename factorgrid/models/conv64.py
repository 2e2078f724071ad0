"""The convolutional encoder and decoder of the paper's Table 2 (from Locatello et al. 2019), for 64 x 64 images."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key

from factorgrid.errors import Error
from factorgrid.layers import Conv, ConvTranspose, Dense
from factorgrid.layers.initializers import Initializer


class ConvEncoder(eqx.Module):
    """64 x 64 images -> posterior parameters."""

    convolutions: tuple[Conv, ...]
    hidden: Dense
    output: Dense

    def __init__(self, num_channels: int, num_outputs: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        keys = jax.random.split(key, 6)
        channels, kernels = (num_channels, 32, 32, 64, 64), (4, 4, 2, 2)
        self.convolutions = tuple(
            Conv(channels[i], channels[i + 1], kernel=kernels[i], stride=2, init=init, key=keys[i]) for i in range(4)
        )
        self.hidden = Dense(4 * 4 * 64, 256, init=init, key=keys[4])
        self.output = Dense(256, num_outputs, init=init, key=keys[5])

    def __call__(self, images: Float[Array, "batch 64 64 channel"]) -> Float[Array, "batch parameter"]:
        first, second, *rest = self.convolutions
        x = jax.nn.relu(second.of_blocks(jax.nn.relu(first.to_blocks(images))))
        for convolution in rest:
            x = jax.nn.relu(convolution(x))
        return self.output(jax.nn.relu(self.hidden(x.reshape(len(x), -1))))


class ConvDecoder(eqx.Module):
    """Latents -> logits of 64 x 64 pixels."""

    hidden: tuple[Dense, Dense]
    deconvolutions: tuple[ConvTranspose, ...]

    def __init__(self, num_latents: int, num_channels: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        keys = jax.random.split(key, 6)
        self.hidden = (
            Dense(num_latents, 256, init=init, key=keys[0]),
            Dense(256, 4 * 4 * 64, init=init, key=keys[1]),
        )
        channels = (64, 64, 32, 32, num_channels)
        self.deconvolutions = tuple(
            ConvTranspose(channels[i], channels[i + 1], init=init, key=keys[2 + i]) for i in range(4)
        )

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch 64 64 channel"]:
        x = latents
        for layer in self.hidden:
            x = jax.nn.relu(layer(x))
        x = x.reshape(len(x), 4, 4, 64)
        *rest, third, fourth = self.deconvolutions
        for deconvolution in rest:
            x = jax.nn.relu(deconvolution(x))
        return fourth.of_blocks(jax.nn.relu(third.to_blocks(x)))


def conv64(
    image_shape: tuple[int, int, int], num_parameters: int, num_latents: int, init: Initializer, key: Key[Array, ""]
) -> tuple[ConvEncoder, ConvDecoder]:
    """Encoder and decoder of Table 2.

    Raises:
        Error: images are not 64 x 64.
    """
    require_64(image_shape, "conv64")
    key_encoder, key_decoder = jax.random.split(key)
    encoder = ConvEncoder(image_shape[2], num_parameters, init=init, key=key_encoder)
    return encoder, ConvDecoder(num_latents, image_shape[2], init=init, key=key_decoder)


def require_64(image_shape: tuple[int, int, int], architecture: str) -> None:
    if image_shape[:2] != (64, 64):
        height, width = image_shape[:2]
        raise Error(
            f"architecture '{architecture}' takes 64 x 64 images, got {height} x {width}; "
            "resize the images or choose architecture 'mlp'"
        )
