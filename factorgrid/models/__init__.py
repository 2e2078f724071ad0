"""Models: encoders and decoders by name, and the autoencoder that joins them to a latent.

Contract: an architecture makes an encoder (images -> posterior parameters) and a decoder (latents -> pixel
logits) for a given image shape. May import: `layers`, `latents`, `errors`.
To add one: write a file, and give it an entry in `ARCHITECTURES`. A user's own needs neither: it is named by its import
path, "my_module:make_networks" (`models/own.py`).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Key

from factorgrid.errors import Error, unknown_name
from factorgrid.latents import Latent
from factorgrid.layers import INITIALIZERS, Dense
from factorgrid.models.autoencoder import Autoencoder as Autoencoder
from factorgrid.models.autoencoder import Decoder, Encoder
from factorgrid.models.autoencoder import Forward as Forward
from factorgrid.models.autoencoder import Kind as Kind
from factorgrid.models.autoencoder import Weights as Weights
from factorgrid.models.broadcast import build_broadcast
from factorgrid.models.convolutional import build_convolutional
from factorgrid.models.mlp import build_mlp
from factorgrid.models.own import is_own, own_builder

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


@dataclass(frozen=True)
class Networks:
    """Which networks, for which images.

    Attributes:
        architecture: a name of `ARCHITECTURES`, or the import path of a user's own, "my_module:make_networks".
        image_shape: (height, width, channel).
        init: a name of `INITIALIZERS`.
        width, depth: of the architecture; None for its own.

    Raises:
        Error: unknown architecture or initialiser.
    """

    architecture: str
    image_shape: Shape
    init: str = "truncated_normal"
    width: int | None = None
    depth: int | None = None

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES and not is_own(self.architecture):
            raise unknown_name("architecture", self.architecture, ARCHITECTURES)
        if self.init not in INITIALIZERS:
            raise unknown_name("initialiser", self.init, INITIALIZERS)

    @property
    def in_words(self) -> list[str]:
        """The architecture, and its options where they are not its own."""
        return [self.architecture, *(f"{name} {value}" for name, value in self._options.items())]

    @property
    def _options(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("width", "depth") if getattr(self, name) is not None}

    def build(self, latent: Latent, key: Key[Array, ""]) -> Weights:
        """Fresh weights.

        Raises:
            Error: images of a size that the architecture cannot take, or an option that it does not have; a user's own
                networks that cannot be imported or do not fit.
        """
        own = is_own(self.architecture)
        build: Callable[..., tuple[Encoder, Decoder]]
        build = own_builder(self.architecture) if own else ARCHITECTURES[self.architecture].build
        for name in self._options:
            if name not in inspect.signature(build).parameters:
                raise Error(f"architecture '{self.architecture}' has no option '{name}'")
        encoder, decoder = build(
            self.image_shape, latent.num_parameters, latent.width, INITIALIZERS[self.init], key, **self._options
        )
        if latent.may_begin_at_zero:
            decoder = with_drawn_biases(decoder, jax.random.fold_in(key, 3))
        return Weights(encoder, decoder, latent.init(jax.random.fold_in(key, 2)))


def fresh_autoencoder(
    architecture: str, image_shape: Shape, latent: Latent, *, init: str = "truncated_normal", key: Key[Array, ""]
) -> Autoencoder:
    """A freshly initialised autoencoder.

    Raises:
        Error: see `Networks`.
    """
    weights = Networks(architecture, image_shape, init).build(latent, key)
    codebook = latent.codebook(weights.codebook, latent.init_memory(jax.random.fold_in(key, 4)))
    return Autoencoder(weights.encoder, weights.decoder, latent, codebook)


def with_drawn_biases(decoder: Decoder, key: Key[Array, ""]) -> Decoder:
    """The decoder with biases of its dense layers within 1 / sqrt(inputs) of 0, PyTorch's default.

    A decoder of ReLUs without biases passes no gradient through the latents 0, and the encoders of quantisers with few
    values give all images those at first.
    """

    def drawn(path: tuple, layer: Any) -> Any:
        if not isinstance(layer, Dense):
            return layer
        limit = len(layer.weight) ** -0.5
        own = jax.random.fold_in(key, sum(map(ord, jax.tree_util.keystr(path))))
        return eqx.tree_at(lambda one: one.bias, layer, jax.random.uniform(own, layer.bias.shape, None, -limit, limit))

    return jax.tree_util.tree_map_with_path(drawn, decoder, is_leaf=lambda one: isinstance(one, Dense))
