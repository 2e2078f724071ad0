"""Semi-supervised learning (Locatello et al. 2020; Eq. 7 of the paper): a few labels added to any objective.

loss = objective(unlabelled batch) + omega * R_s(labelled batch); factor i is tied to latent dimension i. The labelled
images enter nothing but R_s. Encoder outputs are used without noise.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from factorgrid.errors import Error, unknown_name
from factorgrid.latents import CategoricalPosterior, GaussianPosterior, Posterior

Scalar = Float[Array, ""]
Sizes = tuple[int, ...]
# (posterior, factor values, factor sizes) -> the loss of each image and factor
Regulariser = Callable[[Any, Int[Array, "batch factor"], Sizes], Float[Array, "batch factor"]]


def binary_cross_entropy(
    posterior: GaussianPosterior, factors: Int[Array, "batch factor"], sizes: Sizes
) -> Float[Array, "batch factor"]:
    """The mean as the logit of the normalised factor value."""
    mean, target = posterior.mean[:, : len(sizes)], normalized(factors, sizes)
    return jnp.maximum(mean, 0) - mean * target + jnp.log1p(jnp.exp(-jnp.abs(mean)))


def squared_error(
    posterior: GaussianPosterior, factors: Int[Array, "batch factor"], sizes: Sizes
) -> Float[Array, "batch factor"]:
    """Squared distance of sigmoid(mean) to the normalised factor value.

    disentanglement_lib's own version of this broadcasts over the batch by accident; that is not repeated here.
    """
    return (jax.nn.sigmoid(posterior.mean[:, : len(sizes)]) - normalized(factors, sizes)) ** 2


def categorical_cross_entropy(
    posterior: CategoricalPosterior, factors: Int[Array, "batch factor"], sizes: Sizes
) -> Float[Array, "batch factor"]:
    """Negative log probability of the category whose bin holds the factor value."""
    log_probabilities = jax.nn.log_softmax(posterior.logits[:, : len(sizes)], axis=-1)
    target = bins(factors, sizes, posterior.logits.shape[-1])
    return -jnp.take_along_axis(log_probabilities, target[..., None], axis=-1)[..., 0]


SUPERVISIONS: dict[str, tuple[str, Regulariser]] = {
    "bce": ("gaussian", binary_cross_entropy),
    "l2": ("gaussian", squared_error),
    "cross_entropy": ("categorical", categorical_cross_entropy),
}


class Supervision(eqx.Module):
    """The supervised term.

    Attributes:
        omega: its weight; may differ between members.
        kind: a name of `SUPERVISIONS`.
        sizes: sizes of the labelled factors.
        reduction: "sum" over the labelled batch, as in disentanglement_lib, or its "mean": 64 times smaller.
    """

    omega: Scalar | float
    kind: str = eqx.field(static=True)
    sizes: Sizes = eqx.field(static=True)
    reduction: str = eqx.field(static=True, default="sum")

    def loss(self, posterior: Posterior, factors: Int[Array, "batch factor"]) -> Scalar:
        """R_s of a labelled batch, not weighted; labels of -1 are unknown and count nothing."""
        known = factors >= 0
        _, regulariser = SUPERVISIONS[self.kind]
        values = regulariser(posterior, jnp.maximum(factors, 0), self.sizes)
        total = jnp.sum(jnp.where(known, values, 0.0))
        return total if self.reduction == "sum" else total / len(factors)


def check_supervision(kind: str, latent: str, sizes: Sizes, num_latents: int) -> None:
    """Raise an Error if this kind of supervision does not fit the latent or the factors do not fit its dimensions."""
    if kind not in SUPERVISIONS:
        raise unknown_name("supervision", kind, SUPERVISIONS)
    if SUPERVISIONS[kind][0] != latent:
        fitting = [name for name, (fits, _) in SUPERVISIONS.items() if fits == latent]
        raise Error(f"supervision '{kind}' does not fit a {latent} latent; use {' or '.join(fitting)}")
    if len(sizes) > num_latents:
        raise Error(
            f"supervision ties each of {len(sizes)} factors to a latent dimension, and there are {num_latents}; "
            f"set the number of latents to {len(sizes)} or more"
        )


def normalized(factors: Int[Array, "batch factor"], sizes: Sizes) -> Float[Array, "batch factor"]:
    """Values of a factor of S values mapped to 0, 1/S .. 1 - 1/S (by S, not S - 1, as in disentanglement_lib)."""
    return factors / jnp.asarray(sizes, jnp.float32)


def bins(factors: Int[Array, "batch factor"], sizes: Sizes, num_categories: int) -> Int[Array, "batch factor"]:
    """The category of each factor value: K equal bins of [0, 1), in whole numbers: K y // S.

    The same rule as `latents.categorical.active_categories`, so that a masked model can hit every label.
    """
    return factors * num_categories // jnp.asarray(sizes, factors.dtype)
