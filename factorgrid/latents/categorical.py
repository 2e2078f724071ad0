"""The D-VAE's latent: n categorical variables, each mapped to one real number by an equidistant grid.

A sample of a dimension is a Gumbel-softmax vector over its K categories (Eq. 2 of the paper); the latent that the
decoder sees is that vector's dot product with K equidistant points of [-1, 1] (Eq. 3). The order of the grid makes
categories neighbours, and its axes cannot be rotated.
"""

import dataclasses
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.latents.latent import Latent, Posterior
from factorgrid.latents.schedule import cosine
from factorgrid.latents.straight_through import straight_through

# Finite, so that differences of masked logits are 0 and no gradient is NaN; far below any logit.
MASKED = -1e9


def grid(num_categories: int) -> Float[np.ndarray, " category"]:
    """The positions of the categories: K equidistant points of [-1, 1], both ends included, float32."""
    return np.linspace(-1.0, 1.0, num_categories, dtype=np.float32)


SPACINGS = ("bins", "endpoint")


def category_of_value(values: Any, num_values: Any, num_categories: int, spacing: str) -> Any:
    """The category that stands for value v of a factor of S values: the one rule of supervision and of masks.

    "bins": the bin of K equal ones that v / S falls into, K v // S. "endpoint": v (K - 1) / (S - 1), rounded (halves
    up), so that the values span the whole grid. The paper gives no rule; both are ours.

    Args:
        values, num_values: integers, or arrays of them that broadcast (NumPy for the sizes).
        num_categories: K.
        spacing: one of `SPACINGS`.
    """
    if spacing == "bins":
        return values * num_categories // num_values
    last = np.maximum(num_values - 1, 1)
    return (2 * values * (num_categories - 1) + last) // (2 * last)


def active_categories(num_values: int, num_categories: int, spacing: str = "bins") -> tuple[int, ...]:
    """Which categories stay active for a factor of `num_values` values: those that its labels can hit.

    The paper says how many stay active, not which. With as many values as categories, or more, all stay active.
    """
    if num_values >= num_categories:
        return tuple(range(num_categories))
    return tuple(int(category_of_value(v, num_values, num_categories, spacing)) for v in range(num_values))


class CategoricalPosterior(Posterior):
    """Independent categorical distributions given by logits.

    Attributes:
        logits: unnormalised log probabilities; those of inactive categories are `MASKED` already.
        temperature: of the Gumbel-softmax relaxation.
        active: the active categories of each dimension; None where all are.
        relaxed: samples are Gumbel-softmax vectors; else one-hot without noise, with the gradient of the
            probabilities.
    """

    logits: Float[Array, "batch latent category"]
    temperature: float = eqx.field(static=True, default=1.0)
    active: tuple[tuple[int, ...], ...] | None = eqx.field(static=True, default=None)
    relaxed: bool = eqx.field(static=True, default=True)

    def sample(
        self, key: Key[Array, ""], noise_scale: Float[Array, ""] | float
    ) -> Float[Array, "batch latent category"]:
        if not self.relaxed:
            return straight_through(self.hard(), self.soft())
        noise = jax.random.gumbel(key, self.logits.shape, self.logits.dtype)
        # masked again: no noise may revive an inactive category
        noisy = apply_mask(self.logits + noise_scale * noise, self.active)
        return jax.nn.softmax(noisy / self.temperature, axis=-1)

    def latents(self, choice: Float[Array, "batch latent category"]) -> Float[Array, "batch latent"]:
        return choice @ jnp.asarray(grid(self.logits.shape[-1]), choice.dtype)

    def codes(self) -> Float[Array, "batch latent"]:
        """The expected grid position, in [-1, 1]: softmax of the noise-free logits times the grid."""
        return self.latents(self.soft())

    def categories(self) -> Int[Array, "batch latent"]:
        """The most probable category of each dimension, int32; ties go to the lowest."""
        return jnp.argmax(self.logits, axis=-1).astype(jnp.int32)

    def soft(self) -> Float[Array, "batch latent category"]:
        """The category probabilities, from the noise-free logits."""
        return jax.nn.softmax(self.logits, axis=-1)

    def hard(self) -> Float[Array, "batch latent category"]:
        """The most probable category, one-hot."""
        return jax.nn.one_hot(self.categories(), self.logits.shape[-1], dtype=self.logits.dtype)

    def log_probabilities(self) -> Float[Array, "batch latent category"]:
        return jax.nn.log_softmax(self.logits, axis=-1)

    def variance(self) -> Float[Array, "batch latent"]:
        """Variance of the grid position under the category probabilities."""
        distance = jnp.asarray(grid(self.logits.shape[-1]), self.logits.dtype) - self.codes()[..., None]
        return jnp.sum(self.soft() * distance**2, axis=-1)

    def prior_variance(self) -> Float[Array, " latent"]:
        """Of the uniform distribution over the active categories: (K + 1) / (3 (K - 1)) if all are active."""
        _, num_latents, num_categories = self.logits.shape
        positions = grid(num_categories)
        active = self.active or (tuple(range(num_categories)),) * num_latents
        return jnp.asarray([positions[list(a)].var() for a in active], self.logits.dtype)

    def kl(self) -> Float[Array, "batch latent"]:
        """To the uniform distribution over the active categories; in [0, log K].

        From the noise-free logits, whatever the noise scale and temperature of the sampler: the paper's code.
        """
        log_probabilities = self.log_probabilities()
        negative_entropy = jnp.sum(jnp.exp(log_probabilities) * log_probabilities, axis=-1)
        _, num_latents, num_categories = self.logits.shape
        active = self.active or ((0,) * num_categories,) * num_latents
        return negative_entropy + jnp.log(jnp.asarray([len(a) for a in active], negative_entropy.dtype))

    def log_density(self, choice: Float[Array, "batch latent category"]) -> Float[Array, "batch batch latent"]:
        """Expected log probability of the (relaxed) choice: exact for one-hot choices."""
        return jnp.einsum("jlk,ilk->jil", choice, self.log_probabilities())


