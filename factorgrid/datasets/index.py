"""Which row of a table of images shows which factor values, both ways.

Two kinds: `Grid`, one image for every point of the factor space in row-major order, needs arithmetic only; `Labels`
holds the factors of each row and covers everything else: several images of the same factors (a hidden factor),
factor combinations without an image, labels with gaps, no labels at all.
"""

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, Key
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

UNKNOWN = -1


class Index(eqx.Module):
    """Rows of a table and the factors they show.

    Attributes:
        space: the factors; None if none are known.
        num_images: rows of the table.
        unique: whether no two rows show the same factors, so that factors determine the image.
        complete: whether every point of the space has a row.
    """

    space: eqx.AbstractVar[FactorSpace | None]
    num_images: eqx.AbstractVar[int]
    unique: eqx.AbstractVar[bool]
    complete: eqx.AbstractVar[bool]

    @abstractmethod
    def factors(self, rows: Int[Array, " batch"]) -> Int[Array, "batch factor"]:
        """Factor values of the given rows; -1 where unknown. Pure."""

    @abstractmethod
    def find(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> tuple[Int[Array, " batch"], Bool[Array, " batch"]]:
        """A row for each factor vector, uniform among those that show it, and whether there is one. Pure."""

    def draw(self, key: Key[Array, ""], num: int) -> tuple[Int[Array, " batch"], Int[Array, "batch factor"]]:
        """`num` rows, uniform over the images with replacement, and their factors. Pure."""
        rows = jax.random.randint(key, (num,), 0, self.num_images, dtype=jnp.int32)
        return rows, self.factors(rows)


class Grid(Index):
    """One image for each point of `space`, in row-major order (the last factor runs fastest)."""

    space: FactorSpace = eqx.field(static=True)
    num_images: int = eqx.field(static=True)
    unique: bool = eqx.field(static=True, default=True)
    complete: bool = eqx.field(static=True, default=True)

    def __init__(self, space: FactorSpace) -> None:
        self.space, self.num_images = space, space.num_points

    def factors(self, rows: Int[Array, " batch"]) -> Int[Array, "batch factor"]:
        return self.space.factors(rows)

    def find(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> tuple[Int[Array, " batch"], Bool[Array, " batch"]]:
        inside = jnp.all((factors >= 0) & (factors < jnp.asarray(self.space.sizes, jnp.int32)), axis=1)
        return self.space.index(factors.astype(jnp.int32)), inside


class Labels(Index):
    """The factors of each row, and a search tree over them (`index_labels` builds both).

    The tree has a level for each factor: `prefixes[i]` holds, sorted, every rank * size + value that occurs, where
    rank numbers the distinct values of the factors before. So keys stay below images * size, whatever the size of
    the grid: a product of many large factors would not fit 32 bits.

    Attributes:
        labels: [image factor], -1 where unknown.
        prefixes: sorted keys of each level.
        order: rows sorted by factors; rows with unknown factors left out.
        first, count: where in `order` the rows of each distinct factor vector begin, and how many there are.
    """

    labels: Int[Array, "image factor"]
    prefixes: tuple[Int[Array, " _distinct"], ...]
    order: Int[Array, " known"]
    first: Int[Array, " vector"]
    count: Int[Array, " vector"]
    space: FactorSpace | None = eqx.field(static=True)
    num_images: int = eqx.field(static=True)
    unique: bool = eqx.field(static=True)
    complete: bool = eqx.field(static=True)

    def factors(self, rows: Int[Array, " batch"]) -> Int[Array, "batch factor"]:
        return self.labels[rows]

    def find(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> tuple[Int[Array, " batch"], Bool[Array, " batch"]]:
        sizes = self.space.sizes if self.space is not None else ()
        rank = jnp.zeros(factors.shape[0], jnp.int32)
        found = jnp.ones(factors.shape[0], bool)
        for i, (keys, size) in enumerate(zip(self.prefixes, sizes)):
            value = factors[:, i].astype(jnp.int32)
            wanted = rank * size + value
            rank = jnp.minimum(jnp.searchsorted(keys, wanted), len(keys) - 1).astype(jnp.int32)
            found &= (keys[rank] == wanted) & (value >= 0) & (value < size)
        first, count = self.first[rank], self.count[rank]
        pick = (jax.random.uniform(key, count.shape) * count.astype(jnp.float32)).astype(jnp.int32)
        return self.order[first + jnp.clip(pick, 0, jnp.maximum(count - 1, 0))], found


def index_labels(labels: Int[ndarray, "image factor"], space: FactorSpace | None) -> Index:
    """The index of a table whose rows have the given labels: a `Grid` if they are one, else `Labels`.

    Args:
        labels: values 0 .. size - 1, or -1 where unknown; [image, 0] for a table without factors.
        space: their names and sizes; None for a table without factors.

    Raises:
        Error: a label is out of range, or there are too many images for 32-bit row numbers.
    """
    num_images, num_factors = labels.shape
    assert num_factors == (space.num_factors if space is not None else 0)
    known = np.flatnonzero((labels >= 0).all(axis=1))
    if space is not None:
        space.check(labels[known])
        if len(known) == num_images == space.num_points and np.array_equal(space.index(labels), np.arange(num_images)):
            return Grid(space)
    sizes = space.sizes if space is not None else ()
    if num_images * max(sizes, default=1) >= 2**31:
        raise Error(f"{num_images:,} images with a factor of {max(sizes, default=1):,} values are too many to index")
    order = known[np.lexsort(labels[known].T[::-1])] if num_factors else known
    rank = np.zeros(len(order), np.int64)
    prefixes = []
    for i, size in enumerate(sizes):
        keys, rank = np.unique(rank * size + labels[order, i], return_inverse=True)
        prefixes.append(keys if len(keys) else np.array([UNKNOWN]))
    count = np.bincount(rank, minlength=1)
    return Labels(
        labels=jnp.asarray(labels, jnp.int32),
        prefixes=tuple(jnp.asarray(keys, jnp.int32) for keys in prefixes),
        order=jnp.asarray(order if len(order) else np.zeros(1), jnp.int32),
        first=jnp.asarray(np.cumsum(count) - count, jnp.int32),
        count=jnp.asarray(count, jnp.int32),
        space=space,
        num_images=num_images,
        unique=bool(count.max() <= 1),
        complete=space is not None and len(order) > 0 and len(count) == space.num_points,
    )
