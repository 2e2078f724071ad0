"""What a latent can do, so that others may ask for abilities and never for a latent by name.

An ability is a set of methods of the posterior (of the latent itself for `Enumerable`, `Maskable` and `Prior`). A
latent has it by having the methods; nothing is registered. Objectives, supervision, selectors and pictures say which
they require.
"""

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float, Int, Key
from numpy import ndarray

from factorgrid.latents.latent import Latent


@runtime_checkable
class Divergent(Protocol):
    """A KL divergence to a prior, and variances: what variational objectives weigh."""

    def kl(self) -> Float[Array, "batch latent"]:
        """KL divergence to the prior of each dimension, in nats; at least 0."""
        ...

    def variance(self) -> Float[Array, "batch latent"]:
        """Variance of each latent dimension under q(z | x)."""
        ...

    def prior_variance(self) -> Float[Array, " latent"]:
        """Variance of each latent dimension under the prior."""
        ...


@runtime_checkable
class Dense(Protocol):
    """A log density of any sample under any posterior of the batch."""

    def log_density(self, choice: Float[Array, "batch latent *choice"]) -> Float[Array, "batch batch latent"]:
        """[j, i, l]: log density of dimension l of sample j under the posterior of image i."""
        ...


@runtime_checkable
class Discrete(Protocol):
    """A category for every dimension, and the choices before and after rounding to it."""

    def categories(self) -> Int[Array, "batch latent"]:
        """The category of each dimension, int32."""
        ...

    def soft(self) -> Float[Array, "batch latent *choice"]:
        """The noise-free choice before it is rounded to a category."""
        ...

    def hard(self) -> Float[Array, "batch latent *choice"]:
        """The choice of `categories`, rounded."""
        ...


@runtime_checkable
class Probabilistic(Protocol):
    """Probabilities of the categories of each dimension."""

    def log_probabilities(self) -> Float[Array, "batch latent category"]: ...


@runtime_checkable
class Real(Protocol):
    """A location anywhere on the real line for every dimension, fit to be a logit."""

    def location(self) -> Float[Array, "batch latent"]: ...


@runtime_checkable
class Scalar(Protocol):
    """One number for every dimension before it is rounded, of which a spread can be taken."""

    def unrounded(self) -> Float[Array, "batch latent"]: ...


@runtime_checkable
class Enumerable(Protocol):
    """Of a latent: finitely many positions for every dimension."""

    def positions(self, codebook: Any) -> Float[ndarray, "latent category"]:
        """Where each category of each dimension lies; NaN beyond the categories of a dimension that has fewer."""
        ...


@runtime_checkable
class Maskable(Protocol):
    """Of a latent: some categories can be forbidden; `active` are the others, None where all are allowed."""

    num_categories: int
    active: tuple[tuple[int, ...], ...] | None

    def masked(self, active: tuple[tuple[int, ...], ...]) -> Latent:
        """The same latent with only these categories for each dimension."""
        ...


@runtime_checkable
class Prior(Protocol):
    """Of a latent: a prior to draw from."""

    def draw(self, key: Key[Array, ""], num: int) -> Float[Array, "num latent"]:
        """What the decoder sees of `num` draws from the prior."""
        ...


IN_WORDS: dict[type, str] = {
    Divergent: "a KL divergence to a prior",
    Dense: "a log density",
    Discrete: "categories",
    Probabilistic: "probabilities of categories",
    Real: "a location on the real line",
    Scalar: "a number for each dimension before rounding",
    Enumerable: "categories",
    Maskable: "categories that can be masked",
    Prior: "a prior to draw from",
}


def has(latent: type[Latent], ability: type) -> bool:
    """Whether the latent, or its posterior, has the methods of an ability."""
    names = [name for name in vars(ability) if not name.startswith("_")]
    return any(all(callable(getattr(kind, name, None)) for name in names) for kind in (latent, latent.posterior))


def lacking(latent: type[Latent], required: Iterable[type]) -> list[str]:
    """The abilities that are required and not there, in words: [] if all are."""
    return [IN_WORDS[ability] for ability in required if not has(latent, ability)]
