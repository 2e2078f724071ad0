"""Data sets that are tables of images: on the device when they fit, else mapped on the host.

A table has a `Layout` (everything but the pixels: which row shows which factors, how stored pixels become images)
and pixels. `Table` holds them on the device and draws inside compiled programs; `HostTable` cannot, so its steps
are taken apart: `rows` (compiled), `gather` (host, ahead of use: `feeder.py`), `decode` (compiled). A `Table`
draws by the same three steps, so both give the same batch for the same key.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key, Shaped
from numpy import ndarray

from factorgrid.datasets.dataset import Batch, Dataset, DeviceDataset
from factorgrid.datasets.index import Index
from factorgrid.datasets.memory import available_bytes
from factorgrid.errors import Error, check_whole
from factorgrid.factors import FactorSpace
from factorgrid.readable import readable_bytes

Encoding = Literal["levels", "bits", "float32"]
Residence = Literal["auto", "device", "host"]
Paint = Callable[[Key[Array, ""], Float[Array, "batch height width 1"]], Float[Array, "batch height width 3"]]

# Reading is bound by memory and disk, not by cores: more threads than cores keep the disk's queue filled.
GATHER_THREADS = 4
ROWS_PER_TASK = 64


class Layout(eqx.Module):
    """What a table is, besides its pixels.

    Attributes:
        name: of the data set.
        index: which row shows which factors.
        image_shape: (height, width, channel) of the images that `decode` gives.
        encoding: how a row is stored: "levels" [height width channel], integers, 255 is white; "bits" [bytes],
            eight 0/1 pixels a byte, the first in the highest bit; "float32" [height width channel], as it is.
        origin: where the pixels come from.
        paint: (key, stored images) -> images, for what chance adds to the stored image; None if nothing.
    """

    index: Index
    name: str = eqx.field(static=True)
    image_shape: tuple[int, int, int] = eqx.field(static=True)
    encoding: Encoding = eqx.field(static=True, default="levels")
    origin: str = eqx.field(static=True, default="")
    paint: Paint | None = eqx.field(static=True, default=None)

    # `rows`, `find` and `decode` take the caller's one key and each uses its own half of it.
    def rows(self, key: Key[Array, ""], num: int) -> tuple[Int[Array, " batch"], Int[Array, "batch factor"]]:
        """`num` rows, uniform over the images, and their factors. Pure."""
        return self.index.draw(jax.random.split(key)[0], num)

    def find(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> tuple[Int[Array, " batch"], Bool[Array, " batch"]]:
        """A row for each factor vector, and whether there is one. Pure."""
        return self.index.find(jax.random.split(key)[0], factors)

    def decode(
        self, key: Key[Array, ""], raw: Shaped[Array, "batch *stored"]
    ) -> Float[Array, "batch height width channel"]:
        """Stored rows -> float32 images. Pure. `key`: the one that the rows were drawn with."""
        if self.encoding == "bits":
            stored = (*self.image_shape[:2], self.image_shape[2] if self.paint is None else 1)
            pixels = jnp.unpackbits(raw, axis=-1).reshape(-1, *stored).astype(jnp.float32)
        elif self.encoding == "levels":
            pixels = raw.astype(jnp.float32) / 255
        else:
            pixels = raw
        return pixels if self.paint is None else self.paint(jax.random.split(key)[1], pixels)


class Table(DeviceDataset):
    """A table on the device: its pixels are a leaf of the pytree, sampling runs in compiled programs."""

    name: str = eqx.field(static=True)
    space: FactorSpace | None = eqx.field(static=True)
    image_shape: tuple[int, int, int] = eqx.field(static=True)
    deterministic: bool = eqx.field(static=True)
    layout: Layout
    pixels: Shaped[Array, "image *stored"]

    def __init__(self, layout: Layout, pixels: Shaped[Array, "image *stored"]) -> None:
        self.name, self.space, self.image_shape = layout.name, layout.index.space, layout.image_shape
        self.deterministic = layout.index.unique and layout.paint is None
        self.layout, self.pixels = layout, pixels

    @property
    def origin(self) -> str:
        return self.layout.origin

    def rows(self, key: Key[Array, ""], num: int) -> tuple[Int[Array, " batch"], Int[Array, "batch factor"]]:
        """Rows and factors of what `sample` draws for the same key. Pure."""
        return self.layout.rows(key, num)

    def gather(self, rows: Int[Array, "*batch"]) -> Shaped[Array, "..."]:
        """Stored rows. Pure."""
        return self.pixels[rows]

    def decode(self, key: Key[Array, ""], raw: Shaped[Array, "..."]) -> Float[Array, "batch height width channel"]:
        """Stored rows -> images. Pure."""
        return self.layout.decode(key, raw)

    def sample(self, key: Key[Array, ""], num: int) -> Batch:
        rows, factors = self.rows(key, num)
        return Batch(self.decode(key, self.gather(rows)), factors)

    def images(
        self, key: Key[Array, ""], factors: Int[Array, "batch factor"]
    ) -> Float[Array, "batch height width channel"]:
        """Images of the given factor values; NaN where the table has none (`observe` raises an Error instead)."""
        rows, found = self.layout.find(key, factors)
        return jnp.where(found[:, None, None, None], self.decode(key, self.gather(rows)), jnp.nan)

    def observe(self, factors: Int[ndarray, "batch factor"], seed: int) -> Float[ndarray, "batch height width channel"]:
        return _observe(self, factors, seed)


class HostPixels:
    """Pixels on the host, in memory or memory-mapped, and threads to copy them with.

    Compared by identity, so that it may stand in a static field: a compiled program never sees the pixels.

    Attributes:
        array: [stored, ...].
        kept: rows of `array` that make the table, in its order; None for all.
    """

    def __init__(self, array: Shaped[ndarray, "..."], kept: Int[ndarray, " image"] | None = None) -> None:
        self.array, self.kept = array, kept
        self._threads = ThreadPoolExecutor(GATHER_THREADS, thread_name_prefix="factorgrid-gather")

    def take(self, rows: Int[ndarray, "*batch"]) -> Shaped[ndarray, "..."]:
        """Copies of the given rows, in their order: [*batch, ...]."""
        wanted = rows.reshape(-1) if self.kept is None else self.kept[rows.reshape(-1)]
        order = np.argsort(wanted)  # walking the file forwards touches each of its pages once
        result = np.empty((len(wanted), *self.array.shape[1:]), self.array.dtype)

        def copy(start: int) -> None:
            part = order[start : start + ROWS_PER_TASK]
            result[part] = self.array[wanted[part]]

        list(self._threads.map(copy, range(0, len(wanted), ROWS_PER_TASK)))
        return result.reshape(*rows.shape, *self.array.shape[1:])


class HostTable(Dataset):
    """A table on the host, fed to compiled programs by `rows`, `gather` and `decode`.

    `decode(key, gather(rows))` with `rows, factors = rows(key, num)` is exactly what the device `Table` of the same
    pixels would sample for `key`.
    """

    name: str = eqx.field(static=True)
    space: FactorSpace | None = eqx.field(static=True)
    image_shape: tuple[int, int, int] = eqx.field(static=True)
    deterministic: bool = eqx.field(static=True)
    layout: Layout
    pixels: HostPixels = eqx.field(static=True)

    def __init__(self, layout: Layout, pixels: HostPixels) -> None:
        self.name, self.space, self.image_shape = layout.name, layout.index.space, layout.image_shape
        self.deterministic = layout.index.unique and layout.paint is None
        self.layout, self.pixels = layout, pixels

    @property
    def origin(self) -> str:
        return self.layout.origin

    def rows(self, key: Key[Array, ""], num: int) -> tuple[Int[Array, " batch"], Int[Array, "batch factor"]]:
        """Rows (int32) and their factors, uniform over the images. Pure, runs in jit."""
        return self.layout.rows(key, num)

    def gather(self, rows: Int[ndarray, "*batch"]) -> Shaped[ndarray, "..."]:
        """Stored rows [*batch, ...], copied on the host. Not for compiled programs."""
        return self.pixels.take(rows)

    def decode(self, key: Key[Array, ""], raw: Shaped[Array, "..."]) -> Float[Array, "batch height width channel"]:
        """Stored rows [batch, ...] -> images. Pure, runs in jit. `key`: the one given to `rows`."""
        return self.layout.decode(key, raw)

    def observe(self, factors: Int[ndarray, "batch factor"], seed: int) -> Float[ndarray, "batch height width channel"]:
        return _observe(self, factors, seed)

    def draw(
        self, num: int, seed: int
    ) -> tuple[Float[ndarray, "batch height width channel"], Int[ndarray, "batch factor"]]:
        num = check_whole(num, "num", least=1)
        key = jax.random.key(seed)
        rows, factors = _rows(self.layout, key, num)
        return images_of_rows(self, key, rows), np.asarray(factors)


def make_table(
    pixels: Shaped[ndarray, "..."],
    layout: Layout,
    *,
    resident: Residence = "auto",
    budget: int | None = None,
    kept: Int[ndarray, " image"] | None = None,
) -> Table | HostTable:
    """A table of `pixels` [image, ...], wherever it fits.

    Args:
        pixels: an array or memory map, stored as `layout.encoding` says.
        layout: the rest.
        resident: "device", "host", or "auto": on the device if the table fits the budget.
        budget: bytes that the table may take on the device; by default a third of the memory that is free (half on
            an accelerator), so that networks and programs have room.
        kept: rows of `pixels` that make the table; all by default.

    Raises:
        Error: `resident="device"` for a table larger than the memory that is free.
    """
    num_images = len(pixels) if kept is None else len(kept)
    assert num_images == layout.index.num_images, (num_images, layout.index.num_images)
    size = num_images * int(np.prod(pixels.shape[1:])) * pixels.dtype.itemsize
    free = available_bytes()
    if budget is None:
        budget = free // (3 if jax.default_backend() == "cpu" else 2)
    if resident == "device" and size > free:
        raise Error(
            f"data set '{layout.name}' takes {readable_bytes(size)} on the device, where {readable_bytes(free)} are "
            f"free; load it with resident='host'"
        )
    if resident == "host" or (resident == "auto" and size > budget):
        return HostTable(layout, HostPixels(pixels, kept))
    return Table(layout, jnp.asarray(pixels if kept is None else pixels[kept]))


def stored_images(
    table: Table | HostTable, rows: Int[ndarray, " batch"], seed: int
) -> Float[ndarray, "batch height width channel"]:
    """Images by row, for tables whose images are not all told apart by factors; `seed` decides what chance adds."""
    return images_of_rows(table, jax.random.key(seed), jnp.asarray(rows, jnp.int32))


def _observe(
    table: Table | HostTable, factors: Int[ndarray, "batch factor"], seed: int
) -> Float[ndarray, "batch height width channel"]:
    key = jax.random.key(seed)
    rows, found = _find(table.layout, key, jnp.asarray(factors, jnp.int32))
    missing = np.flatnonzero(~np.asarray(found))
    if len(missing):
        names = table.space.names if table.space is not None else ()
        values = ", ".join(f"{name} {value}" for name, value in zip(names, factors[missing[0]]))
        raise Error(f"data set '{table.name}' has no image with {values}, nor for {len(missing) - 1} other requests")
    return images_of_rows(table, key, rows)


def images_of_rows(
    table: Table | HostTable, key: Key[Array, ""], rows: Int[Array, " batch"]
) -> Float[ndarray, "batch height width channel"]:
    """Images by their place in the table."""
    raw = table.gather(rows) if isinstance(table, Table) else table.gather(np.asarray(rows))
    return np.asarray(_decode(table.layout, key, jnp.asarray(raw)))


@eqx.filter_jit
def _rows(layout: Layout, key: Key[Array, ""], num: int) -> tuple[Array, Array]:
    return layout.rows(key, num)


@eqx.filter_jit
def _find(layout: Layout, key: Key[Array, ""], factors: Array) -> tuple[Array, Array]:
    return layout.find(key, factors)


@eqx.filter_jit
def _decode(layout: Layout, key: Key[Array, ""], raw: Array) -> Array:
    return layout.decode(key, raw)
