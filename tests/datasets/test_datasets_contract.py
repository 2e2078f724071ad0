"""What every entry of the table of data sets promises; published ones as miniatures."""

from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from miniatures import WRITERS

from factorgrid.datasets import DATASETS, Dataset, DeviceDataset, load
from factorgrid.datasets.published import cars3d, dsprites, mpi3d
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

NUM = 16

# Ray-traced twins compile slowly; tests/datasets/rendered/test_twins.py asks the same of them.
TRACED = ("shapes3d_twin", "mpi3d_toy_twin", "cars3d_twin", "smallnorb_twin")
CHEAP = [name for name in DATASETS if name not in TRACED]


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Dataset]:
    made: dict[str, Dataset] = {}

    def get_one(name: str) -> Dataset:
        if name not in made and name in WRITERS:
            root: Path = tmp_path_factory.mktemp(name)
            made[name] = WRITERS[name](root).load(root, resident="device")
        elif name not in made:
            made[name] = load(name)
        return made[name]

    return get_one


@pytest.mark.parametrize("name", CHEAP)
def test_contract(get: Callable[[str], Dataset], name: str) -> None:
    dataset = get(name)
    traces = []

    @eqx.filter_jit
    def draw(dataset: Dataset, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        traces.append(1)
        return tuple(dataset.sample(key, NUM))

    images, factors = draw(dataset, jax.random.key(0))
    again, _ = draw(dataset, jax.random.key(0))
    other, _ = draw(dataset, jax.random.key(1))
    assert len(traces) == 1  # a data set is an argument: another key, no new program
    assert np.array_equal(images, again)
    assert not np.array_equal(images, other)

    assert dataset.name == name
    assert isinstance(dataset, DeviceDataset)
    assert dataset.origin
    assert dataset.space is not None
    assert images.shape == (NUM, *dataset.image_shape)
    assert images.dtype == jnp.float32
    slack = 0.1 if name == "smallnorb" else 0  # not clipped, as in the paper
    assert images.min() >= -slack
    assert 0.3 < images.max() <= 1 + slack
    assert factors.shape == (NUM, dataset.space.num_factors)
    assert factors.dtype == jnp.int32
    dataset.space.check(np.asarray(factors))


@pytest.mark.parametrize("name", CHEAP)
def test_observe_and_deterministic(get: Callable[[str], Dataset], name: str) -> None:
    dataset = get(name)
    assert dataset.space is not None
    factors = dataset.space.sample(np.random.default_rng(0), NUM)
    images = dataset.observe(factors, 3)
    assert np.array_equal(images, dataset.observe(factors, 3))
    assert np.array_equal(images, dataset.observe(factors, 4)) == dataset.deterministic
    if dataset.deterministic:  # an image does not depend on its neighbours in the batch
        assert np.array_equal(images[::-1], dataset.observe(factors[::-1].copy(), 3))


# shapes3d's loader takes its factors from the twin's file, so there is nothing to compare
@pytest.mark.parametrize("name", [name for name in DATASETS if name.endswith("_twin") and name != "shapes3d_twin"])
def test_a_twin_has_the_factors_of_the_published_set(name: str) -> None:
    twin, published = load(name), name.removesuffix("_twin")
    assert published in DATASETS
    assert (
        twin.space
        in {
            "dsprites": [dsprites.DSPRITES_SPACE],
            "color_dsprites": [dsprites.DSPRITES_SPACE],
            "mpi3d_toy": [mpi3d.MPI3D_SPACE, mpi3d.FIRST_EDITION_SPACE],
            "cars3d": [cars3d.CARS3D_SPACE],
            "smallnorb": [FactorSpace(("category", "elevation", "azimuth", "lighting"), (5, 9, 18, 6))],
        }[published]
    )


def test_a_number_of_images_is_at_least_one(get: Callable[[str], Dataset]) -> None:
    for name in ("circles", "dsprites"):
        with pytest.raises(Error, match="num must be at least 1, got -3"):
            get(name).draw(-3, 0)
