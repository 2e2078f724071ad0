"""FactorSpace: the ground-truth factors of a data set, and the one-to-one map from factor values to index.

A data set with factors of sizes S_1 .. S_f is a grid of S_1 * ... * S_f points. Points are numbered in
row-major order (the last factor runs fastest), which is the order of the published files.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from factorgrid.errors import Error, unknown_name

MOST_WORDS = 4  # that are named one by one


@dataclass(frozen=True)
class FactorSpace:
    """Names and sizes of the factors; factor i takes the integer values 0 .. sizes[i] - 1.

    Attributes:
        names, sizes: of the factors.
        words: for each factor what its values are called, such as ("blue", "green", "red"); () where nobody said. For
            people only: spaces that differ in words alone are equal.

    Raises:
        Error: names, sizes and words differ in length, a name repeats, or a size is below 1.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    words: tuple[tuple[str, ...], ...] = field(default=(), compare=False)

    def __init__(self, names: Sequence[str], sizes: Sequence[int], words: Sequence[Sequence[str]] = ()) -> None:
        object.__setattr__(self, "names", tuple(str(name) for name in names))
        object.__setattr__(self, "sizes", tuple(int(size) for size in sizes))
        object.__setattr__(self, "words", tuple(tuple(map(str, each)) for each in words))
        if len(self.names) != len(self.sizes):
            raise Error(f"{len(self.names)} factor names for {len(self.sizes)} factor sizes; give one size per name")
        if len(set(self.names)) != len(self.names):
            raise Error(f"factor names must differ, got {', '.join(self.names)}")
        if any(size < 1 for size in self.sizes):
            raise Error(f"factor sizes must be at least 1, got {self.sizes}")
        if self.words and tuple(map(len, self.words)) != self.sizes:
            raise Error(f"factors of sizes {self.sizes} need a word for each value, got {tuple(map(len, self.words))}")

    @property
    def num_factors(self) -> int:
        return len(self.sizes)

    @property
    def num_points(self) -> int:
        """How many points the grid has: the product of the sizes."""
        return math.prod(self.sizes)

    @property
    def strides(self) -> tuple[int, ...]:
        """Index distance between neighbouring values of each factor (mixed-radix place values)."""
        return tuple(math.prod(self.sizes[i + 1 :]) for i in range(self.num_factors))

    def said(self, factor: int) -> str:
        """The values of a factor for people.

        >>> FactorSpace(["hue", "size"], [3, 9], [["blue", "green", "red"], list("123456789")]).said(0)
        'blue, green, red'
        >>> FactorSpace(["hue"], [3]).said(0)
        '0 .. 2'
        """
        words = self.words[factor] if self.words else ()
        if words and len(words) <= MOST_WORDS:
            return ", ".join(words)
        return f"{words[0]} .. {words[-1]}" if words else f"0 .. {self.sizes[factor] - 1}"

    def position(self, name: str) -> int:
        """Column of the factor called `name`."""
        if name not in self.names:
            raise unknown_name("factor", name, self.names)
        return self.names.index(name)

    # The two conversions use only operators that NumPy and JAX arrays share, so they work on either,
    # inside a compiled program too (grids of up to 2^31 points in 32-bit arithmetic).
    def index(self, factors: Any) -> Any:
        """Factor values [..., factor] -> row-major index [...]. Values are not checked: see `check`."""
        result = factors[..., 0] * self.strides[0]
        for i in range(1, self.num_factors):
            result = result + factors[..., i] * self.strides[i]
        return result

    def factors(self, index: Any) -> Any:
        """Row-major index [...] -> factor values [..., factor], NumPy or JAX integers."""
        strides, sizes = np.asarray(self.strides, np.int32), np.asarray(self.sizes, np.int32)
        return (index[..., None] // strides) % sizes

    def check(self, factors: Int[ndarray, "sample factor"]) -> None:
        """Raise an Error that names the first factor with a value outside 0 .. size - 1."""
        if factors.ndim != 2 or factors.shape[1] != self.num_factors:
            raise Error(f"factors must have shape [sample, {self.num_factors}], got {list(factors.shape)}")
        for i, (name, size) in enumerate(zip(self.names, self.sizes)):
            if len(factors) and (factors[:, i].min() < 0 or factors[:, i].max() >= size):
                low, high = factors[:, i].min(), factors[:, i].max()
                raise Error(f"factor '{name}' must be within 0..{size - 1}, got values from {low} to {high}")

    def sample(self, rng: np.random.Generator, num: int) -> Int[ndarray, "sample factor"]:
        """`num` factor vectors, uniform on the grid, with replacement."""
        return np.stack([rng.integers(size, size=num) for size in self.sizes], axis=1)