class Categorical(Latent):
    """The encoder gives n x K logits, dimension by dimension.

    Attributes:
        num_latents, num_categories: n and K.
        temperature: lambda of Eq. 2, constant through training.
        noise_scale: of the Gumbel noise at the first and at the last step.
        active: masked attention: the active categories of each dimension; None leaves all active.
        relaxed: Gumbel-softmax samples; else the most probable category, with the gradient of the probabilities
            (straight-through, no noise).
    """

    posterior: ClassVar[type[Posterior]] = CategoricalPosterior
    num_latents: int = eqx.field(static=True, default=10)
    num_categories: int = eqx.field(static=True, default=64)
    temperature: float = eqx.field(static=True, default=1.0)
    noise_scale: tuple[float, float] = eqx.field(static=True, default=(0.5, 2.0))
    active: tuple[tuple[int, ...], ...] | None = eqx.field(static=True, default=None)
    relaxed: bool = eqx.field(static=True, default=True)

    @property
    def num_parameters(self) -> int:
        return self.num_latents * self.num_categories

    def read(self, parameters: Float[Array, "batch parameter"], codebook: Any = None) -> CategoricalPosterior:
        logits = parameters.reshape(len(parameters), self.num_latents, self.num_categories)
        return CategoricalPosterior(apply_mask(logits, self.active), self.temperature, self.active, self.relaxed)

    def noise_at(self, step: Int[Array, ""], num_steps: int) -> Float[Array, ""]:
        return cosine(*self.noise_scale, step, num_steps)

    def positions(self, codebook: Any = None) -> Float[np.ndarray, "latent category"]:
        return np.tile(grid(self.num_categories), (self.num_latents, 1))

    def draw(self, key: Key[Array, ""], num: int) -> Float[Array, "num latent"]:
        """Grid positions, uniform over the active categories."""
        keys = jax.random.split(key, self.num_latents)
        active = self.active or [range(self.num_categories)] * self.num_latents
        drawn = [jax.random.choice(k, jnp.asarray(c), (num,)) for k, c in zip(keys, active)]
        return jnp.asarray(grid(self.num_categories))[jnp.stack(drawn, axis=1)]

    def masked(self, active: tuple[tuple[int, ...], ...]) -> "Categorical":
        return dataclasses.replace(self, active=active)


def apply_mask(
    logits: Float[Array, "batch latent category"], active: tuple[tuple[int, ...], ...] | None
) -> Float[Array, "batch latent category"]:
    """Logits of inactive categories set to `MASKED`; their gradient is zero."""
    if active is None:
        return logits
    mask = np.zeros(logits.shape[1:], bool)
    for latent, categories in enumerate(active):
        mask[latent, list(categories)] = True
    return jnp.where(mask, logits, MASKED)
