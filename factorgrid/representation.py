"""Representation: the codes of a data set, drawn by factor values; no image is encoded twice.

The metrics see a model only through this. Three sources of codes stand behind `codes`, and `codes_at` for points
given by index; several threads may ask at once:

* a table: codes of every point of the factor grid are known (`from_table`);
* an encoder over an enumerable data set: codes are computed when first asked for, and kept (`from_encoder`);
* an encoder over a data set whose image is not a function of its factors (Color-dSprites' colours, SmallNORB's
  hidden instance, the position of a circle within its bin): each draw is encoded on demand (`from_encoder`).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace


@runtime_checkable  # so that the test session can check annotations
class Observable(Protocol):
    """What `from_encoder` needs of a data set."""

    @property
    def space(self) -> FactorSpace | None: ...

    @property
    def deterministic(self) -> bool:
        """Whether equal factors always give equal images."""
        ...

    def observe(
        self, factors: Int[ndarray, "sample factor"], seed: int
    ) -> Shaped[ndarray, "sample height width channel"]:
        """Images of the given factors; whatever the factors leave open is drawn from `seed`."""
        ...


@dataclass(frozen=True)
class Representation:
    """Codes over a factor space.

    Attributes:
        space: the factors.
        num_latents: the length of a code.
        codes_of: (index [sample] of points of the grid, seed) -> codes [sample, latent]; `seed` decides what the
            factors leave open and is ignored where they determine the image.
    """

    space: FactorSpace
    num_latents: int
    codes_of: Callable[[Int[ndarray, " sample"], int], Float[ndarray, "sample latent"]]

    @staticmethod
    def from_table(codes: Float[ndarray, "index latent"], space: FactorSpace) -> "Representation":
        """Codes of every point of the grid, in row-major order (last factor fastest).

        Raises:
            Error: the number of rows is not the number of grid points, or a code is NaN or infinite.
        """
        if codes.ndim != 2 or len(codes) != space.num_points:
            raise Error(
                f"codes must have shape [{space.num_points}, latent], a row for every point of the "
                f"{' x '.join(map(str, space.sizes))} factor grid; got {list(codes.shape)}"
            )
        if not np.isfinite(codes).all():
            raise Error(f"codes hold {np.count_nonzero(~np.isfinite(codes))} NaN or infinite values")
        # take is three times faster than indexing with an array
        return Representation(space, codes.shape[1], lambda index, seed: np.take(codes, index, axis=0))

    @staticmethod
    def from_encoder(
        encode: Callable[[Shaped[ndarray, "sample height width channel"]], Float[ndarray, "sample latent"]],
        dataset: Observable,
        *,
        batch_size: int = 1024,
    ) -> "Representation":
        """Codes that `encode` (images in [0, 1] -> codes) gives for the images of `dataset`.

        Raises:
            Error: the data set has no factors.
        """

        def codes_of_batch(factors: Int[ndarray, "sample factor"], seed: int) -> Float[ndarray, "sample latent"]:
            return np.asarray(encode(dataset.observe(factors, seed)))

        return Representation.from_batches(codes_of_batch, dataset, batch_size=batch_size)

    @staticmethod
    def from_batches(
        codes_of_batch: Callable[[Int[ndarray, "sample factor"], int], Float[ndarray, "sample latent"]],
        dataset: Observable,
        *,
        batch_size: int = 1024,
    ) -> "Representation":
        """As `from_encoder`, for an encoder that draws its own images: (factors, seed) -> codes.

        It is always called with `batch_size` rows, so that a compiled encoder is compiled once.

        Raises:
            Error: the data set has no factors.
        """
        space = dataset.space
        if space is None:
            raise Error("this data set has no known factors, so codes cannot be drawn by factor values")

        def codes_of(index: ndarray, seed: int) -> ndarray:
            parts = []
            for start in range(0, len(index), batch_size):
                part = space.factors(index[start : start + batch_size])
                padded = np.concatenate([part, np.repeat(part[:1], batch_size - len(part), axis=0)])
                parts.append(codes_of_batch(padded, (seed + start) % 2**31)[: len(part)])
            return np.concatenate(parts)

        probe = codes_of(np.zeros(1, np.int64), 0)
        num_latents = probe.shape[1]
        if not dataset.deterministic:
            return Representation(space, num_latents, codes_of)
        cache = CodeCache(space.num_points, lambda index: codes_of(index, 0), num_latents, probe.dtype)
        return Representation(space, num_latents, lambda index, seed: cache.codes(index))

    def codes(
        self, factors: Int[ndarray, "sample factor"], rng: np.random.Generator
    ) -> Float[ndarray, "sample latent"]:
        """Codes of images with the given factors. `rng` moves by one draw, whatever stands behind the codes."""
        return self.codes_at(self.space.index(np.asarray(factors, np.int64)), rng)

    def codes_at(self, index: Int[ndarray, " sample"], rng: np.random.Generator) -> Float[ndarray, "sample latent"]:
        """Codes of images at points of the grid, numbered as in `space.index`; `rng` as for `codes`."""
        return self.codes_of(index, int(rng.integers(2**31)))

    def sample(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[ndarray, "sample latent"], Int[ndarray, "sample factor"]]:
        """`num` codes and factors, uniform on the grid, with replacement."""
        factors = self.space.sample(rng, num)
        return self.codes(factors, rng), factors


class CodeCache:
    """Codes of grid points, computed on first request and kept: an image is never encoded twice."""

    def __init__(
        self,
        num_points: int,
        encode: Callable[[Int[ndarray, " sample"]], Float[ndarray, "sample latent"]],
        num_latents: int,
        dtype: np.dtype,
    ) -> None:
        self._encode = encode
        self._codes = np.empty((num_points, num_latents), dtype)
        self._known = np.zeros(num_points, bool)
        self._lock = threading.Lock()

    @property
    def num_encoded(self) -> int:
        """How many images have been encoded so far."""
        return int(self._known.sum())

    def codes(self, index: Int[ndarray, " sample"]) -> Float[ndarray, "sample latent"]:
        # threads that ask for the same codes wait for the one that encodes them
        with self._lock:
            missing = np.unique(index[~self._known[index]])
            if len(missing):
                self._codes[missing] = self._encode(missing)
                self._known[missing] = True
        return np.take(self._codes, index, axis=0)
