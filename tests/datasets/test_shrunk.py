"""Twins at fewer pixels are the means of their own pictures."""

import jax
import numpy as np
import pytest

import factorgrid as fg
from factorgrid import datasets
from factorgrid.datasets import DATASETS


def means(images: np.ndarray, times: int) -> np.ndarray:
    batch, height, width, channels = images.shape
    return images.reshape(batch, height // times, times, width // times, times, channels).mean(axis=(2, 4))


@pytest.mark.parametrize("size", [32, 16, 8])
def test_pixels_are_means_of_the_same_draws(size: int) -> None:
    whole = datasets.load("color_dsprites_twin")  # its colours are chance, which must be the same
    small = datasets.load("color_dsprites_twin", image_size=size)
    assert (small.name, small.space, small.deterministic) == (whole.name, whole.space, whole.deterministic)
    assert small.image_shape == (size, size, 3)
    assert f"means of {64 // size} x {64 // size} pixels" in small.origin
    (images, factors), (expected, same) = small.draw(5, seed=3), whole.draw(5, seed=3)
    np.testing.assert_array_equal(factors, same)
    np.testing.assert_allclose(images, means(expected, 64 // size), atol=1e-6)
    np.testing.assert_allclose(small.observe(factors, 1), means(whole.observe(factors, 1), 64 // size), atol=1e-6)


def test_all_twins_have_the_option_and_published_files_have_not() -> None:
    for name, source in DATASETS.items():
        assert ("image_size" in source.options) == (source.kind == "rendered"), name
    with pytest.raises(fg.Error, match="'dsprites' has no option 'image_size'"):
        datasets.load("dsprites", image_size=32)


def test_a_twins_own_size_changes_nothing_and_others_are_errors() -> None:
    assert type(datasets.load("dsprites_twin", image_size=64)) is type(datasets.load("dsprites_twin"))
    with pytest.raises(fg.Error, match=r"image_size of 'dsprites_twin' must be one of 8, 16, 32, 64, got 48"):
        datasets.load("dsprites_twin", image_size=48)


def test_options_go_together() -> None:
    small = datasets.load("mpi3d_toy_twin", image_size=32, subset="paper")
    assert small.space == datasets.load("mpi3d_toy_twin", subset="paper").space
    batch = jax.jit(lambda data, key: data.sample(key, 2))(small, jax.random.key(0))
    assert batch.images.shape == (2, 32, 32, 3)


def test_a_group_trains_on_them(tmp_path) -> None:
    run = fg.train(
        data="dsprites_twin", model="dvae", steps=2, batch_size=2, architecture="mlp", width=8, image_size=8,
        out=tmp_path / "run", quiet=True,
    )  # fmt: skip
    assert fg.Run.open(run.path).dataset().image_shape == (8, 8, 1)
    assert run.model(0).encode(run.dataset().draw(3, seed=0)[0]).shape == (3, 10)
