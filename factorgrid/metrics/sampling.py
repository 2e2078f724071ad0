"""How the metrics draw their samples: every count in one place, and two samplers with one set of methods.

A sampler draws codes by factor values: from the whole factor grid through a Representation (`GridSampler`), or from
a fixed set of codes with their factors, complete or not (`GivenSampler`). Samplers are the only part of this room
that touches a Representation; what they return are plain arrays.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.errors import Error, check_whole
from factorgrid.metrics.checks import MAX_BINS, as_codes, check_bins, check_counts, varying
from factorgrid.metrics.mutual_information import compact
from factorgrid.representation import Representation

CHUNK_ROWS = 2**15  # codes gathered at once: few enough to stay in a processor's cache


@dataclass(frozen=True)
class Counts:
    """How many samples the metrics draw; the defaults are the published ones, `QUICK` is for a first look.

    Attributes:
        num_train, num_test: points of every metric, or BetaVAE samples, or FactorVAE votes.
        batch_size: pairs in one BetaVAE sample; points in one FactorVAE vote.
        num_variance_estimate: points for the FactorVAE score's global variances.
        num_bins: of the code histograms.
        downstream_sizes: labelled codes that the downstream tasks are trained on.

    Raises:
        Error: a count below 1.
    """

    num_train: int = 10_000
    num_test: int = 5_000
    batch_size: int = 64
    num_variance_estimate: int = 10_000
    num_bins: int = 20
    downstream_sizes: tuple[int, ...] = (100, 1_000, 10_000)

    def __post_init__(self) -> None:
        counts = {name: value for name, value in vars(self).items() if name not in ("downstream_sizes", "num_bins")}
        check_bins(MAX_BINS, self.num_bins)
        check_counts(**counts, **{f"downstream_sizes[{i}]": size for i, size in enumerate(self.downstream_sizes)})


PUBLISHED = Counts()
QUICK = Counts(num_train=1_000, num_test=500, num_variance_estimate=1_000, downstream_sizes=(100, 1_000))


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of one consumer: from (seed, name), so that adding a metric changes no other number."""
    return np.random.default_rng([check_whole(seed, "seed"), zlib.crc32(name.encode())])


