"""What a data set is to the rest of the program: a frozen pytree that draws images of known factors.

Every data set draws for NumPy callers (`draw`, `observe`). A `DeviceDataset` also draws inside compiled programs, which
take it as an argument: its arrays (a table of images, say) are leaves, its description (name, factors, shape) is
static. A table that lies on the host (`datasets.table.HostTable`) cannot, and is fed to them row by row.
"""

from abc import abstractmethod
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from numpy import ndarray

from factorgrid.errors import check_whole
from factorgrid.factors import FactorSpace


class Batch(NamedTuple):
    """Images in [0, 1] and the factor values that made them.

    A data set without known factors has factors of shape [batch, 0]; an unknown label is -1.
    """

    images: Float[Array, "batch height width channel"]
    factors: Int[Array, "batch factor"]


class Dataset(eqx.Module):
    """Images with known factors, for NumPy callers.

    Attributes:
        name: as in the table of data sets; names of rendered twins end in `_twin`.
        space: the factors that metrics may see; None if none are known.
        image_shape: (height, width, channel).
        deterministic: whether an image is a function of its factors, so that codes may be cached by factor values.
    """

    name: eqx.AbstractVar[str]
    space: eqx.AbstractVar[FactorSpace | None]
    image_shape: eqx.AbstractVar[tuple[int, int, int]]
    deterministic: eqx.AbstractVar[bool]

    @property
    def origin(self) -> str:
        """Where the images come from, for a run's record: checksums of files, or that they are drawn."""
        return "drawn by factorgrid"

    @abstractmethod
    def observe(self, factors: Int[ndarray, "batch factor"], seed: int) -> Float[ndarray, "batch height width channel"]:
        """Images of the given factor values; `seed` decides whatever they leave open."""

    @abstractmethod
    def draw(
        self, num: int, seed: int
    ) -> tuple[Float[ndarray, "batch height width channel"], Int[ndarray, "batch factor"]]:
        """`num` images and their factors, uniform over the generative model, with replacement; at least one."""


class DeviceDataset(Dataset):
    """A data set that also draws inside compiled programs: `images` and `sample` are pure."""

    @abstractmethod
    def images(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> Float[Array, "batch height width channel"]:
        """Images of the given factor values; `key` decides whatever they leave open. Pure, runs in jit."""

    def sample(self, key: Key[Array, ""], num: int) -> Batch:
        """`num` images, uniform over the generative model, with replacement. Pure, runs in jit."""
        assert self.space is not None, "a data set without factors must define its own sample"
        key_factors, key_images = jax.random.split(key)
        factors = sample_factors(key_factors, self.space, num)
        return Batch(self.images(key_images, factors), factors)

    def observe(self, factors: Int[ndarray, "batch factor"], seed: int) -> Float[ndarray, "batch height width channel"]:
        return np.asarray(_images(self, jax.random.key(seed), jnp.asarray(factors, jnp.int32)))

    def draw(
        self, num: int, seed: int
    ) -> tuple[Float[ndarray, "batch height width channel"], Int[ndarray, "batch factor"]]:
        num = check_whole(num, "num", least=1)
        images, factors = _sample(self, jax.random.key(seed), num)
        return np.asarray(images), np.asarray(factors)


@eqx.filter_jit
def _sample(dataset: DeviceDataset, key: Key[Array, ""], num: int) -> Batch:
    return dataset.sample(key, num)


@eqx.filter_jit
def _images(dataset: DeviceDataset, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Array:
    return dataset.images(key, factors)


def sample_factors(key: Key[Array, ""], space: FactorSpace, num: int) -> Int[Array, "batch factor"]:
    """`num` factor vectors, uniform on the grid, int32."""
    sizes = jnp.asarray(space.sizes, jnp.int32)
    return jax.random.randint(key, (num, space.num_factors), 0, sizes, dtype=jnp.int32)
