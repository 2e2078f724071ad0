"""The plain latent: the encoder's numbers as they are. The zero that every quantiser is compared with."""

from typing import Any, ClassVar

import equinox as eqx
from jaxtyping import Array, Float, Key

from factorgrid.latents.latent import Latent, Posterior


class PlainPosterior(Posterior):
    """Numbers without noise, prior or categories."""

    numbers: Float[Array, "batch latent"]

    def sample(self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float) -> Float[Array, "batch latent"]:
        return self.numbers

    def latents(self, choice: Float[Array, "batch latent"]) -> Float[Array, "batch latent"]:
        return choice

    def codes(self) -> Float[Array, "batch latent"]:
        return self.numbers

    def unrounded(self) -> Float[Array, "batch latent"]:
        return self.numbers


class Plain(Latent):
    """The encoder gives n numbers."""

    posterior: ClassVar[type[Posterior]] = PlainPosterior
    num_latents: int = eqx.field(static=True, default=10)

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any = None) -> PlainPosterior:
        return PlainPosterior(parameters)