@runtime_checkable  # so that the test session can check annotations
class Sampler(Protocol):
    """Codes by factor values.

    Factors that take one value only are not offered for fixing: nothing tells the codes of their value apart.
    """

    @property
    def num_factors(self) -> int:
        """How many factors can be held fixed."""
        ...

    def points(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[ndarray, "sample latent"], Int[ndarray, "sample factor"]]:
        """`num` codes and their (varying) factors, drawn uniformly."""
        ...

    def split(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[
        Float[ndarray, "train latent"],
        Int[ndarray, "train factor"],
        Float[ndarray, "test latent"],
        Int[ndarray, "test factor"],
    ]:
        """Codes and factors for training and for testing."""
        ...

    def labelled(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> (
        tuple[
            Float[ndarray, "train latent"],
            Int[ndarray, "train factor"],
            Float[ndarray, "test latent"],
            Int[ndarray, "test factor"],
        ]
        | None
    ):
        """Like `split`, but with exactly `num_train` for training; None if there are too few codes for that."""
        ...

    def pairs(
        self, rng: np.random.Generator, fixed: Int[ndarray, " group"], size: int
    ) -> tuple[Float[ndarray, "size group latent"], Float[ndarray, "size group latent"]]:
        """For each group, `size` pairs of codes; the two of a pair agree in the group's fixed factor.

        Groups that fix the same factor stand together: `fixed` is in ascending order.
        """
        ...

    def groups(
        self, rng: np.random.Generator, fixed: Int[ndarray, " group"], size: int
    ) -> Float[ndarray, "size group latent"]:
        """For each group, `size` codes that all agree in the group's fixed factor, which is in ascending order."""
        ...

    def varied(
        self, rng: np.random.Generator, free: Int[ndarray, " group"], size: int, *, distinct: bool = False
    ) -> Float[ndarray, "size group latent"] | None:
        """For each group, `size` codes that agree in all factors but the free one, which is in ascending order; with
        `distinct` the others differ from the first in it. None if there are no two codes that differ so."""
        ...


def chunks(num: int, rows_each: int) -> Iterator[slice]:
    """Slices of `num` groups of `rows_each` codes, such that one slice bounds memory."""
    step = max(1, CHUNK_ROWS // rows_each)
    for start in range(0, num, step):
        yield slice(start, min(start + step, num))


def runs(fixed: Int[ndarray, " group"]) -> Iterator[tuple[int, slice]]:
    """The values of an ascending array, and where each of them stands."""
    starts = np.flatnonzero(np.diff(fixed, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(fixed)]):
        yield int(fixed[start]), slice(int(start), int(stop))


class GridSampler:
    """Draws from the whole factor grid of a representation, uniformly and with replacement."""

    def __init__(self, representation: Representation) -> None:
        self._representation = representation
        self._free = np.flatnonzero(np.asarray(representation.space.sizes) > 1)
        if len(self._free) == 0:
            raise Error("every factor of this representation has one value only; nothing to disentangle")

    @property
    def num_factors(self) -> int:
        return len(self._free)

    def points(self, rng: np.random.Generator, num: int) -> tuple[ndarray, ndarray]:
        factors = self._representation.space.sample(rng, num)
        return as_codes(self._representation.codes(factors, rng)), factors[:, self._free]

    def split(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        return (*self.points(rng, num_train), *self.points(rng, num_test))

    def labelled(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[ndarray, ndarray, ndarray, ndarray] | None:
        return self.split(rng, num_train, num_test)

    def pairs(self, rng: np.random.Generator, fixed: ndarray, size: int) -> tuple[ndarray, ndarray]:
        first = np.empty((size, len(fixed)), np.int64)
        second = np.empty_like(first)
        for place, part in runs(fixed):
            shape = first[:, part].shape
            value = self._value(rng, place, shape)
            first[:, part], second[:, part] = (
                self._index(rng, place, value, shape),
                self._index(rng, place, value, shape),
            )
        return self._codes(rng, first), self._codes(rng, second)

    def groups(self, rng: np.random.Generator, fixed: ndarray, size: int) -> ndarray:
        index = np.empty((size, len(fixed)), np.int64)
        for place, part in runs(fixed):
            shape = index[:, part].shape
            index[:, part] = self._index(rng, place, self._value(rng, place, shape[1:]), shape)
        return self._codes(rng, index)

    def varied(self, rng: np.random.Generator, free: ndarray, size: int, *, distinct: bool = False) -> ndarray | None:
        space = self._representation.space
        column = self._free[free]
        stride, num_values = np.asarray(space.strides)[column], np.asarray(space.sizes)[column]
        base = rng.integers(space.num_points, size=len(free))
        value = base // stride % num_values
        # steps round the circle of values: any number of them for the others, the first stays
        steps = rng.integers(1 if distinct else 0, num_values, size=(size, len(free)))
        steps[0] = 0 if distinct else steps[0]
        return self._codes(rng, base + ((value + steps) % num_values - value) * stride)

    def _value(self, rng: np.random.Generator, place: int, shape: tuple[int, ...]) -> Int[ndarray, "..."]:
        return rng.integers(self._representation.space.sizes[self._free[place]], size=shape)

    def _index(
        self, rng: np.random.Generator, place: int, value: Int[ndarray, "..."], shape: tuple[int, int]
    ) -> Int[ndarray, "size group"]:
        """Random points of the grid at which a factor takes the given values: one draw per point for all the rest."""
        space, column = self._representation.space, self._free[place]
        stride, num_values = space.strides[column], space.sizes[column]
        rest = rng.integers(space.num_points // num_values, size=shape)
        # the factors before the fixed one are the multiples of its stride: they make room for its values
        return rest // stride * (stride * (num_values - 1)) + rest + value * stride

    def _codes(
        self, rng: np.random.Generator, index: Int[ndarray, "size group"]
    ) -> Float[ndarray, "size group latent"]:
        return as_codes(self._representation.codes_at(index.ravel(), rng)).reshape(*index.shape, -1)


class GivenSampler:
    """Draws from given codes and factors: anyone's codes, complete grid or not.

    Points and splits use the given codes once each. Groups are drawn with replacement; those with a fixed factor
    only fix values that at least two of the given codes have, for a code never differs from itself.
    """

    def __init__(self, codes: Float[ndarray, "sample latent"], factors: Int[ndarray, "sample factor"]) -> None:
        self.columns = np.flatnonzero(varying(factors))  # of the given factors
        self._codes, self._factors = codes, factors[:, self.columns]
        self._made: dict[tuple[str, int], Any] = {}
        self._lock = threading.Lock()

    @property
    def num_factors(self) -> int:
        return self._factors.shape[1]

    def points(self, rng: np.random.Generator, num: int) -> tuple[ndarray, ndarray]:
        keep = rng.permutation(len(self._codes))[:num]
        return self._codes[keep], self._factors[keep]

    def split(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        """Disjoint; a given sample smaller than asked for is divided in the same proportion."""
        if len(self._codes) < 3:
            raise Error(f"{len(self._codes)} codes cannot be split into training and test; pass at least three")
        share = min(1.0, len(self._codes) / (num_train + num_test))
        return self._divide(rng, max(1, round(num_train * share)), max(1, round(num_test * share)))

    def labelled(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[ndarray, ndarray, ndarray, ndarray] | None:
        """None unless the codes that are left for testing are half as many as for training, or all asked for."""
        left = len(self._codes) - num_train
        if left < min(num_test, (num_train + 1) // 2):
            return None
        return self._divide(rng, num_train, min(num_test, left))

    def _divide(
        self, rng: np.random.Generator, num_train: int, num_test: int
    ) -> tuple[ndarray, ndarray, ndarray, ndarray]:
        order = rng.permutation(len(self._codes))
        train, test = order[:num_train], order[num_train : num_train + num_test]
        return self._codes[train], self._factors[train], self._codes[test], self._factors[test]

    def pairs(self, rng: np.random.Generator, fixed: ndarray, size: int) -> tuple[ndarray, ndarray]:
        first = np.empty((size, len(fixed)), np.int64)
        second = np.empty_like(first)
        for column in np.unique(fixed):
            groups = np.flatnonzero(fixed == column)
            shape = (size, len(groups))
            first[:, groups], second[:, groups] = self._alike(rng, int(column), shape, shape)
        return self._codes[first], self._codes[second]

    def groups(self, rng: np.random.Generator, fixed: ndarray, size: int) -> ndarray:
        members = np.empty((size, len(fixed)), np.int64)
        for column in np.unique(fixed):
            groups = np.flatnonzero(fixed == column)
            num = len(groups)
            members[:, groups] = self._alike(rng, int(column), (1, num), (size, num))[1]
        return self._codes[members]

    def _alike(
        self, rng: np.random.Generator, column: int, anchors: tuple[int, int], members: tuple[int, int]
    ) -> tuple[Int[ndarray, "..."], Int[ndarray, "..."]]:
        """Indices of random anchors, and of random codes that share their anchor's value in `column`."""
        label, order, start, count, candidates = self._once(("alike", column), partial(self._by_value, column))
        if len(candidates) == 0:
            raise Error(
                f"no two of the {len(self._codes)} codes share a value of factor {column}, so it cannot be held "
                "fixed: the BetaVAE and FactorVAE scores need several codes per factor value"
            )
        anchor = candidates[rng.integers(len(candidates), size=anchors)]
        value = np.broadcast_to(label[anchor], members)
        return anchor, order[start[value] + rng.integers(count[value])]

    def _by_value(self, column: int) -> tuple[ndarray, ndarray, ndarray, ndarray, ndarray]:
        """Every row's value, by its number; the rows in the order of their values; where each value starts there and
        how often it occurs; rows of a known value that occurs twice or more."""
        values, label, count = np.unique(self._factors[:, column], return_inverse=True, return_counts=True)
        candidates = np.flatnonzero((count > 1)[label] & (values >= 0)[label])
        return label, np.argsort(label, kind="stable"), np.cumsum(count) - count, count, candidates

    def _once(self, key: tuple[str, int], make: Callable[[], Any]) -> Any:
        """What `make` gives, made when first asked for: with many codes that takes longer than the draws."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def varied(self, rng: np.random.Generator, free: ndarray, size: int, *, distinct: bool = False) -> ndarray | None:
        members = np.empty((size, len(free)), np.int64)
        for column in np.unique(free):
            groups = np.flatnonzero(free == column)
            found = self._once(("varied", int(column)), partial(self._neighbours, int(column)))
            if found is None:
                return None
            rows, stretch, own, candidates = found
            place = candidates[rng.integers(len(candidates), size=len(groups))]
            start, stop = stretch[:, place]
            if distinct:
                # a place among those of the others: the stretch without the row's own values
                first, last = own[:, place]
                drawn = start + rng.integers(stop - start - (last - first), size=(size, len(groups)))
                drawn = np.where(drawn >= first, drawn + last - first, drawn)
                drawn[0] = place
            else:
                drawn = rng.integers(start, stop, size=(size, len(groups)))
            members[:, groups] = rows[drawn]
        return self._codes[members]

    def _neighbours(self, column: int) -> tuple[ndarray, ndarray, ndarray, ndarray] | None:
        """Rows of known factors in an order in which those that agree in all factors but this one are a stretch; from
        where to where it is for every place, and its part of equal value; places that have others in theirs."""
        rows = np.flatnonzero((self._factors >= 0).all(axis=1))
        factors = compact(self._factors[rows]) if len(rows) else self._factors[rows]
        key = np.zeros(len(rows), np.int64)
        for j in range(factors.shape[1]):
            if j != column:
                key = compact((key * (factors[:, j].max(initial=0) + 1) + factors[:, j])[:, None])[:, 0]
        order = np.lexsort((factors[:, column], key))
        stretch = ends_of(key[order])
        own = ends_of(key[order] * (factors[:, column].max(initial=0) + 1) + factors[order, column])
        candidates = np.flatnonzero(np.diff(stretch, axis=0)[0] > np.diff(own, axis=0)[0])
        return (rows[order], stretch, own, candidates) if len(candidates) else None


def ends_of(values: Int[ndarray, " place"]) -> Int[ndarray, "2 place"]:
    """Where the run of equal values that each place of an ascending array is in starts, and where it stops.

    >>> ends_of(np.array([3, 3, 5])).tolist()
    [[0, 0, 2], [2, 2, 3]]
    """
    starts = np.flatnonzero(np.diff(values, prepend=values[:1] - 1))
    sizes = np.diff(starts, append=len(values))
    return np.stack([np.repeat(starts, sizes), np.repeat(starts + sizes, sizes)]).astype(np.int32)
