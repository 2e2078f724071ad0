"""Models: encoders and decoders by name, and the autoencoder that joins them to a latent.

Contract: an architecture makes an encoder (images -> posterior parameters) and a decoder (latents -> pixel
logits) for a given image shape. May import: `layers`, `latents`, `errors`.
To add one: write a file, and give it an entry in `ARCHITECTURES`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Array, Key

from factorgrid.errors import unknown_name
from factorgrid.latents import Latent
from factorgrid.layers import INITIALIZERS
from factorgrid.layers.initializers import Initializer
from factorgrid.models.autoencoder import Autoencoder as Autoencoder
from factorgrid.models.autoencoder import Decoder, Encoder
from factorgrid.models.autoencoder import Forward as Forward
from factorgrid.models.broadcast import broadcast
from factorgrid.models.conv64 import conv64
from factorgrid.models.mlp import mlp

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Architecture:
    """An entry of `ARCHITECTURES`.

    `build` takes the image shape, how many numbers the encoder gives and the decoder takes, how weights begin, a key.
    """

    description: str
    build: Callable[[Shape, int, int, Initializer, Key[Array, ""]], tuple[Encoder, Decoder]]


ARCHITECTURES: dict[str, Architecture] = {
    "conv64": Architecture("4 convolutions and 4 transposed ones, 64 x 64 images (paper, Table 2)", conv64),
    "broadcast": Architecture("convolutional encoder, spatial broadcast decoder (paper, Table 3)", broadcast),
    "mlp": Architecture("three dense layers each way, any image size", mlp),
}


def autoencoder(
    architecture: str, image_shape: Shape, latent: Latent, *, init: str = "truncated_normal", key: Key[Array, ""]
) -> Autoencoder:
    """A freshly initialised autoencoder.

    Raises:
        Error: unknown architecture or initialiser, or images of a size that the architecture cannot take.
    """
    if architecture not in ARCHITECTURES:
        raise unknown_name("architecture", architecture, ARCHITECTURES)
    if init not in INITIALIZERS:
        raise unknown_name("initialiser", init, INITIALIZERS)
    encoder, decoder = ARCHITECTURES[architecture].build(
        image_shape, latent.num_parameters, latent.num_latents, INITIALIZERS[init], key
    )
    return Autoencoder(encoder, decoder, latent)
