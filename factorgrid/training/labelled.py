"""The labelled images of a semi-supervised run: which they are, and in which order a step sees them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy import ndarray

from factorgrid.config import Config
from factorgrid.datasets import DATASETS, Dataset
from factorgrid.datasets.memory import available_bytes
from factorgrid.datasets.table import HostTable, Table, images_of_rows
from factorgrid.errors import Error
from factorgrid.method import Labelled
from factorgrid.readable import readable_bytes

TRAIN_SHARE = 0.9


def labelled_sets(config: Config, dataset: Dataset) -> tuple[Labelled, Labelled] | None:
    """The labelled images of `label_seed` in their order: the first 90 % (rounded up) to train, the rest to validate.

    The same for all members, whatever their seed. Of a user's own images each is taken once at most, and only those
    with a label count.

    Raises:
        Error: the data set has no labels, or not so many.
    """
    if not config.labels:
        return None
    if dataset.space is None:
        raise Error(f"data set '{config.data}' has no factors, so labels and masked attention have nothing to go by")
    size, free = 4 * config.labels * math.prod(dataset.image_shape), available_bytes()
    if 3 * size > free:  # drawn, joined, and on the device
        raise Error(f"{config.labels:,} labelled images take {readable_bytes(size)} three times over, and "
                    f"{readable_bytes(free)} are free; use fewer labels")  # fmt: skip
    seed = (0x1ABE1 + config.label_seed) % 2**31
    if isinstance(dataset, Table | HostTable) and config.data not in DATASETS:
        drawn = _each_once(dataset, config.labels, seed)
    else:
        drawn = dataset.draw(config.labels, seed=seed)
    chosen, known = jnp.asarray(drawn[0]), jnp.asarray(drawn[1], jnp.int32)
    num_train = int(np.ceil(TRAIN_SHARE * config.labels))
    return Labelled(chosen[:num_train], known[:num_train]), Labelled(chosen[num_train:], known[num_train:])


def _each_once(
    dataset: Table | HostTable, num: int, seed: int
) -> tuple[Float[ndarray, "num height width channel"], Int[ndarray, "num factor"]]:
    """Labelled images of a table of few, none of them twice: what validates must not have been trained on."""
    index = dataset.layout.index
    labels = np.asarray(index.factors(jnp.arange(index.num_images)))
    known = np.flatnonzero((labels >= 0).any(axis=1))
    if len(known) < num:
        raise Error(f"'{dataset.name}' has {len(known):,} labelled images, and labels={num:,} were asked for")
    rows = np.random.default_rng(seed).permutation(known)[:num]
    return images_of_rows(dataset, jax.random.key(seed), jnp.asarray(rows)), labels[rows]


def labelled_batch(labelled: Labelled, batch_size: int, step: Int[Array, ""]) -> Labelled:
    """The next images of the labelled set in its order, starting over at its end, in the middle of a batch too."""
    index = (step * batch_size + jnp.arange(batch_size)) % len(labelled.images)
    return Labelled(labelled.images[index], labelled.factors[index])
