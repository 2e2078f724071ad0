"""Vector quantisation (van den Oord et al. 2017, https://arxiv.org/abs/1711.00937): a latent is a vector of d numbers.

A vector is replaced by the nearest one of a codebook of K: one codebook for all latents, or one for each. The entries
follow the encoder's vectors by gradient (the term "quantization") or by a moving average of those that chose them; a
"commitment" term draws the vectors to their entries. Entries that are hardly ever chosen may be revived: set to
vectors of the batch. The gradient passes the rounding as if it were not there.

The decoder sees n d numbers. Codes are the numbers of the entries, which have no order: metrics of codes need the
discrete estimators.
"""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.latents.latent import Latent, Posterior
from factorgrid.latents.straight_through import straight_through

TINY = 1e-5  # a share of use that no entry falls below, so that its mean exists


class VQPosterior(Posterior):
    """Encoder outputs, and the codebooks (one, or one for each latent)."""

    outputs: Float[Array, "batch latent size"]
    books: Float[Array, "book category size"]

    def sample(self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float) -> Float[Array, "batch latent size"]:
        return straight_through(jax.lax.stop_gradient(self.hard()), self.outputs)

    def latents(self, choice: Float[Array, "batch latent size"]) -> Float[Array, "batch width"]:
        return choice.reshape(len(choice), -1)

    def codes(self) -> Float[Array, "batch latent"]:
        return self.categories().astype(self.outputs.dtype)

    def categories(self) -> Int[Array, "batch latent"]:
        """The nearest entry's; ties go to the lowest."""
        products = jnp.einsum("bld,lkd->blk", self.outputs, self._book_of_each(), precision="highest")
        lengths = jnp.sum(self._book_of_each() ** 2, axis=-1)
        return jnp.argmin(lengths - 2 * products, axis=-1).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent size"]:
        return self.outputs

    def hard(self) -> Float[Array, "batch latent size"]:
        return entries(self.books, self.categories())

    def _book_of_each(self) -> Float[Array, "latent category size"]:
        return jnp.broadcast_to(self.books, (self.outputs.shape[1], *self.books.shape[1:]))


class Followed(NamedTuple):
    """What is kept without a gradient.

    Attributes:
        uses: moving average of how often each entry is chosen in a batch.
        sums: with the moving average, that of the vectors that chose it; else what revival has added to the
            learned entry.
    """

    uses: Float[Array, "book category"]
    sums: Float[Array, "book category size"]


class VQ(Latent):
    """The encoder gives n d numbers.

    Attributes:
        num_latents, num_categories, size: n, K and d.
        shared: one codebook for all latents instead of one for each.
        averaged: the codebook is a moving average and is not learned by gradient.
        quantization, commitment: weights of the squared distances, summed over latents and numbers. 1 and 0.25 of means
            over pixels and over numbers are 16 and 4 of our sums, for 64 x 64 x 3 images and 12 latents of 64 numbers.
        forgetting: of the moving averages, a batch.
        revival: entries used less than this share of an equal one are revived; 0: none.
    """

    posterior: ClassVar[type[Posterior]] = VQPosterior
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)
    size: int = eqx.field(static=True, default=8)
    shared: bool = eqx.field(static=True, default=False)
    averaged: bool = eqx.field(static=True, default=False)
    quantization: Float[Array, "*member"] | float = 16.0
    commitment: Float[Array, "*member"] | float = 4.0
    forgetting: Float[Array, "*member"] | float = 0.01
    revival: Float[Array, "*member"] | float = 0.0

    @property
    def num_parameters(self) -> int:
        return self.num_latents * self.size

    @property
    def width(self) -> int:
        return self.num_latents * self.size

    def init(self, key: Key[Array, ""]) -> Any:
        return None if self.averaged else self._fresh(key)

    def init_memory(self, key: Key[Array, ""]) -> Followed:
        books = self._fresh(key)
        uses = jnp.ones(books.shape[:2])
        return Followed(uses, books if self.averaged else jnp.zeros_like(books))

    def _fresh(self, key: Key[Array, ""]) -> Float[Array, "book category size"]:
        limit = float(np.sqrt(3.0 / self.size))  # variance 1 / d, as the authors' of QLAE have it
        shape = (1 if self.shared else self.num_latents, self.num_categories, self.size)
        return jax.random.uniform(key, shape, minval=-limit, maxval=limit)

    def codebook(self, learned: Any, memory: Any) -> Float[Array, "book category size"]:
        if self.averaged:
            return memory.sums / memory.uses[..., None]
        return learned if memory is None else learned + memory.sums

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any) -> VQPosterior:
        return VQPosterior(parameters.reshape(len(parameters), self.num_latents, self.size), codebook)

    def terms(self, posterior: Any) -> dict[str, Float[Array, ""]]:
        outputs, chosen, stop = posterior.soft(), posterior.hard(), jax.lax.stop_gradient
        terms = {"commitment": self.commitment * jnp.sum((outputs - stop(chosen)) ** 2) / len(outputs)}
        if not self.averaged:
            terms["quantization"] = self.quantization * jnp.sum((stop(outputs) - chosen) ** 2) / len(outputs)
        return terms

    def update(self, memory: Any, posterior: Any) -> Followed:
        """Moving averages after a batch; the most neglected entries move to vectors of the batch, if revived."""
        outputs, books = jax.lax.stop_gradient((posterior.outputs, posterior.books))
        choices = jax.nn.one_hot(posterior.categories(), self.num_categories, dtype=outputs.dtype)
        num_books = len(books)
        if self.shared:  # all latents choose from one book
            outputs, choices = outputs.reshape(-1, 1, self.size), choices.reshape(-1, 1, self.num_categories)
        keep = 1 - self.forgetting
        uses = jnp.maximum(keep * memory.uses + self.forgetting * jnp.sum(choices, axis=0), TINY)
        sums = memory.sums
        if self.averaged:
            added = jnp.einsum("blk,bld->lkd", choices, outputs, precision="highest")
            sums = keep * sums + self.forgetting * added
        mean = jnp.mean(uses, axis=1, keepdims=True)
        neglected = uses < self.revival * mean
        taken = jnp.arange(self.num_categories) % len(outputs)
        vectors = jnp.swapaxes(outputs[taken], 0, 1).reshape(num_books, self.num_categories, self.size)
        moved = vectors * mean[..., None] if self.averaged else sums + vectors - books
        sums = jnp.where(neglected[..., None], moved, sums)
        return Followed(jnp.where(neglected, mean, uses), sums)

    def embed(self, codes: Float[Array, "batch latent"], codebook: Any) -> Float[Array, "batch width"]:
        """The entries whose numbers are nearest to the codes."""
        index = jnp.clip(jnp.round(codes), 0, self.num_categories - 1).astype(jnp.int32)
        return entries(codebook, index).reshape(len(codes), -1)

    def positions(self, codebook: Any = None) -> Float[np.ndarray, "latent category"]:
        return np.tile(np.arange(self.num_categories, dtype=np.float32), (self.num_latents, 1))


def entries(
    books: Float[Array, "book category size"], index: Int[Array, "batch latent"]
) -> Float[Array, "batch latent size"]:
    """The entry of each latent's book."""
    latent = jnp.zeros(index.shape[1], jnp.int32) if len(books) == 1 else jnp.arange(index.shape[1])
    return books[latent[None], index]
