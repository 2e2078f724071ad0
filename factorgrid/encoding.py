"""A frozen model and a data set -> a Representation: the only door from models to metrics."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from numpy import ndarray

from factorgrid.datasets import Dataset, DeviceDataset
from factorgrid.datasets.table import HostTable, Table, stored_images
from factorgrid.errors import Error
from factorgrid.models import Autoencoder
from factorgrid.models.trained import TrainedModel, in_parts
from factorgrid.representation import Representation

BATCH_SIZE = 1024


def encode(model: TrainedModel, dataset: Dataset, *, batch_size: int = BATCH_SIZE) -> Representation:
    """The codes that `model` gives to the images of `dataset`, computed when asked for, no image twice.

    Images of a data set that lies on the device never leave it.

    Raises:
        Error: the data set has no factors.
    """
    if not isinstance(dataset, DeviceDataset):
        return Representation.from_encoder(model.encode, dataset, batch_size=batch_size)

    def codes_of_batch(factors: Int[ndarray, "sample factor"], seed: int) -> Float[ndarray, "sample latent"]:
        key, wanted = jax.random.key(seed), jnp.asarray(factors, jnp.int32)
        return np.asarray(_codes(model.autoencoder, dataset, key, wanted))

    return Representation.from_batches(codes_of_batch, dataset, batch_size=batch_size)


def encode_labelled(
    model: TrainedModel, table: Table | HostTable, *, seed: int, limit: int
) -> tuple[Float[ndarray, "sample latent"], Int[ndarray, "sample factor"]]:
    """Codes and factors of the fully labelled images of a table, each once, at most `limit` of them chosen by `seed`.

    For a user's own images, whose factors seldom fill a grid, so that codes cannot be drawn by factor values.

    Raises:
        Error: no image has all its labels.
    """
    rows = np.arange(table.layout.index.num_images)
    factors = np.asarray(table.layout.index.factors(jnp.asarray(rows, jnp.int32)))
    known = rows[(factors >= 0).all(axis=1)]
    if not len(known):
        raise Error(f"no image of '{table.name}' has all its labels, so metrics have nothing to compare with")
    chosen = np.sort(np.random.default_rng(seed).permutation(known)[:limit])
    parts = [
        model.encode(stored_images(table, chosen[start : start + BATCH_SIZE], seed))
        for start in range(0, len(chosen), BATCH_SIZE)
    ]
    return np.concatenate(parts), factors[chosen]


@eqx.filter_jit
def _codes(
    model: Autoencoder, dataset: DeviceDataset, key: Key[Array, ""], factors: Int[Array, "sample factor"]
) -> Array:
    return in_parts(lambda images: model.posterior(images).codes(), dataset.images(key, factors), model)
