"""Validation loss on the held-out labels: selects among semi-supervised models (Locatello et al. 2020).

The paper names a validation score and not which; this is the supervised term R_s, per image, on the last 10 % of the
labelled images, which training has not seen.
"""

import jax
import numpy as np
from jaxtyping import Array, Float

from factorgrid.errors import Error
from factorgrid.method import Labelled, Memory, Method, Params
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run
from factorgrid.training.labelled import labelled_sets
from factorgrid.training.state import Group, State

LEAST_LABELS = 10  # fewer, and none is held out


def lacks_labels(run: Run) -> str:
    """Of a run that it does not apply to: what it lacks."""
    if run.config.labels:
        return "" if run.config.labels >= LEAST_LABELS else f"{LEAST_LABELS} labels or more (a tenth is held out)"
    return "labels"


def score_validation(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """The validation loss of a run's members."""
    sets = labelled_sets(members.run.config, members.dataset)
    assert sets is not None, "checked by lacks_labels"
    return Found(supervised_validation(members.state, members.group, sets[1]), {"num_images": len(sets[1].images)})


def supervised_validation(state: State, group: Group, validation: Labelled) -> dict[str, Float[np.ndarray, " member"]]:
    """{"validation_loss": [member]}: the supervised term averaged over held-out images; lower is better.

    Raises:
        Error: the run was trained without labels, or with too few to hold any out.
    """
    if group.method.supervision is None:
        raise Error("this run was trained without labels, so it has no supervised validation")
    if not len(validation.images):
        raise Error(f"this run's labels are too few to hold any out; use {LEAST_LABELS} or more")
    losses = _losses(group.method, state.params, state.memory, validation)
    return {"validation_loss": np.asarray(losses) / len(validation.images)}


@jax.jit
def _losses(method: Method, params: Params, memory: Memory, validation: Labelled) -> Float[Array, " member"]:
    def one(method: Method, params: Params, memory: Memory) -> Array:
        supervision = method.supervision
        assert supervision is not None
        total = supervision.loss(method.autoencoder(params, memory), params.head, *validation)
        return total if supervision.reduction == "sum" else total * len(validation.images)

    return jax.vmap(one)(method, params, memory)
