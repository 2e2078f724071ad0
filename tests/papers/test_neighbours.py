"""Nearest neighbours of images, on data sets where they are known."""

import equinox as eqx
import jax.numpy as jnp
import pytest
from jaxtyping import Array, Int, Key

from factorgrid import datasets
from factorgrid.datasets import DeviceDataset
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.papers.friede2023.neighbours import nearest_neighbours, table


class Dots(DeviceDataset):
    """Two bright pixels: brightness is a weighted sum of the factors."""

    weights: tuple[tuple[float, ...], ...] = eqx.field(static=True)  # a row for each pixel
    space: FactorSpace = eqx.field(static=True)
    name: str = eqx.field(static=True, default="dots")
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(1, 2, 1))
    deterministic: bool = eqx.field(static=True, default=True)

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Array:
        return (factors.astype(jnp.float32) @ jnp.asarray(self.weights).T).reshape(-1, 1, 2, 1)


def dots(weights: list[list[float]], sizes: tuple[int, ...]) -> Dots:
    names = ("slow", "fast", "copy")[: len(sizes)]
    return Dots(tuple(map(tuple, weights)), FactorSpace(names, sizes))


def test_the_nearest_image_differs_in_the_factor_that_changes_least() -> None:
    found = nearest_neighbours(dots([[0.05, 0, 0], [0, 0.1, 0]], (6, 6, 1)), num=36)
    assert found.share_of_one == 1
    assert found.differing.sum(axis=0).tolist() == [36, 0, 0]
    assert not found.equal.any()


def test_equal_images_are_no_neighbours() -> None:
    found = nearest_neighbours(dots([[0.05, 0, 0], [0, 0.1, 0]], (6, 6, 3)), num=20)
    assert found.equal.all()
    assert not found.differing[:, 2].any()
    assert found.share_of_one == 1


def test_images_that_move_along_a_diagonal_have_neighbours_that_differ_in_two_factors() -> None:
    data = dots([[0.1, -0.1], [0.01, 0.01]], (5, 5))  # both up by one: nearly the same
    found = nearest_neighbours(data, num=25)
    inner = found.differing.sum(axis=1)
    assert (inner == 2).sum() == 23  # two corners have no neighbour along the diagonal
    text = table([("diagonal", found)])
    assert "| diagonal | 25 | 8 % | 92 % | 0 % |" in text


def test_what_cannot_be_compared_says_so() -> None:
    with pytest.raises(Error, match="circles"):
        nearest_neighbours(datasets.load("circles", image_size=32))
    same = dots([[0.0, 0.0], [0.0, 0.0]], (2, 2))
    with pytest.raises(Error, match="look the same"):
        nearest_neighbours(same)
