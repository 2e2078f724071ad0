"""The evidence lower bound: the oldest score that needs no labels, and what every other one has to beat."""

from factorgrid.selectors.mean_losses import mean_losses
from factorgrid.selectors.selector import Found, Members, Progress


def score_elbo(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """ELBO of every member in nats per image, with one noisy sample for each image; higher is better.

    Of a latent without a prior it is the reconstruction term alone.
    """
    losses = mean_losses(
        members.state, members.group, members.dataset, ("noisy",), num_batches=num_batches, progress=progress
    )
    return Found({"elbo": -losses[0, 0]}, {"num_batches": num_batches})
