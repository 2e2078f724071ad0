"""What holds for every rendered twin: its factors, range, purity, and that all of them can be read off the picture."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.datasets.rendered.cars3d_twin import Cars3DTwin
from factorgrid.datasets.rendered.mpi3d_toy_twin import MPI3DToyTwin
from factorgrid.datasets.rendered.shapes3d_twin import Shapes3DTwin
from factorgrid.datasets.rendered.smallnorb_twin import SmallNORBTwin
from factorgrid.factors import FactorSpace

CHUNK = 32
TWINS = {
    "cars3d_twin": Cars3DTwin,
    "mpi3d_toy_twin": MPI3DToyTwin,
    "shapes3d_twin": Shapes3DTwin,
    "smallnorb_twin": SmallNORBTwin,
}
PUBLISHED = {
    "cars3d_twin": (("elevation", "azimuth", "object_type"), (4, 24, 183), (64, 64, 3)),
    "smallnorb_twin": (("category", "elevation", "azimuth", "lighting"), (5, 9, 18, 6), (64, 64, 1)),
    "mpi3d_toy_twin": (
        (
            "object_color",
            "object_shape",
            "object_size",
            "camera_height",
            "background_color",
            "horizontal_axis",
            "vertical_axis",
        ),
        (4, 4, 2, 3, 3, 40, 40),
        (64, 64, 3),
    ),
    "shapes3d_twin": (
        ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
        (10, 10, 10, 8, 4, 15),
        (64, 64, 3),
    ),
}


@pytest.fixture(scope="module", params=sorted(TWINS))
def twin(request):
    return TWINS[request.param]()


def test_factors_are_the_published_ones(twin):
    assert PUBLISHED[twin.name] == (twin.space.names, twin.space.sizes, twin.image_shape)


def test_images_are_float32_in_zero_one_and_use_the_range(twin):
    images = twin.observe(twin.space.sample(np.random.default_rng(0), CHUNK), 0)
    assert images.dtype == np.float32
    assert images.shape == (CHUNK, *twin.image_shape)
    assert images.min() >= 0
    assert images.max() <= 1
    assert images.max() - images.min() > 0.5


def test_compiled_or_not_gives_the_same_images(twin):
    factors = twin.space.sample(np.random.default_rng(1), CHUNK)
    key = jax.random.key(3)
    if twin.deterministic:
        few = jnp.asarray(factors[:2])
        eager, compiled = np.asarray(twin.images(key, few)), twin.observe(factors, 3)[:2]
    else:
        eager, compiled = np.asarray(twin.images(key, jnp.asarray(factors))), twin.observe(factors, 3)
    # a ray within rounding of an edge may fall on either side of it: a few pixels, not a different picture
    assert np.abs(eager - compiled).mean() < 1e-4


def test_deterministic_means_that_the_key_does_not_matter(twin):
    factors = twin.space.sample(np.random.default_rng(2), CHUNK)
    once = twin.observe(factors, 0)
    assert np.array_equal(once, twin.observe(factors, 1)) == twin.deterministic
    np.testing.assert_array_equal(once, twin.observe(factors, 0))


def test_an_image_does_not_depend_on_its_place_in_the_batch(twin):
    factors = twin.space.sample(np.random.default_rng(3), CHUNK)
    if twin.deterministic:
        np.testing.assert_allclose(twin.observe(factors[::-1], 0)[::-1], twin.observe(factors, 0), atol=1e-6)


def test_adjacent_values_of_every_factor_give_different_images(twin):
    """Walk each factor through all of its values from three random places; a step changes what 8-bit pixels show."""
    starts = twin.space.sample(np.random.default_rng(4), 3)
    for position, (name, size) in enumerate(zip(twin.space.names, twin.space.sizes)):
        walk = np.repeat(starts, size, axis=0)
        walk[:, position] = np.tile(np.arange(size), len(starts))
        images = observe_bytes(twin, walk).reshape(len(starts), size, -1)
        change = np.abs(np.diff(images, axis=1))
        assert change.max(axis=-1).min() >= 8, name
        assert change.sum(axis=-1).min() >= 100, name


def test_factors_are_recovered_by_the_nearest_neighbour(twin):
    """Among random images and all the images one step away, a noisy image is nearest to its own factors."""
    rng = np.random.default_rng(5)
    queries = twin.space.sample(rng, 12)
    gallery = np.concatenate([queries, *(neighbours(twin.space, row) for row in queries), twin.space.sample(rng, 200)])
    seen = observe_bytes(twin, gallery).reshape(len(gallery), -1)
    noisy = seen[: len(queries)] + rng.normal(scale=2.0, size=(len(queries), seen.shape[1]))
    squared = (seen**2).sum(axis=1) - 2 * noisy @ seen.T
    np.testing.assert_array_equal(gallery[squared.argmin(axis=1)], queries)


def observe_bytes(twin, factors: np.ndarray) -> np.ndarray:
    """8-bit images as floats, drawn in chunks of one size, so that each twin is compiled once.

    A hidden factor (SmallNORB's instance) is held fixed.
    """
    padded = np.resize(factors, (-(-len(factors) // CHUNK) * CHUNK, factors.shape[1]))
    chunks = np.split(padded, len(padded) // CHUNK)
    if isinstance(twin, SmallNORBTwin):
        hidden = jnp.full(CHUNK, 2)
        draw = eqx.filter_jit(twin.of_instances)
        images = [np.asarray(draw(jnp.asarray(chunk), hidden)) for chunk in chunks]
    else:
        images = [twin.observe(chunk, 0) for chunk in chunks]
    return np.round(np.concatenate(images)[: len(factors)] * 255)


def neighbours(space: FactorSpace, row: np.ndarray) -> np.ndarray:
    """All vectors that differ from `row` by one in one factor."""
    steps = [row + sign * unit for unit in np.eye(len(row), dtype=int) for sign in (-1, 1)]
    return np.array([step for step in steps if (step >= 0).all() and (step < space.sizes).all()])
