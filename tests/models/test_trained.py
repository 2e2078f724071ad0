"""A trained model in the hands of people: any number of images in, codes, categories and images out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.latents import Categorical, Gaussian
from factorgrid.latents.categorical import grid
from factorgrid.models import fresh_autoencoder
from factorgrid.models.trained import BATCH_SIZE, TrainedModel

SHAPE = (6, 6, 1)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, size=(BATCH_SIZE + 5, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def discrete() -> TrainedModel:
    return TrainedModel(fresh_autoencoder("mlp", SHAPE, Categorical(3, 8), key=jax.random.key(0)))


@pytest.fixture(scope="module")
def gaussian() -> TrainedModel:
    return TrainedModel(fresh_autoencoder("mlp", SHAPE, Gaussian(3), key=jax.random.key(0)))


def test_codes_categories_and_kl_are_those_of_the_posterior(discrete):
    posterior = discrete.autoencoder.posterior(jnp.asarray(IMAGES, jnp.float32) / 255)
    np.testing.assert_allclose(discrete.encode(IMAGES), posterior.codes(), atol=1e-6)
    np.testing.assert_array_equal(discrete.categorize(IMAGES), posterior.categories())
    np.testing.assert_allclose(discrete.kl(IMAGES), posterior.kl(), atol=1e-5)
    np.testing.assert_allclose(discrete.encode(IMAGES.astype(np.float64) / 255), discrete.encode(IMAGES), atol=1e-6)


def test_categories_decode_as_their_grid_positions(discrete):
    categories = RNG.integers(0, 8, size=(7, 3))
    images = discrete.decode(categories)
    assert images.shape == (7, *SHAPE)
    assert images.min() >= 0
    assert images.max() <= 1
    np.testing.assert_array_equal(images, discrete.decode(grid(8)[categories]))
    logits = discrete.autoencoder.decoder(jnp.asarray(grid(8)[categories]))
    np.testing.assert_allclose(images, jax.nn.sigmoid(logits), atol=1e-6)


def test_one_image_is_enough_and_reconstructs(gaussian):
    assert gaussian.encode(IMAGES[:1]).shape == (1, 3)
    np.testing.assert_array_equal(gaussian.reconstruct(IMAGES[:3]), gaussian.decode(gaussian.encode(IMAGES[:3])))


def test_what_does_not_fit_is_one_clear_line(discrete, gaussian):
    with pytest.raises(Error, match="a model with a Gaussian latent lacks categories"):
        gaussian.categorize(IMAGES)
    with pytest.raises(Error, match="a model with a Gaussian latent lacks categories"):
        gaussian.decode(np.zeros((1, 3), np.int64))
    with pytest.raises(Error, match=r"within 0\.\.7, got values from -1 to 8"):
        discrete.decode(np.array([[0, -1, 8]]))
    with pytest.raises(Error, match=r"codes must have shape \[n, 3\], got \[2, 4\]"):
        discrete.decode(np.zeros((2, 4)))
    with pytest.raises(Error, match=r"images must have shape \[n, height, width, channel\], got \[6, 6, 1\]"):
        discrete.encode(IMAGES[0])
    with pytest.raises(Error, match="no rows given"):
        discrete.encode(IMAGES[:0])


class Tensor:
    """What looks like a tensor that requires a gradient."""

    dtype = "float32"

    def __init__(self, values):
        self.values, self.detached = values, False

    def __array__(self, *_args, **_kwargs):
        raise RuntimeError("Can't call numpy() on a tensor that requires grad")

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


def test_arrays_of_other_kinds_just_work(discrete):
    known = TrainedModel(discrete.autoencoder, image_shape=SHAPE)
    wanted = known.encode(IMAGES[:3])
    for images in (
        IMAGES[:3].astype(np.int64),
        IMAGES[:3, ..., 0],
        Tensor(IMAGES[:3].astype(np.float32) / 255),
        IMAGES[:3].tolist(),
    ):
        np.testing.assert_allclose(known.encode(images), wanted, atol=1e-6)
    np.testing.assert_allclose(known.encode(jnp.asarray(IMAGES[:3] / 255, jnp.bfloat16)), wanted, atol=0.02)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 1, 6, 6)), r"images\.transpose\(0, 2, 3, 1\)"),
        (np.zeros((6, 6, 1)), r"images\[None\]"),
        (np.zeros((2, 6, 6, 3)), "make them grey"),
        (np.zeros((2, 7, 7, 1)), r"\[n, 6, 6, 1\], got \[2, 7, 7, 1\]; resize them"),
        (np.full((2, 6, 6, 1), 255.0), "within 0..1, got values from 255 to 255; divide them by 255"),
        (np.full((2, 6, 6, 1), np.nan), "within 0..1, got values from nan"),
        (np.full((2, 6, 6, 1), 256), "within 0..255"),
        (np.full((2, 6, 6, 1), "a"), "must be numbers"),
    ],
)
def test_other_images_are_one_line_that_says_what_to_do(discrete, images, message):
    with pytest.raises(Error, match=message):
        TrainedModel(discrete.autoencoder, image_shape=SHAPE).encode(images)


def test_draws_from_the_prior(discrete, gaussian):
    assert discrete.sample(4).shape == (4, *SHAPE)
    drawn = np.asarray(discrete.autoencoder.latent.draw(jax.random.key(0), 500))
    assert {*np.unique(drawn)} == {*grid(8)}
    masked = discrete.autoencoder.latent.masked(((1,), (2, 5), (0, 7)))
    drawn = np.asarray(masked.draw(jax.random.key(0), 100))
    for latent, active in enumerate(masked.active):
        assert {*np.unique(drawn[:, latent])} == {*grid(8)[list(active)]}
    drawn = np.asarray(gaussian.autoencoder.latent.draw(jax.random.key(0), 4000))
    np.testing.assert_allclose(drawn.std(axis=0), 1, atol=0.05)
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.eye(3), atol=0.08)
