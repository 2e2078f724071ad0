"""The twin against frames of dSprites that its authors published.

dsprites_frames.npz: 320 frames of the authors' animation ("gif": labels known from its order) and 43 of their
notebook ("notebook": labels recovered by the best match, so that row flatters a little). Apache 2.0, DeepMind.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.path import Path as Path2D

from factorgrid.datasets import load
from factorgrid.datasets.rendered.dsprites_twin import DSPRITES_SPACE, ColorDSpritesTwin, DSpritesTwin, colored

FRAMES = np.load(Path(__file__).parent / "dsprites_frames.npz")


@pytest.fixture(scope="module")
def overlaps() -> np.ndarray:
    """Intersection over union of twin and real sprite, for each frame."""
    drawn = DSpritesTwin().observe(FRAMES["classes"][:, 1:], 0)[..., 0] > 0
    real = FRAMES["imgs"] > 0
    return (drawn & real).sum(axis=(1, 2)) / (drawn | real).sum(axis=(1, 2))


@pytest.mark.parametrize(("source", "num", "equal"), [("gif", 320, 310), ("notebook", 43, 37)])
def test_twin_equals_the_real_frames(overlaps: np.ndarray, source: str, num: int, equal: int) -> None:
    of_source = overlaps[FRAMES["source"] == source]
    assert len(of_source) == num
    assert of_source.mean() >= 0.999
    assert of_source.min() >= 0.98  # one or two pixels of the smallest sprites
    assert (of_source == 1).sum() >= equal - 3  # pixels whose centre lies on an edge may fall either way
    assert overlaps.mean() >= 0.999


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_every_shape_of_the_animation(overlaps: np.ndarray, shape: int) -> None:
    chosen = (FRAMES["source"] == "gif") & (FRAMES["classes"][:, 1] == shape)
    assert overlaps[chosen].mean() >= 0.999


def test_only_black_and_white() -> None:
    images, factors = load("dsprites_twin").draw(200, 0)
    assert set(np.unique(images)) == {0.0, 1.0}
    assert images.shape == (200, 64, 64, 1)
    DSPRITES_SPACE.check(factors)
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]])
    assert border.sum() == 0  # sprites never touch the frame


def test_the_last_orientation_repeats_the_first() -> None:
    factors = np.array([[2, 3, 0, 10, 20], [2, 3, 39, 10, 20]])
    first, last = DSpritesTwin().observe(factors, 0)
    assert np.abs(first - last).sum() <= 2


def test_colours_are_bright_and_the_background_black() -> None:
    dataset = ColorDSpritesTwin()
    factors = DSPRITES_SPACE.sample(np.random.default_rng(0), 300)
    images, grey = dataset.observe(factors, 1), DSpritesTwin().observe(factors, 1)
    assert images.shape == (300, 64, 64, 3)
    assert (images * (1 - grey) == 0).all()
    colors = images.max(axis=(1, 2))
    assert np.array_equal(images, grey * colors[:, None, None, :])
    assert 0.5 <= colors.min() < 0.52
    assert 0.98 < colors.max() <= 1
    assert not np.array_equal(images, dataset.observe(factors, 2))  # another draw, other colours


def test_colouring_keeps_grey_levels() -> None:
    image = jnp.full((1, 2, 2, 1), 0.5).at[0, 0, 0, 0].set(0.0)
    result = colored(jax.random.key(0), image)
    assert (result[0, 0, 0] == 0).all()
    assert (result[0, 1, 1] >= 0.25).all()
    assert (result[0, 1, 1] <= 0.5).all()


def test_the_window_holds_every_sprite() -> None:
    """Against the same formula on the whole frame, in double precision: at most ties at edges differ."""
    factors = DSPRITES_SPACE.sample(np.random.default_rng(0), 400)
    factors[:8, 3:] = [[0, 0], [31, 31], [0, 31], [31, 0], [15, 0], [0, 15], [31, 15], [15, 31]]
    factors[:8, 0], factors[:8, 1] = 0, 5  # the largest squares, in the corners
    drawn = DSpritesTwin().observe(factors, 0)[..., 0] > 0
    expected = np.stack([whole_frame(*row) for row in factors])
    assert (drawn != expected).sum() <= 5


def whole_frame(shape: int, scale: int, orientation: int, x: int, y: int) -> np.ndarray:
    row, column = np.mgrid[:64, :64]
    size, angle = 0.5 + 0.1 * scale, 2 * np.pi / 39 * orientation
    right, up = column - (15.5 + 32 / 31 * x), (15.5 + 32 / 31 * y) - row
    u = (np.cos(angle) * right + np.sin(angle) * up) / size
    v = (np.cos(angle) * up - np.sin(angle) * right) / size
    if shape == 0:
        return np.maximum(abs(u), abs(v)) < 9.5995
    if shape == 1:
        return (u / 12.7655) ** 2 + (v / 7.2121) ** 2 < 1
    t = np.linspace(0, 2 * np.pi, 2000)
    height = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    corners = np.stack([9.5952 * np.sin(t) ** 3, 1.4362 + 0.6622 * height], axis=1)
    return Path2D(corners).contains_points(np.stack([u, v], axis=-1).reshape(-1, 2)).reshape(64, 64)
