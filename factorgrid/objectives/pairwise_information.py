"""Mutual information of every pair of latents, from category probabilities: a total correlation without a critic.

Given an image the latents are independent, so over a batch the joint probability of two categories is exactly the mean
of the product of their probabilities. The mean of few images has too much information by chance; to first order it is
half the sum over cells of variance / mean, divided by the number of images. For one-hot probabilities that is the
correction of Miller (1955) and Madow, by numbers of cells that occur.

For two latents that is the total correlation. For more, the sum counts what pairs share once for each pair, and sees
nothing of what only three together share.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

TINY = 1e-12


def merged(probabilities: Float[Array, "batch latent category"], cells: int) -> Float[Array, "batch latent cell"]:
    """Neighbouring categories summed into `cells` of equal size, up to one."""
    num_categories = probabilities.shape[-1]
    if cells >= num_categories:
        return probabilities
    cell_of = np.arange(num_categories) * cells // num_categories
    return probabilities @ jnp.asarray(np.eye(cells)[cell_of], probabilities.dtype)


def joint_of(probabilities: Float[Array, "batch latent cell"]) -> Float[Array, "latent cell latent cell"]:
    """Joint probabilities of every two latents over the batch; [l, k, l, k] is of no use."""
    joint = jnp.einsum("blk,bmj->lkmj", probabilities, probabilities, precision="highest")
    return joint / len(probabilities)


def pairwise_information(joint: Float[Array, "latent cell latent cell"]) -> Float[Array, ""]:
    """Sum over pairs of latents of their mutual information under `joint`, in nats."""
    marginal = marginal_of(joint)
    independent = marginal[:, :, None, None] * marginal[None, None]
    information = jnp.sum(joint * (jnp.log(joint + TINY) - jnp.log(independent + TINY)), axis=(1, 3))
    return _sum_of_pairs(information)


def chance_information(probabilities: Float[Array, "batch latent cell"]) -> Float[Array, ""]:
    """How much of `pairwise_information(joint_of(probabilities))` is expected by chance alone, to first order."""
    joint, squares = joint_of(probabilities), joint_of(probabilities**2)
    cells = jnp.sum(jnp.where(joint > TINY, squares / jnp.maximum(joint, TINY) - joint, 0.0), axis=(1, 3))
    mean, square = jnp.mean(probabilities, axis=0), jnp.mean(probabilities**2, axis=0)
    own = jnp.sum(jnp.where(mean > TINY, square / jnp.maximum(mean, TINY) - mean, 0.0), axis=1)
    return _sum_of_pairs(cells - own[:, None] - own[None]) / (2 * len(probabilities))


def marginal_of(joint: Float[Array, "latent cell latent cell"]) -> Float[Array, "latent cell"]:
    """Each latent's own, from its pair with the next one."""
    num = len(joint)
    sums = jnp.sum(joint, axis=3)
    return sums[jnp.arange(num), :, (jnp.arange(num) + 1) % num]


def _sum_of_pairs(values: Float[Array, "latent latent"]) -> Float[Array, ""]:
    return jnp.sum(jnp.triu(values, 1))
