"""How certain a discrete posterior is of its categories: near one-hot, or spread over many of them.

The paper's Section 3.2 says that training drives posteriors towards one-hot ones, and its gap measures what is left to
go in the loss; this measures it in the posterior itself.
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from factorgrid.latents.abilities import Probabilistic
from factorgrid.models import Autoencoder
from factorgrid.models.trained import as_floats, in_batches, in_parts
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run

NUM_IMAGES = 1000
SEED = 0


def lacks_probabilities(run: Run) -> str:
    """Of a run that it does not apply to: what it lacks."""
    return "" if run.config.method.can(Probabilistic) else "probabilities of categories"


def score_certainty(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """Mean entropy in nats of q(z | x), over 1,000 images and all latents; lower is better, 0 is one-hot.

    A latent that the model does not use counts with its prior's entropy, log K.
    """
    images = as_floats(members.dataset.draw(NUM_IMAGES, SEED)[0])
    values = np.zeros(len(members.models))
    for index, model in enumerate(members.models):
        values[index] = in_batches(_entropies, model.autoencoder, images).mean()
        if progress is not None:
            progress(index + 1, len(members.models))
    return Found({"posterior_entropy": values}, {"num_images": NUM_IMAGES, "seed": SEED})


@eqx.filter_jit
def _entropies(model: Autoencoder, images: Array) -> Float[Array, "batch latent"]:
    def entropies(part: Array) -> Array:
        posterior: Any = model.posterior(part)
        logs = posterior.log_probabilities()
        return -(jnp.exp(logs) * logs).sum(axis=-1)  # masked logits are finite

    return in_parts(entropies, images, model)
