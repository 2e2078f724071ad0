"""The spatial broadcast decoder (Watters et al. 2019) with the encoder of Table 2: the paper's networks for Circles.

The paper's Table 3 gives the order of the layers; their sizes are those of the broadcast decoder paper.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from factorgrid.layers import Conv
from factorgrid.layers.initializers import Initializer
from factorgrid.models.conv64 import ConvEncoder, require_64


class BroadcastDecoder(eqx.Module):
    """Latents tiled over the image with two coordinate channels in [-1, 1], then three convolutions of stride 1."""

    convolutions: tuple[Conv, ...]
    image_size: int = eqx.field(static=True)

    def __init__(
        self, num_latents: int, num_channels: int, image_size: int, *, init: Initializer, key: Key[Array, ""]
    ) -> None:
        keys = jax.random.split(key, 3)
        channels = (num_latents + 2, 64, 64, num_channels)
        self.convolutions = tuple(
            Conv(channels[i], channels[i + 1], kernel=4, stride=1, init=init, key=keys[i]) for i in range(3)
        )
        self.image_size = image_size

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]:
        size, (num_images, num_latents) = self.image_size, latents.shape
        line = np.linspace(-1, 1, size, dtype=np.float32)
        across, down = np.meshgrid(line, line)
        coordinates = jnp.asarray(np.stack([across, down], axis=-1), latents.dtype)
        x = jnp.concatenate(
            [
                jnp.broadcast_to(latents[:, None, None, :], (num_images, size, size, num_latents)),
                jnp.broadcast_to(coordinates, (num_images, size, size, 2)),
            ],
            axis=-1,
        )
        for convolution in self.convolutions[:-1]:
            x = jax.nn.relu(convolution(x))
        return self.convolutions[-1](x)


def broadcast(
    image_shape: tuple[int, int, int], num_parameters: int, num_latents: int, init: Initializer, key: Key[Array, ""]
) -> tuple[ConvEncoder, BroadcastDecoder]:
    """Encoder of Table 2 and decoder of Table 3.

    Raises:
        Error: images are not 64 x 64.
    """
    require_64(image_shape, "broadcast")
    key_encoder, key_decoder = jax.random.split(key)
    encoder = ConvEncoder(image_shape[2], num_parameters, init=init, key=key_encoder)
    return encoder, BroadcastDecoder(num_latents, image_shape[2], image_shape[0], init=init, key=key_decoder)
