"""Untrained models of every kind: random weights and biases."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import factorgrid as fg
from factorgrid.api import make_config
from factorgrid.latents import FSQ, QLAE, Categorical, Gaussian
from factorgrid.latents.qvae import QVAELatent
from factorgrid.latents.vq import VQ
from factorgrid.models import fresh_autoencoder
from factorgrid.models.trained import TrainedModel
from factorgrid.training.state import state_shapes

MASK = ((0, 5, 11), tuple(range(12)), (3, 4))
LATENTS = {
    "gaussian": Gaussian(3),
    "categorical": Categorical(3, 12),
    "masked": Categorical(3, 12, active=MASK),
    "levels": FSQ(3, 8),
    "codebook": QLAE(3, 8),
    "values": QVAELatent(3, 8),
    "vectors": VQ(3, 8, size=5),
    "shared vectors": VQ(3, 8, size=2, shared=True),
}
KINDS = {
    "mlp, categories": ("mlp", (7, 5, 3), "categorical"),
    "mlp, levels": ("mlp", (6, 6, 1), "levels"),
    "mlp, codebook": ("mlp", (6, 6, 1), "codebook"),
    "mlp, values": ("mlp", (6, 6, 1), "values"),
    "mlp, vectors": ("mlp", (6, 6, 1), "vectors"),
    "broadcast, shared vectors": ("broadcast", (16, 16, 1), "shared vectors"),
    "convolutional, numbers": ("convolutional", (64, 64, 1), "gaussian"),
    "convolutional, masked, colours": ("convolutional", (48, 32, 3), "masked"),
    "broadcast, categories": ("broadcast", (32, 24, 1), "categorical"),
}


def untrained(architecture: str, shape: tuple[int, int, int], latent: str) -> TrainedModel:
    """A model with random numbers."""
    shapes = eqx.filter_eval_shape(fresh_autoencoder, architecture, shape, LATENTS[latent], key=jax.random.key(0))
    return TrainedModel(random_numbers(shapes))


def untrained_run(path: Path, *, seeds: int, **options: Any) -> fg.Run:
    """A run whose members have random numbers: on disk in a moment, since nothing is compiled."""
    config = make_config(architecture="mlp", num_latents=2, seeds=seeds, **options)
    run = fg.Run.create(path, config, fg.load_dataset(config.data, **config.data_options))
    shapes = state_shapes(run.group())
    run.publish(random_numbers(shapes, num_members=seeds))
    return run


def random_numbers(shapes: Any, num_members: int = 1) -> Any:
    """Arrays of the given shapes, of a size that keeps pictures between black and white and codes apart."""
    rng = np.random.default_rng(0)

    def numbers(leaf: Any) -> Any:
        if isinstance(leaf, float):
            return leaf  # a hyperparameter
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return jnp.ones(leaf.shape, leaf.dtype)
        num_inputs = max(leaf.size // leaf.shape[-1] // num_members, 1)
        return jnp.asarray(rng.normal(size=leaf.shape) * np.sqrt(2 / num_inputs), leaf.dtype)

    return jax.tree.map(numbers, shapes)
