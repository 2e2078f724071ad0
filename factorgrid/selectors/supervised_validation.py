"""Validation loss on the held-out labels: selects among semi-supervised models (Locatello et al. 2020).

The paper names a validation score and not which; this is the supervised term R_s, per image, on the last 10 % of the
labelled images, which training has not seen.
"""

import jax
import numpy as np
from jaxtyping import Array, Float

from factorgrid.errors import Error
from factorgrid.models import Autoencoder
from factorgrid.objectives.supervision import Supervision
from factorgrid.training.state import Labelled, Recipe, State


def supervised_validation(
    state: State, recipe: Recipe, validation: Labelled
) -> dict[str, Float[np.ndarray, " member"]]:
    """{"validation_loss": [member]}: the supervised term averaged over held-out images; lower is better.

    Raises:
        Error: the run was trained without labels, or with too few to hold any out.
    """
    if recipe.supervision is None:
        raise Error("this run was trained without labels, so it has no supervised validation")
    if not len(validation.images):
        raise Error("this run's labels are too few to hold any out; use 10 or more")
    losses = _losses(state.model, recipe.supervision, validation)
    return {"validation_loss": np.asarray(losses) / len(validation.images)}


@jax.jit
def _losses(model: Autoencoder, supervision: Supervision, validation: Labelled) -> Float[Array, " member"]:
    def one(model: Autoencoder, supervision: Supervision) -> Array:
        total = supervision.loss(model, validation.images, validation.factors)
        return total if supervision.reduction == "sum" else total * len(validation.images)

    return jax.vmap(one)(model, supervision)
