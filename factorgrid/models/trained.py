"""A trained autoencoder for people: NumPy arrays in, NumPy arrays out, any number of images."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy import ndarray

from factorgrid.errors import Error, check_whole
from factorgrid.latents.abilities import IN_WORDS, Discrete, Divergent, Maskable, Prior, has
from factorgrid.metrics.inputs import as_array
from factorgrid.models.autoencoder import Autoencoder

BATCH_SIZE = 256
MOST_DRAWN = 1_000_000
SLACK = 0.5  # how far floats may lie outside [0, 1]: Lanczos filters of published data overshoot
# rooms that build on this one; imported when a method that belongs to them is called
PRETRAINED, NOTEBOOK = "factorgrid.pretrained", "factorgrid.notebook"
PART = 64  # images at once where their activations fill a processor's caches


@dataclass(frozen=True)
class TrainedModel:
    """An autoencoder and what one does with it. Images are [n height width channel], uint8 or floats in [0, 1].

    Arguments of any shape may come in, and arrays of PyTorch or JAX: what does not fit is an Error, not a failed type
    check.

    Attributes:
        autoencoder: what computes.
        image_shape: (height, width, channel) of the images that the model was trained on, if it is known.
        run, member: which run and member it is of, if it is known: what `save_pretrained`, `explore` and a notebook
            say of it. The run is of a room that builds on this one.
        refined: in words, the decoder that was trained on this model's categories (`factorgrid refine`) and stands in
            the place of its own; "" for its own.
    """

    autoencoder: Autoencoder
    image_shape: tuple[int, int, int] | None = None
    run: Any = None
    member: str = ""
    refined: str = ""

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

    def encode(self, images: Any) -> Float[ndarray, "n latent"]:
        """The deterministic code of each image: expected grid positions in [-1, 1], Gaussian means, or levels."""
        return in_batches(_codes, self.autoencoder, as_floats(images, self.image_shape))

    def categorize(self, images: Any) -> Int[ndarray, "n latent"]:
        """The discrete code of each image: the most probable category of each latent dimension.

        Raises:
            Error: the model has no categories.
        """
        self._require(Discrete, "use encode")
        return in_batches(_categories, self.autoencoder, as_floats(images, self.image_shape))

    def decode(self, codes: Any) -> Float[ndarray, "n height width channel"]:
        """Images, in [0, 1], of categories (integers, discrete models) or of codes (floats).

        Raises:
            Error: a wrong number of latents, integers for a model without categories, or categories out of range.
        """
        codes = as_array(codes)
        if codes.ndim != 2 or codes.shape[1] != self.num_latents:
            raise Error(f"codes must have shape [n, {self.num_latents}], got {list(codes.shape)}")
        if np.issubdtype(codes.dtype, np.integer):
            codes = self.positions(codes)
        elif codes.dtype.kind != "f" or not np.isfinite(codes).all():
            raise Error(f"codes must be whole or finite numbers, got {codes.dtype} with other values")
        return in_batches(_decoded, self.autoencoder, codes.astype(np.float32))

    def reconstruct(self, images: Any) -> Float[ndarray, "n height width channel"]:
        """Images decoded from their codes; by a refined decoder from their categories, which it was trained on."""
        return self.decode(self.categorize(images) if self.refined and self.discrete else self.encode(images))

    def sample(self, num: int, *, seed: int = 0) -> Float[ndarray, "n height width channel"]:
        """Images, in [0, 1], of `num` draws from the prior.

        Raises:
            Error: the latent has no prior to draw from, or `num` is below 1.
        """
        self._require(Prior, "decode categories of your choice")
        check_whole(num, "num", least=1, most=MOST_DRAWN)
        check_whole(seed, "seed", most=2**31 - 1)
        latent: Any = self.autoencoder.latent
        return self.decode(np.asarray(latent.draw(jax.random.key(seed), num)))

    def kl(self, images: Any) -> Float[ndarray, "n latent"]:
        """KL divergence of each latent dimension in nats: which dimensions the model uses.

        Raises:
            Error: the latent has no prior.
        """
        self._require(Divergent, "look at its variances instead")
        return in_batches(_kl, self.autoencoder, as_floats(images, self.image_shape))

    @property
    def measure(self) -> str:
        """What `usage` is: "KL", or "variance" of the codes of a latent without a prior."""
        return "KL" if self.can(Divergent) else "variance"

    def usage(self, images: Any) -> Float[ndarray, " latent"]:
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
        latent, table = self.autoencoder.latent, self.position_table
        if isinstance(latent, Maskable) and latent.active is not None:
            return latent.active
        return tuple(tuple(np.flatnonzero(np.isfinite(row)).tolist()) for row in table)

    def save_pretrained(self, folder: str | Path, **options: Any) -> Path:
        """Write the model into a folder of its own; see `factorgrid.save_pretrained`."""
        return importlib.import_module(PRETRAINED).save_pretrained(self, folder, **options)

    def explore(self, **options: Any) -> Any:
        """The latent explorer of this model, which a notebook shows in a frame; see `notebook.explorer_frame`."""
        return importlib.import_module(NOTEBOOK).explorer_frame(self, **options)

    def _repr_html_(self) -> str:
        return importlib.import_module(NOTEBOOK).model_html(self)

    def _require(self, ability: type, instead: str) -> None:
        if not self.can(ability):
            kind = type(self.autoencoder.latent).__name__
            raise Error(f"a model with a {kind} latent lacks {IN_WORDS[ability]}; {instead}")


def as_floats(images: Any, image_shape: tuple[int, int, int] | None = None) -> Float[ndarray, "n height width channel"]:
    """Images as float32 in [0, 1]; integers within 0..255 are divided by 255.

    Args:
        images: [n height width channel], or [n height width] for one channel.
        image_shape: (height, width, channel) that they should have, if it is known.

    Raises:
        Error: another shape, or values out of range; the message says what to do.
    """
    images = as_array(images)
    if image_shape is not None and image_shape[2] == 1 and images.shape[1:] == image_shape[:2]:
        images = images[..., None]
    hint = _misfit(images.shape, image_shape)
    if hint is not None:
        wanted = "n, height, width, channel" if image_shape is None else "n, " + ", ".join(map(str, image_shape))
        raise Error(f"images must have shape [{wanted}], got {list(images.shape)}{hint}")
    if images.dtype.kind not in "biuf":
        raise Error(f"images must be numbers, got {images.dtype}")
    if images.dtype == bool or not images.size:
        return images.astype(np.float32)
    low, high = images.min(), images.max()
    if images.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise Error(f"integer images must be within 0..255, got values from {low} to {high}")
        return images.astype(np.float32) / 255
    if not (low >= -SLACK and high <= 1 + SLACK):  # NaN fails too
        more = "; divide them by 255" if low >= 0 and 1 < high <= 255 else ""
        raise Error(f"floating-point images must be within 0..1, got values from {low:g} to {high:g}{more}")
    return images.astype(np.float32)


def _misfit(shape: tuple[int, ...], wanted: tuple[int, int, int] | None) -> str | None:
    """What to do about a shape that does not fit; None if it fits."""
    if len(shape) == 4 and (wanted is None or shape[1:] == wanted):
        return None
    if shape == wanted or (wanted is None and len(shape) == 3):
        return "; one image: images[None]"
    if wanted is None:
        return ""
    if len(shape) == 4 and (shape[2], shape[3], shape[1]) == wanted:
        return "; channels come last: images.transpose(0, 2, 3, 1)"
    if len(shape) == 4 and shape[1:3] == wanted[:2]:
        grey = "; make them grey: images.mean(-1, keepdims=True)" if wanted[2] == 1 else ""
        return grey or f"; the model was trained on {wanted[2]} channels"
    return "; resize them to what the model was trained on"


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


def in_parts(fn: Callable[[Array], Array], rows: Array, model: Autoencoder) -> Array:
    """fn(rows), for a function of each row on its own within a compiled program.

    A convolutional model goes over its rows in small parts on a CPU, which takes half the time: the activations of a
    part stay in the caches. A dense one, which has more weights than activations, takes them all at once.
    """
    convolutional = any(
        weights.ndim == 4 for weights in jax.tree.leaves(eqx.filter((model.encoder, model.decoder), eqx.is_array))
    )
    if jax.default_backend() != "cpu" or not convolutional or len(rows) <= PART or len(rows) % PART:
        return fn(rows)
    return jnp.concatenate(jax.lax.map(fn, rows.reshape(-1, PART, *rows.shape[1:])))


@eqx.filter_jit
def _codes(model: Autoencoder, images: Array) -> Array:
    return in_parts(lambda part: model.posterior(part).codes(), images, model)


@eqx.filter_jit
def _categories(model: Autoencoder, images: Array) -> Array:
    def categories(part: Array) -> Array:
        posterior: Any = model.posterior(part)
        return posterior.categories()

    return in_parts(categories, images, model)


@eqx.filter_jit
def _decoded(model: Autoencoder, codes: Array) -> Array:
    def decoded(part: Array) -> Array:
        return jax.nn.sigmoid(model.decode(model.latent.embed(part, model.codebook)))

    return in_parts(decoded, codes, model)


@eqx.filter_jit
def _kl(model: Autoencoder, images: Array) -> Array:
    def kl(part: Array) -> Array:
        posterior: Any = model.posterior(part)
        return posterior.kl()

    return in_parts(kl, images, model)
