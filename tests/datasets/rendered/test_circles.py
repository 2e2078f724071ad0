"""Circles against PIL, with which Spriteworld draws them: equal to the pixel."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageDraw

from factorgrid.datasets import load
from factorgrid.datasets.rendered.circles import Circles, circles
from factorgrid.errors import Error


def spriteworld_circle(x: float, y: float, size: int, scale: float) -> np.ndarray:
    """A regular 30-gon of area scale^2 filled by PIL, turned upside down: Spriteworld's rule without anti-aliasing."""
    angles = 2 * np.pi / 30 * np.arange(30)
    radius = scale / np.sqrt(30 * np.sin(np.pi / 30) * np.cos(np.pi / 30))
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1) * size
    canvas = Image.new("L", (size, size))
    ImageDraw.Draw(canvas).polygon([(float(cx), float(cy)) for cx, cy in corners], fill=255)
    return np.asarray(canvas)[::-1] / 255


@pytest.mark.parametrize(("size", "scale"), [(64, 0.2), (32, 0.2), (64, 0.35)])
def test_circles_equal_pil(size: int, scale: float) -> None:
    positions = np.random.default_rng(0).uniform(0.2, 0.8, size=(500, 2)).astype(np.float32)
    drawn = np.asarray(jax.jit(lambda p: circles(p, size, scale))(positions))[..., 0]
    expected = np.stack([spriteworld_circle(float(x), float(y), size, scale) for x, y in positions])
    wrong = np.flatnonzero((drawn != expected).any(axis=(1, 2)))
    assert len(wrong) == 0, positions[wrong[:5]]


def test_positions_run_from_the_bottom_left() -> None:
    left_bottom, right_top = np.asarray(Circles().at(jnp.array([[0.2, 0.25], [0.8, 0.75]])))[..., 0]
    assert np.argwhere(left_bottom).mean(axis=0).round().tolist() == [47, 12]  # row, column
    assert np.argwhere(right_top).mean(axis=0).round().tolist() == [15, 51]


def test_the_bins_say_where_the_circle_is() -> None:
    dataset = load("circles")
    images, factors = dataset.draw(400, 0)
    rows, columns = np.arange(64), np.arange(64)
    area = images.sum(axis=(1, 2, 3))
    x = (images.sum(axis=(1, 3)) * columns).sum(axis=1) / area
    y = (images.sum(axis=(2, 3)) * (63 - rows)).sum(axis=1) / area
    centre = 64 * (0.2 + 0.6 * (factors + 0.5) / 20)
    assert np.abs(np.stack([x, y], axis=1) - centre).max() < 2  # a bin is 1.92 pixels wide, corners are truncated
    assert set(np.unique(images)) == {0.0, 1.0}


def test_positions_are_continuous_within_a_bin() -> None:
    images = Circles().observe(np.full((50, 2), 10), 0)
    assert 2 <= len(np.unique(images.reshape(50, -1), axis=0)) < 50  # finitely many pictures


def test_other_sizes() -> None:
    assert load("circles", image_size=32).draw(2, 0)[0].shape == (2, 32, 32, 1)
    with pytest.raises(Error, match="image_size must be at least 8, got 4"):
        load("circles", image_size=4)
