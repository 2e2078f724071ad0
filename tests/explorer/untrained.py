"""Untrained models of every kind: random weights and biases."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from factorgrid.latents import Categorical, Gaussian
from factorgrid.models.trained import TrainedModel

MASK = ((0, 5, 11), tuple(range(12)), (3, 4))
LATENTS = {"gaussian": Gaussian(3), "categorical": Categorical(3, 12), "masked": Categorical(3, 12, active=MASK)}
KINDS = {
    "mlp, categories": ("mlp", (7, 5, 3), "categorical"),
    "conv64, numbers": ("conv64", (64, 64, 1), "gaussian"),
    "conv64, masked, colours": ("conv64", (64, 64, 3), "masked"),
    "broadcast, categories": ("broadcast", (64, 64, 1), "categorical"),
}


def untrained(architecture: str, shape: tuple[int, int, int], latent: str) -> TrainedModel:
    """Random weights and biases, of a size that keeps pictures between black and white and codes apart."""
    shapes = eqx.filter_eval_shape(autoencoder, architecture, shape, LATENTS[latent], key=jax.random.key(0))
    rng = np.random.default_rng(0)

    def numbers(leaf: jax.ShapeDtypeStruct) -> jax.Array:
        return jnp.asarray(rng.normal(size=leaf.shape) * np.sqrt(2 * leaf.shape[-1] / leaf.size), leaf.dtype)

    return TrainedModel(jax.tree.map(numbers, shapes))
