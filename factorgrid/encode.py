"""A frozen model and a data set -> a Representation: the only door from models to metrics."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from numpy import ndarray

from factorgrid.datasets import Dataset
from factorgrid.models import Autoencoder
from factorgrid.models.trained import TrainedModel
from factorgrid.representation import Representation

BATCH_SIZE = 1024


def encode(model: TrainedModel, dataset: Dataset, *, batch_size: int = BATCH_SIZE) -> Representation:
    """The codes that `model` gives to the images of `dataset`, computed when asked for, no image twice.

    Images of a data set that lies on the device never leave it.

    Raises:
        Error: the data set has no factors.
    """
    if not dataset.resident:
        return Representation.from_encoder(model.encode, dataset, batch_size=batch_size)

    def codes_of_batch(factors: Int[ndarray, "sample factor"], seed: int) -> Float[ndarray, "sample latent"]:
        key, wanted = jax.random.key(seed), jnp.asarray(factors, jnp.int32)
        return np.asarray(_codes(model.autoencoder, dataset, key, wanted))

    return Representation.from_batches(codes_of_batch, dataset, batch_size=batch_size)


@eqx.filter_jit
def _codes(model: Autoencoder, dataset: Dataset, key: Key[Array, ""], factors: Int[Array, "sample factor"]) -> Array:
    return model.posterior(dataset.images(key, factors)).codes()
