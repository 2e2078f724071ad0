"""The labelled images of a semi-supervised run: which they are, and in which order a step sees them."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from factorgrid.config import Config
from factorgrid.datasets import Dataset
from factorgrid.datasets.memory import available_bytes
from factorgrid.errors import Error
from factorgrid.method import Labelled
from factorgrid.readable import readable_bytes

TRAIN_SHARE = 0.9


def labelled_sets(config: Config, dataset: Dataset) -> tuple[Labelled, Labelled] | None:
    """The labelled images of `label_seed` in their order: the first 90 % (rounded up) to train, the rest to validate.

    The same for all members, whatever their seed. Of a user's partly labelled images only those with a label count.

    Raises:
        Error: the data set has no labels.
    """
    if not config.labels:
        return None
    if dataset.space is None:
        raise Error(f"data set '{config.data}' has no factors, so labels and masked attention have nothing to go by")
    size, free = 4 * config.labels * math.prod(dataset.image_shape), available_bytes()
    if 3 * size > free:  # drawn, joined, and on the device
        raise Error(f"{config.labels:,} labelled images take {readable_bytes(size)} three times over, and "
                    f"{readable_bytes(free)} are free; use fewer labels")  # fmt: skip
    images, factors = [], []
    found, seed = 0, config.label_seed
    while found < config.labels:
        drawn, labels = dataset.draw(config.labels, seed=(0x1ABE1 + seed) % 2**31)
        some = (labels >= 0).any(axis=1)
        if not some.any():
            raise Error(f"among {config.labels} images of '{config.data}' none has a label")
        images.append(drawn[some])
        factors.append(labels[some])
        found, seed = found + int(some.sum()), seed + 1_000_003
    chosen = jnp.asarray(np.concatenate(images)[: config.labels])
    known = jnp.asarray(np.concatenate(factors)[: config.labels], jnp.int32)
    num_train = int(np.ceil(TRAIN_SHARE * config.labels))
    return Labelled(chosen[:num_train], known[:num_train]), Labelled(chosen[num_train:], known[num_train:])


def labelled_batch(labelled: Labelled, batch_size: int, step: Int[Array, ""]) -> Labelled:
    """The next images of the labelled set in its order, starting over at its end, in the middle of a batch too."""
    index = (step * batch_size + jnp.arange(batch_size)) % len(labelled.images)
    return Labelled(labelled.images[index], labelled.factors[index])
