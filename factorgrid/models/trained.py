"""A trained autoencoder for people: NumPy arrays in, NumPy arrays out, any number of images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.latents.abilities import IN_WORDS, Discrete, Divergent, has
from factorgrid.models.autoencoder import Autoencoder

BATCH_SIZE = 256


@dataclass(frozen=True)
class TrainedModel:
    """An autoencoder and what one does with it. Images are [n height width channel], uint8 or floats in [0, 1].

    Arguments of any shape may come in: what does not fit is an Error, not a failed type check.
    """

    autoencoder: Autoencoder

    @property
    def discrete(self) -> bool:
        """Whether the latent has categories."""
        return self.can(Discrete)

    def can(self, ability: type) -> bool:
        """Whether the latent has an ability of `latents.abilities`."""
        return has(type(self.autoencoder.latent), ability)

    @property
    def num_latents(self) -> int:
        return self.autoencoder.latent.num_latents

    def encode(self, images: Shaped[ndarray, "..."]) -> Float[ndarray, "n latent"]:
        """The deterministic code of each image: expected grid positions in [-1, 1], Gaussian means, or levels."""
        return in_batches(_codes, self.autoencoder, as_floats(images))

    def categorize(self, images: Shaped[ndarray, "..."]) -> Int[ndarray, "n latent"]:
        """The discrete code of each image: the most probable category of each latent dimension.

        Raises:
            Error: the model has no categories.
        """
        self._require(Discrete, "use encode")
        return in_batches(_categories, self.autoencoder, as_floats(images))

    def decode(self, codes: Shaped[ndarray, "..."]) -> Float[ndarray, "n height width channel"]:
        """Images, in [0, 1], of categories (integers, discrete models) or of codes (floats).

        Raises:
            Error: a wrong number of latents, integers for a model without categories, or categories out of range.
        """
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] != self.num_latents:
            raise Error(f"codes must have shape [n, {self.num_latents}], got {list(codes.shape)}")
        if np.issubdtype(codes.dtype, np.integer):
            codes = self.positions(codes)
        return in_batches(_decoded, self.autoencoder, codes.astype(np.float32))

    def reconstruct(self, images: Shaped[ndarray, "..."]) -> Float[ndarray, "n height width channel"]:
        """Images decoded from their codes."""
        return self.decode(self.encode(images))

    def kl(self, images: Shaped[ndarray, "..."]) -> Float[ndarray, "n latent"]:
        """KL divergence of each latent dimension in nats: which dimensions the model uses.

        Raises:
            Error: the latent has no prior.
        """
        self._require(Divergent, "look at its variances instead")
        return in_batches(_kl, self.autoencoder, as_floats(images))

    @property
    def measure(self) -> str:
        """What `usage` is: "KL", or "variance" of the codes of a latent without a prior."""
        return "KL" if self.can(Divergent) else "variance"

    def usage(self, images: Shaped[ndarray, "..."]) -> Float[ndarray, " latent"]:
        """How much each latent dimension says of images: its mean KL in nats, or the variance of its codes."""
        return self.kl(images).mean(axis=0) if self.can(Divergent) else self.encode(images).var(axis=0)

    def positions(self, categories: Int[ndarray, "n latent"]) -> Float[ndarray, "n latent"]:
        """Where categories lie in the latent space.

        Raises:
            Error: a model without categories, or categories out of range.
        """
        table = self.position_table
        if categories.size and (categories.min() < 0 or categories.max() >= table.shape[1]):
            low, high = categories.min(), categories.max()
            raise Error(f"categories must be within 0..{table.shape[1] - 1}, got values from {low} to {high}")
        return table[np.arange(len(table)), categories]

    @property
    def position_table(self) -> Float[ndarray, "latent category"]:
        """Where each category of each latent dimension lies.

        Raises:
            Error: a model without categories.
        """
        self._require(Discrete, "use encode, and decode with floats")
        latent: Any = self.autoencoder.latent
        return np.asarray(latent.positions(self.autoencoder.codebook))

    @property
    def active_categories(self) -> tuple[tuple[int, ...], ...]:
        """The categories that each latent dimension may take; fewer than all where masked.

        Raises:
            Error: a model without categories.
        """
        self._require(Discrete, "use encode")
        latent: Any = self.autoencoder.latent
        return latent.active_categories()

    def _require(self, ability: type, instead: str) -> None:
        if not self.can(ability):
            kind = type(self.autoencoder.latent).__name__
            raise Error(f"a model with a {kind} latent has not {IN_WORDS[ability]}; {instead}")


def as_floats(images: Shaped[ndarray, "..."]) -> Float[ndarray, "n height width channel"]:
    """Images as float32 in [0, 1]; uint8 images are divided by 255."""
    images = np.asarray(images)
    if images.ndim != 4:
        raise Error(f"images must have shape [n, height, width, channel], got {list(images.shape)}")
    return images.astype(np.float32) / 255 if images.dtype == np.uint8 else images.astype(np.float32)


def in_batches(fn: Callable[[Autoencoder, Array], Array], model: Autoencoder, values: ndarray) -> ndarray:
    """fn(model, batch) over equal batches: one compilation, whatever the number of rows."""
    if len(values) == 0:
        raise Error("no rows given; at least one is needed")
    size = min(BATCH_SIZE, 1 << (len(values) - 1).bit_length())
    parts = []
    for start in range(0, len(values), size):
        part = values[start : start + size]
        padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        parts.append(np.asarray(fn(model, jnp.asarray(padded)))[: len(part)])
    return np.concatenate(parts)


@eqx.filter_jit
def _codes(model: Autoencoder, images: Array) -> Array:
    return model.posterior(images).codes()


@eqx.filter_jit
def _categories(model: Autoencoder, images: Array) -> Array:
    posterior: Any = model.posterior(images)
    return posterior.categories()


@eqx.filter_jit
def _decoded(model: Autoencoder, codes: Array) -> Array:
    return jax.nn.sigmoid(model.decode(model.latent.embed(codes, model.codebook)))


@eqx.filter_jit
def _kl(model: Autoencoder, images: Array) -> Array:
    posterior: Any = model.posterior(images)
    return posterior.kl()
