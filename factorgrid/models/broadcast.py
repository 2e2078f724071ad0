"""The spatial broadcast decoder (Watters et al. 2019) with the convolutional encoder: the paper's networks for Circles.

The paper's Table 3 gives the order of the layers; their sizes are those of the broadcast decoder paper.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from factorgrid.errors import Error
from factorgrid.layers import Conv
from factorgrid.layers.initializers import Initializer
from factorgrid.layers.product import add_bias, product, rounded
from factorgrid.layers.unit_stride import window_maps
from factorgrid.models.convolutional import ConvEncoder, Shape

WIDTH, KERNEL = 64, 4


class BroadcastDecoder(eqx.Module):
    """Latents tiled over the image with two coordinate channels in [-1, 1], then three convolutions of stride 1."""

    convolutions: tuple[Conv, ...]
    image_size: tuple[int, int] = eqx.field(static=True)

    def __init__(
        self, num_latents: int, image_shape: Shape, *, width: int = WIDTH, init: Initializer, key: Key[Array, ""]
    ) -> None:
        if width < 1:
            raise Error(f"width must be at least 1, got {width}")
        keys = jax.random.split(key, 3)
        channels = (num_latents + 2, width, width, image_shape[2])
        self.convolutions = tuple(
            Conv(channels[i], channels[i + 1], kernel=KERNEL, stride=1, init=init, key=keys[i]) for i in range(3)
        )
        self.image_size = image_shape[:2]

    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]:
        return self.convolutions[-1](self.activations(latents)[-1])

    def activations(self, latents: Float[Array, "batch latent"]) -> tuple[Array, ...]:
        """Of all convolutions but the last."""
        first, second, _ = self.convolutions
        x = rounded(jax.nn.relu(convolve_tiled(first, latents, self.image_size)))
        return x, second(x, relu=True)


def convolve_tiled(
    layer: Conv, latents: Float[Array, "batch latent"], image_size: tuple[int, int]
) -> Float[Array, "batch height width output"]:
    """A layer of stride 1 applied to latents tiled over the image beside coordinates (across, down), without tiling.

    Seen through one tap of the kernel, a tiled latent is the same number everywhere but beyond the image's edge, so
    the latents' part is that tap's product, where the tap lies inside. The coordinates' part is the same for all
    images.
    """
    height, width = image_size
    (num_images, num_latents), num_outputs = latents.shape, layer.weight.shape[-1]
    num_taps = layer.weight.shape[0] * layer.weight.shape[1]
    windows, _ = window_maps(*layer.weight.shape[:2])
    plane = np.ones((height, width))
    across, down = plane * np.linspace(-1, 1, width), plane * np.linspace(-1, 1, height)[:, None]
    inside = windows.forward(jnp.asarray(plane[None, ..., None], latents.dtype)).reshape(-1, num_taps)
    coordinates = windows.forward(jnp.asarray(np.stack([across, down], axis=-1)[None], latents.dtype))
    common = product(coordinates, layer.weight[:, :, num_latents:].reshape(-1, num_outputs)) + layer.bias
    of_taps = product(latents, layer.weight[:, :, :num_latents].transpose(2, 0, 1, 3).reshape(num_latents, -1))
    tiled = jnp.broadcast_to(inside, (num_images, *inside.shape)) @ of_taps.reshape(num_images, num_taps, num_outputs)
    # what all images share is a bias, and has a bias's gradient: a sum over the batch
    return add_bias(tiled.reshape(num_images, -1), common.reshape(-1)).reshape(num_images, height, width, num_outputs)


def build_broadcast(
    image_shape: Shape,
    num_parameters: int,
    num_latents: int,
    init: Initializer,
    key: Key[Array, ""],
    *,
    width: int = WIDTH,
) -> tuple[ConvEncoder, BroadcastDecoder]:
    """The convolutional encoder and the decoder of Table 3, whose two inner layers have `width` channels.

    Raises:
        Error: image sides that the encoder cannot take, or a width below 1.
    """
    key_encoder, key_decoder = jax.random.split(key)
    encoder = ConvEncoder(image_shape, num_parameters, init=init, key=key_encoder)
    return encoder, BroadcastDecoder(num_latents, image_shape, width=width, init=init, key=key_decoder)
