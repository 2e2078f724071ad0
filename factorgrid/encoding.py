"""A frozen model and a data set -> a Representation: the only door from models to metrics."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from numpy import ndarray

from factorgrid.datasets import Dataset, DeviceDataset
from factorgrid.datasets.table import HostTable, Table, stored_images
from factorgrid.errors import Error
from factorgrid.metrics.hard import Codes
from factorgrid.models import Autoencoder
from factorgrid.models.trained import TrainedModel, as_floats, in_batches, in_parts
from factorgrid.representation import Representation

BATCH_SIZE = 1024


def encode(model: TrainedModel, dataset: Dataset, *, batch_size: int = BATCH_SIZE) -> Representation:
    """The codes that `model` gives to the images of `dataset`, computed when asked for, no image twice.

    Images of a data set that lies on the device never leave it.

    Raises:
        Error: the data set has no factors.
    """
    return encode_as(model, dataset, ("soft",), batch_size=batch_size)["soft"]


def encode_as(
    model: TrainedModel, dataset: Dataset, kinds: Sequence[Codes], *, batch_size: int = BATCH_SIZE
) -> dict[Codes, Representation]:
    """As `encode`, for several kinds of codes: a pass through the network gives all of them.

    Args:
        kinds: "soft": the codes of `TrainedModel.encode`; "hard": positions of the categories of `categorize`.

    Raises:
        Error: the data set has no factors, or hard codes of a model without categories.
    """
    positions = _positions(model, kinds)
    if isinstance(dataset, DeviceDataset):

        def codes_of_batch(factors: Int[ndarray, "sample factor"], seed: int) -> Float[ndarray, "sample code"]:
            key, wanted = jax.random.key(seed), jnp.asarray(factors, jnp.int32)
            parameters = _parameters_of(model.autoencoder, dataset, key, wanted)
            return np.asarray(_codes(model.autoencoder, parameters, kinds, positions))

        whole = Representation.from_batches(codes_of_batch, dataset, batch_size=batch_size)
    else:
        read = partial(_codes_of_images, model, kinds=kinds, positions=positions)
        whole = Representation.from_encoder(read, dataset, batch_size=batch_size)
    if len(kinds) == 1:
        return {kinds[0]: whole}
    return {kind: _columns(whole, place * model.num_latents, model.num_latents) for place, kind in enumerate(kinds)}


def encode_labelled(
    model: TrainedModel, table: Table | HostTable, kinds: Sequence[Codes] = ("soft",), *, seed: int, limit: int
) -> tuple[dict[Codes, Float[ndarray, "sample latent"]], Int[ndarray, "sample factor"]]:
    """Codes of each kind, and factors, of the fully labelled images of a table, each once, at most `limit` of them
    chosen by `seed`.

    For a user's own images, whose factors seldom fill a grid, so that codes cannot be drawn by factor values.

    Raises:
        Error: no image has all its labels, or hard codes of a model without categories.
    """
    rows = np.arange(table.layout.index.num_images)
    factors = np.asarray(table.layout.index.factors(jnp.asarray(rows, jnp.int32)))
    known = rows[(factors >= 0).all(axis=1)]
    if not len(known):
        raise Error(f"no image of '{table.name}' has all its labels, so metrics have nothing to compare with")
    chosen = np.sort(np.random.default_rng(seed).permutation(known)[:limit])
    positions = _positions(model, kinds)
    parts = [
        _codes_of_images(model, stored_images(table, chosen[start : start + BATCH_SIZE], seed), kinds, positions)
        for start in range(0, len(chosen), BATCH_SIZE)
    ]
    columns = np.split(np.concatenate(parts), len(kinds), axis=1)
    return dict(zip(kinds, columns)), factors[chosen]


def _positions(model: TrainedModel, kinds: Sequence[Codes]) -> Float[Array, "latent category"] | None:
    return jnp.asarray(model.position_table, jnp.float32) if "hard" in kinds else None


def _columns(whole: Representation, start: int, num: int) -> Representation:
    return Representation(whole.space, num, lambda index, seed: whole.codes_of(index, seed)[:, start : start + num])


def _codes_of_images(
    model: TrainedModel, images: Any, kinds: Sequence[Codes], positions: Array | None
) -> Float[ndarray, "n code"]:
    floats = as_floats(images, model.image_shape)
    return in_batches(
        lambda inner, part: _codes(inner, _parameters(inner, part), kinds, positions), model.autoencoder, floats
    )


def _codes(model: Autoencoder, parameters: Array, kinds: Sequence[Codes], positions: Array | None) -> Array:
    """Codes of several kinds side by side.

    The encoder has a program of its own and so has each kind: compiled into one, a kind would be rounded otherwise as
    soon as another is asked for.
    """
    return jnp.concatenate(
        [_hard(model, parameters, positions) if kind == "hard" else _soft(model, parameters) for kind in kinds], axis=1
    )


@eqx.filter_jit
def _parameters(model: Autoencoder, images: Array) -> Array:
    return in_parts(model.parameters, images, model)


@eqx.filter_jit
def _parameters_of(
    model: Autoencoder, dataset: DeviceDataset, key: Key[Array, ""], factors: Int[Array, "sample factor"]
) -> Array:
    return in_parts(model.parameters, dataset.images(key, factors), model)


@eqx.filter_jit
def _soft(model: Autoencoder, parameters: Array) -> Array:
    return model.read(parameters).codes()


@eqx.filter_jit
def _hard(model: Autoencoder, parameters: Array, positions: Float[Array, "latent category"] | None) -> Array:
    posterior: Any = model.read(parameters)
    assert positions is not None, "hard codes come with the positions of their categories"
    return jnp.take_along_axis(positions.T, posterior.categories(), axis=0)
