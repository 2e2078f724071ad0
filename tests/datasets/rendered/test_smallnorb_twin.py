"""SmallNORB twin: fifty toys, hidden instances, ground levels and shadows that follow the lighting."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.datasets.rendered.smallnorb_toys import NUM_BLOCKS, NUM_ELLIPSOIDS, all_toys
from factorgrid.datasets.rendered.smallnorb_twin import CENTER, GROUNDS, SmallNORBTwin


@pytest.fixture(scope="module")
def twin() -> SmallNORBTwin:
    return SmallNORBTwin()


def draw(twin: SmallNORBTwin, factors: list[list[int]], instances: list[int]) -> np.ndarray:
    return np.asarray(eqx.filter_jit(twin.of_instances)(jnp.asarray(factors), jnp.asarray(instances)))[..., 0]


def test_no_two_toys_look_alike(twin):
    assert all_toys().shape == (50, NUM_ELLIPSOIDS + NUM_BLOCKS, 3, 4)
    categories, instances = np.divmod(np.arange(50), 10)
    flat = draw(twin, [[c, 3, 2, 0] for c in categories.tolist()], instances.tolist()).reshape(50, -1)
    distances = np.array([np.abs(flat - row).mean(axis=1) for row in flat])
    np.fill_diagonal(distances, 1)
    assert distances.min() > 0.006  # of the whole picture; a small toy covers a tenth of it


def test_the_instance_is_drawn_uniformly_for_each_image(twin):
    """As in the published loader: from the key, one of the ten toys of the category."""
    toys = draw(twin, [[4, 4, 4, 0]] * 10, list(range(10)))
    images = np.asarray(eqx.filter_jit(twin.images)(jax.random.key(0), jnp.asarray([[4, 4, 4, 0]] * 300)))[..., 0]
    distances = np.abs(images[:, None] - toys[None]).mean(axis=(2, 3))
    assert distances.min(axis=1).max() < 1e-4
    counts = np.bincount(distances.argmin(axis=1), minlength=10)
    assert counts.min() >= 12  # of 30 expected
    assert counts.sum() == 300


def test_the_ground_has_the_level_of_its_lighting(twin):
    images = draw(twin, [[0, 4, 4, lighting] for lighting in range(6)], [2] * 6)
    np.testing.assert_allclose(images[:, 0, 0], GROUNDS, atol=1e-5)
    # toys and shadows: darker on the whole than the ground, as in the published figures
    assert (images[:, 20:50, 20:45].mean(axis=(1, 2)) < np.array(GROUNDS)).all()


def test_shadows_follow_the_lighting_and_not_the_turntable(twin):
    """The side of the toy on which the dark ground lies is the same for all azimuths, and differs between lights."""
    lightings = (2, 4)  # from the left, from the right
    shadow_side = {}
    for lighting in lightings:
        images = draw(twin, [[1, 4, azimuth, lighting] for azimuth in range(18)], [7] * 18)
        dark = np.maximum(0.97 * GROUNDS[lighting] - images, 0)
        dark[:, :34] = 0  # the ground, below the body of the toy
        columns = np.arange(64) + 0.5
        shadow_side[lighting] = (dark.sum(axis=1) * columns).sum(axis=1) / dark.sum(axis=(1, 2)) - CENTER[0]
    assert (shadow_side[2] > 0).all()
    assert (shadow_side[4] < 0).all()
