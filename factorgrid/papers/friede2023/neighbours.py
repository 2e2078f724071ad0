"""Appendix 2: does the nearest neighbour of an image differ from it in one factor only?

The paper supposes so, and builds on it: the reconstruction loss keeps images close in the latent space that are close
in their pixels; if those differ in one factor, and the closest points of a grid lie along its axes, factors land on
axes. `python -m factorgrid.papers.friede2023.neighbours` measures it.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy import ndarray

from factorgrid import datasets
from factorgrid.datasets import DeviceDataset
from factorgrid.errors import Error
from factorgrid.progress import Bar

TWINS = ("dsprites_twin", "shapes3d_twin", "mpi3d_toy_twin", "cars3d_twin")
BATCH = 2048
CANDIDATES = 64  # found in single precision, then measured in double precision
SAME = 1e-6  # squared difference of two images that look the same, summed over their pixels


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of some images among all images of a data set that look different.

    Attributes:
        names: of the factors.
        differing: in which factors the nearest neighbour differs from its image.
        equal: whether another point of the grid has the same image, as a square turned by 90 degrees; it is no
            neighbour.
    """

    names: tuple[str, ...]
    differing: ndarray
    equal: ndarray

    @property
    def share_of_one(self) -> float:
        """How many images have a nearest neighbour that differs in one factor."""
        return float((self.differing.sum(axis=1) == 1).mean())


def nearest_neighbours(
    dataset: DeviceDataset,
    *,
    num: int = 100,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Neighbours:
    """The nearest neighbours, by squared difference of pixels, of `num` images drawn at random.

    Every image of the data set is compared with each of them. Where several are equally near, the one that differs in
    the fewest factors counts.

    Args:
        dataset: one whose images are functions of their factors.
        progress: called with (images compared, all images).

    Raises:
        Error: a data set without factors, or whose images depend on more than them.
    """
    space = dataset.space
    if space is None or not dataset.deterministic:
        raise Error(f"the images of '{dataset.name}' are not given by known factors, so neighbours cannot be compared")
    rng = np.random.default_rng(seed)
    own = rng.choice(space.num_points, size=min(num, space.num_points), replace=False)
    queries = _images(dataset, jnp.asarray(space.factors(own), jnp.int32))
    distance, index = np.full((len(own), CANDIDATES), np.inf), np.full((len(own), CANDIDATES), -1)
    for start in range(0, space.num_points, BATCH):
        rows = np.arange(start, start + BATCH)
        factors = jnp.asarray(space.factors(np.minimum(rows, space.num_points - 1)), jnp.int32)
        found = np.asarray(_distances(dataset, queries, factors), np.float64)
        found[:, rows >= space.num_points] = np.inf
        found[rows[None] == own[:, None]] = np.inf
        distance, index = _merged(distance, index, found, rows)
        if progress is not None:
            progress(min(start + BATCH, space.num_points), space.num_points)
    return _compare(dataset, own, index)


def _compare(dataset: DeviceDataset, own: Int[ndarray, " image"], index: Int[ndarray, "image candidate"]) -> Neighbours:
    """Which candidate is the nearest, measured exactly."""
    space = dataset.space
    assert space is not None
    differing, equal = [], []
    for point, candidates in zip(own, index):
        factors = space.factors(np.concatenate([[point], candidates[candidates >= 0]]))
        pictures = np.asarray(_images(dataset, jnp.asarray(factors, jnp.int32)), np.float64)
        distance = ((pictures[1:] - pictures[0]) ** 2).sum(axis=1)
        change = (factors[1:] != factors[0])[distance > SAME]
        equal.append(len(change) < len(distance))
        if len(change):
            distance = distance[distance > SAME]
            nearest = change[distance <= distance.min() * (1 + 1e-6)]
            differing.append(nearest[nearest.sum(axis=1).argmin()])
    if not differing:
        raise Error(f"all images of '{dataset.name}' look the same")
    return Neighbours(space.names, np.asarray(differing), np.asarray(equal))


def _merged(distance: ndarray, index: ndarray, found: ndarray, rows: ndarray) -> tuple[ndarray, ndarray]:
    distance = np.concatenate([distance, found], axis=1)
    index = np.concatenate([index, np.where(np.isinf(found), -1, rows)], axis=1)
    best = np.argpartition(distance, CANDIDATES - 1, axis=1)[:, :CANDIDATES]
    return np.take_along_axis(distance, best, axis=1), np.take_along_axis(index, best, axis=1)


@eqx.filter_jit
def _images(dataset: DeviceDataset, factors: Int[Array, "image factor"]) -> Float[Array, "image pixel"]:
    return dataset.images(jax.random.key(0), factors).reshape(len(factors), -1)


@eqx.filter_jit
def _distances(
    dataset: DeviceDataset, queries: Float[Array, "query pixel"], factors: Int[Array, "image factor"]
) -> Float[Array, "query image"]:
    images = _images(dataset, factors)
    squares = (queries**2).sum(axis=1)[:, None] + (images**2).sum(axis=1)[None]
    return squares - 2 * queries @ images.T


def table(found: Sequence[tuple[str, Neighbours]]) -> str:
    """A Markdown table, a row a data set."""
    lines = [
        "| data set | images | nearest neighbour differs in one factor | in two | in more | which one, if one |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in found:
        count = one.differing.sum(axis=1)
        single = one.differing[count == 1].sum(axis=0)
        order = np.argsort(-single, kind="stable")
        which = ", ".join(f"{one.names[i]} {single[i]}" for i in order if single[i])
        shares = [f"{100 * share:.0f} %" for share in ((count == 1).mean(), (count == 2).mean(), (count > 2).mean())]
        lines.append(f"| {name} | {len(count)} | {' | '.join(shares)} | {which} |")
    return "\n".join(lines) + "\n"


def main(names: Sequence[str]) -> None:
    """Measure and print the table, for the given data sets or for all twins that it is possible for."""
    found = []
    for name in names or TWINS:
        dataset = datasets.load(name)
        if not isinstance(dataset, DeviceDataset):
            raise Error(f"'{name}' does not lie on the device")
        with Bar(f"nearest neighbours in {name}", unit="images") as bar:
            found.append((name, nearest_neighbours(dataset, progress=bar.update)))
    print(table(found), end="")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
