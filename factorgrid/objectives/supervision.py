"""Semi-supervised learning (Locatello et al. 2020; Eq. 7 of the paper): a few labels added to any objective.

loss = objective(unlabelled batch) + omega * R_s(labelled batch); factor i is tied to latent dimension i. The labelled
images enter nothing but R_s. Encoder outputs are used without noise.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from factorgrid.errors import Error, unknown_name
from factorgrid.latents import Latent
from factorgrid.latents.abilities import IN_WORDS, Probabilistic, Real, has
from factorgrid.latents.categorical import category_of_value
from factorgrid.models import Autoencoder

Scalar = Float[Array, ""]
Sizes = tuple[int, ...]


class Labels(NamedTuple):
    """Known factor values, and how to read them.

    Attributes:
        values: in 0 .. size - 1.
        sizes: of the factors.
        spacing: which category stands for a value (latents.categorical.category_of_value).
        scale: the learned scale; None if there is none.
    """

    values: Int[Array, "batch factor"]
    sizes: Sizes
    spacing: str
    scale: Scalar | None


# (posterior, labels) -> the loss of each image and factor
Regulariser = Callable[[Any, Labels], Float[Array, "batch factor"]]


def binary_cross_entropy(posterior: Real, labels: Labels) -> Float[Array, "batch factor"]:
    """The mean as the logit of the normalised factor value."""
    mean, target = tied(posterior.location(), labels), normalized(labels.values, labels.sizes)
    return jnp.maximum(mean, 0) - mean * target + jnp.log1p(jnp.exp(-jnp.abs(mean)))


def squared_error(posterior: Real, labels: Labels) -> Float[Array, "batch factor"]:
    """Squared distance of sigmoid(mean) to the normalised factor value.

    disentanglement_lib's own version of this broadcasts over the batch by accident; that is not repeated here.
    """
    return (jax.nn.sigmoid(tied(posterior.location(), labels)) - normalized(labels.values, labels.sizes)) ** 2


def scaled_squared_error(posterior: Real, labels: Labels) -> Float[Array, "batch factor"]:
    """Squared distance of a learned multiple of the mean to the factor value itself: disentanglement_lib's default."""
    assert labels.scale is not None, "a model trained with this supervision has a scale"
    return (labels.scale * tied(posterior.location(), labels) - labels.values.astype(jnp.float32)) ** 2


def categorical_cross_entropy(posterior: Probabilistic, labels: Labels) -> Float[Array, "batch factor"]:
    """Negative log probability of the category that stands for the factor value."""
    log_probabilities = tied(posterior.log_probabilities(), labels)
    target = target_categories(labels, log_probabilities.shape[-1])
    return -jnp.take_along_axis(log_probabilities, target[..., None], axis=-1)[..., 0]


LEARNED_SCALE = "l2_learned_scale"

# the first that fits a latent is its default
SUPERVISIONS: dict[str, tuple[type, Regulariser]] = {
    "bce": (Real, binary_cross_entropy),
    "l2": (Real, squared_error),
    LEARNED_SCALE: (Real, scaled_squared_error),
    "cross_entropy": (Probabilistic, categorical_cross_entropy),
}


class Supervision(eqx.Module):
    """The supervised term.

    Attributes:
        omega: its weight; may differ between members.
        kind: a name of `SUPERVISIONS`.
        sizes: sizes of the labelled factors.
        reduction: "sum" over the labelled batch, as in disentanglement_lib, or its "mean": 64 times smaller.
        spacing: which category stands for a factor value; the mask of a masked model must have the same.
    """

    omega: Float[Array, "*member"] | float
    kind: str = eqx.field(static=True)
    sizes: Sizes = eqx.field(static=True)
    reduction: str = eqx.field(static=True, default="sum")
    spacing: str = eqx.field(static=True, default="bins")

    def init_head(self) -> Scalar | None:
        """What the term learns of its own: the scale from codes to factor values; None for most kinds."""
        return jnp.ones(()) if self.kind == LEARNED_SCALE else None

    def loss(
        self,
        model: Autoencoder,
        head: Scalar | None,
        images: Float[Array, "batch height width channel"],
        factors: Int[Array, "batch factor"],
    ) -> Scalar:
        """R_s of a labelled batch, not weighted; labels of -1 are unknown and count nothing."""
        known = factors >= 0
        labels = Labels(jnp.maximum(factors, 0), self.sizes, self.spacing, head)
        _, regulariser = SUPERVISIONS[self.kind]
        values = regulariser(model.posterior(images), labels)
        total = jnp.sum(jnp.where(known, values, 0.0))
        return total if self.reduction == "sum" else total / len(factors)


def fitting(latent: type[Latent]) -> list[str]:
    """The kinds of supervision that a latent has the abilities for."""
    return [name for name, (ability, _) in SUPERVISIONS.items() if has(latent, ability)]


def check_supervision(kind: str, latent: type[Latent], sizes: Sizes, num_latents: int) -> None:
    """Raise an Error if this kind of supervision does not fit the latent or the factors do not fit its dimensions."""
    if kind not in SUPERVISIONS:
        raise unknown_name("supervision", kind, SUPERVISIONS)
    if kind not in fitting(latent):
        use = f"use {' or '.join(fitting(latent))}" if fitting(latent) else "none does"
        raise Error(
            f"supervision '{kind}' does not fit this latent, which lacks {IN_WORDS[SUPERVISIONS[kind][0]]}; {use}"
        )
    if len(sizes) > num_latents:
        raise Error(
            f"supervision ties each of {len(sizes)} factors to a latent dimension, and there are {num_latents}; "
            f"set the number of latents to {len(sizes)} or more"
        )


def tied(parameters: Float[Array, "batch latent *rest"], labels: Labels) -> Float[Array, "batch factor *rest"]:
    """Those of the first latent dimensions, one for each factor."""
    return parameters[:, : len(labels.sizes)]


def normalized(factors: Int[Array, "batch factor"], sizes: Sizes) -> Float[Array, "batch factor"]:
    """Values of a factor of S values mapped to 0, 1/S .. 1 - 1/S (by S, not S - 1, as in disentanglement_lib)."""
    return factors.astype(jnp.float32) / jnp.asarray(sizes, jnp.float32)


def target_categories(labels: Labels, num_categories: int) -> Int[Array, "batch factor"]:
    """The category of each factor value, by the rule of the masks, so that a masked model can hit every label."""
    return category_of_value(labels.values, np.asarray(labels.sizes, np.int32), num_categories, labels.spacing)
