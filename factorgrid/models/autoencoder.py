"""An autoencoder is an encoder, a latent and a decoder; a forward pass is all that an objective needs of it."""

from typing import NamedTuple, Protocol, runtime_checkable

import equinox as eqx
from jaxtyping import Array, Float, Key

from factorgrid.latents import Latent, Posterior


@runtime_checkable
class Encoder(Protocol):
    def __call__(self, images: Float[Array, "batch height width channel"]) -> Float[Array, "batch parameter"]: ...


@runtime_checkable
class Decoder(Protocol):
    def __call__(self, latents: Float[Array, "batch latent"]) -> Float[Array, "batch height width channel"]: ...


class Forward(NamedTuple):
    """One pass of a batch: its posterior, one sample of it, what the decoder saw, and the pixel logits."""

    posterior: Posterior
    choice: Float[Array, "batch latent *choice"]
    latents: Float[Array, "batch latent"]
    logits: Float[Array, "batch height width channel"]


class Autoencoder(eqx.Module):
    """Encoder, latent and decoder, joined. Images are NHWC in [0, 1].

    Attributes:
        label_scale: from Gaussian means to factor values, learned with the rest by supervision that has one
            ("l2_learned_scale"); None elsewhere.
    """

    encoder: Encoder
    decoder: Decoder
    latent: Latent
    label_scale: Float[Array, ""] | None = None

    def __call__(
        self,
        images: Float[Array, "batch height width channel"],
        key: Key[Array, ""],
        noise_scale: Float[Array, ""] | float,
    ) -> Forward:
        posterior = self.posterior(images)
        choice = posterior.sample(key, noise_scale)
        latents = posterior.latents(choice)
        return Forward(posterior, choice, latents, self.decoder(latents))

    def posterior(self, images: Float[Array, "batch height width channel"]) -> Posterior:
        return self.latent.posterior(self.encoder(images))
