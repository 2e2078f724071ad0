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
from factorgrid.models.autoencoder import Autoencoder as Autoencoder
from factorgrid.models.autoencoder import Decoder, Encoder
from factorgrid.models.autoencoder import Forward as Forward
from factorgrid.models.broadcast import build_broadcast
from factorgrid.models.convolutional import build_convolutional
from factorgrid.models.mlp import build_mlp

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Architecture:
    """An entry of `ARCHITECTURES`.

    `build(image_shape, num_parameters, num_latents, init, key, **options)` takes how many numbers the encoder gives and
    the decoder takes, how weights begin, and keyword options of the architecture's own, such as `width`.
    """

    description: str
    build: Callable[..., tuple[Encoder, Decoder]]


ARCHITECTURES: dict[str, Architecture] = {
    "convolutional": Architecture(
        "strided convolutions each way, many image sizes (paper, Table 2)", build_convolutional
    ),
    "conv64": Architecture("the same as convolutional, by its name in older runs", build_convolutional),
    "broadcast": Architecture("convolutional encoder, spatial broadcast decoder (paper, Table 3)", build_broadcast),
    "mlp": Architecture("three dense layers each way, any image size", build_mlp),
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
