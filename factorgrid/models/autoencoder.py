"""An autoencoder is an encoder, a latent and a decoder; a forward pass is all that most objectives need of it."""

from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
from jaxtyping import Array, Float, Key

from factorgrid.latents import Latent, Posterior
from factorgrid.layers.product import products_in

Kind = Literal["noisy", "soft", "hard"]


@runtime_checkable
class Encoder(Protocol):
    def __call__(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]: ...


@runtime_checkable
class Decoder(Protocol):
    def __call__(self, latents: Float[Array, "batch number"]) -> Float[Array, "batch height width channel"]: ...


@runtime_checkable
class Layered(Decoder, Protocol):
    """A decoder that can be looked into; those of this library can."""

    def activations(self, latents: Float[Array, "batch number"]) -> tuple[Array, ...]:
        """What its inner layers give, for objectives that look into it."""
        ...


class Forward(NamedTuple):
    """One pass of a batch: its posterior, one choice from it, what the decoder saw, and the pixel logits."""

    posterior: Posterior
    choice: Float[Array, "batch latent *choice"]
    latents: Float[Array, "batch number"]
    logits: Float[Array, "batch height width channel"]


class Weights(eqx.Module):
    """What an autoencoder learns.

    Attributes:
        codebook: the latent's own, or None.
    """

    encoder: Encoder
    decoder: Decoder
    codebook: Any = None


class Autoencoder(eqx.Module):
    """Encoder, latent and decoder, joined. Images are NHWC in [0, 1].

    Attributes:
        codebook: what the latent reads by; None for most.
        precision: of its products, a name of `PRECISIONS`: the same in training and in scoring.
    """

    encoder: Encoder
    decoder: Decoder
    latent: Latent
    codebook: Any = None
    precision: str = eqx.field(static=True, default="tf32")

    def parameters(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]:
        """What the encoder gives."""
        with products_in(self.precision):
            return self.encoder(images)

    def read(self, parameters: Float[Array, "batch parameter"]) -> Posterior:
        """What the latent makes of it."""
        with products_in(self.precision):
            return self.latent.read(parameters, self.codebook)

    def posterior(self, images: Float[Array, "batch height width channel"]) -> Posterior:
        return self.read(self.parameters(images))

    def decode(self, latents: Float[Array, "batch number"]) -> Float[Array, "batch height width channel"]:
        """Pixel logits."""
        with products_in(self.precision):
            return self.decoder(latents)

    def forward(
        self,
        images: Float[Array, "batch height width channel"],
        kind: Kind,
        key: Key[Array, ""],
        noise_scale: Float[Array, ""] | float,
    ) -> Forward:
        """A pass with a sample ("noisy"), or with the noise-free choice before or after rounding ("soft", "hard")."""
        posterior: Any = self.posterior(images)
        if kind == "noisy":
            choice = posterior.sample(key, noise_scale)
        else:
            choice = posterior.soft() if kind == "soft" else posterior.hard()
        latents = posterior.latents(choice)
        return Forward(posterior, choice, latents, self.decode(latents))
