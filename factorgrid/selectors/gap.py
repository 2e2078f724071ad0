"""The straight-through gap: how much a discrete model's loss changes when its codes are rounded to the grid.

The paper's unsupervised score for model selection (Section 3.4): zero when the latent space is fully discrete, and the
smaller the better disentangled. Two versions are kept side by side: `st_gap_elbo` by the paper's text (the negative
ELBO) and `st_gap_loss` by its code (the whole training loss, with the weighted total correlation of FactorDVAE).
They are equal for objectives that are the ELBO. Supervised terms count in neither. For a deterministic quantiser it is
the loss with rounded codes minus the loss with codes before rounding; without a prior the ELBO is the reconstruction.
A third is ours: `st_gap_relative`, the gap of the loss in shares of the loss with soft codes, so that data sets whose
losses differ in size can be compared.
"""

import numpy as np
from jaxtyping import Float

from factorgrid.datasets import Dataset
from factorgrid.latents.abilities import Discrete
from factorgrid.selectors.mean_losses import mean_losses
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run
from factorgrid.training.state import Group, State

NUM_BATCHES = 1000  # the first 64,000 images of the training stream


def lacks_categories(run: Run) -> str:
    """Of a run that it does not apply to: what it lacks."""
    return "" if run.config.method.can(Discrete) else "categories"


def score_gap(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """The gap of a run's members."""
    gaps = straight_through_gap(
        members.state, members.group, members.dataset, num_batches=num_batches, progress=progress
    )
    return Found(gaps, {"num_batches": num_batches})


def straight_through_gap(
    state: State,
    group: Group,
    dataset: Dataset,
    *,
    num_batches: int = NUM_BATCHES,
    progress: Progress | None = None,
) -> dict[str, Float[np.ndarray, " member"]]:
    """All gaps of every member, in nats per image (the relative one: in shares of the loss); lower is better.

    |mean hard loss - mean soft loss| over the first batches of the training stream, without noise.

    Args:
        state: trained members, with their critics.
        group, dataset: what they were trained with.
        num_batches: how many batches; 1000 is the paper's code.
        progress: called with (batches done, batches in all).

    Returns:
        {"st_gap_elbo", "st_gap_loss", "st_gap_relative"}, each [member].
    """
    soft, hard = mean_losses(state, group, dataset, ("soft", "hard"), num_batches=num_batches, progress=progress)
    gap = np.abs(hard - soft)
    return {"st_gap_elbo": gap[0], "st_gap_loss": gap[1], "st_gap_relative": gap[1] / np.abs(soft[1])}
