"""Proposition 2, on models where it is known what turning a plane does."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factorgrid.errors import Error
from factorgrid.latents.categorical import Categorical
from factorgrid.latents.gaussian import Gaussian
from factorgrid.models import fresh_autoencoder
from factorgrid.models.trained import TrainedModel
from factorgrid.papers.friede2023.rotation import loss_along_rotation, ratio_of_deviations, turned

ANGLES = np.arange(0.0, 361.0, 30.0, dtype=np.float32)
IMAGES = np.random.default_rng(0).random((20, 16, 16, 1)).astype(np.float32)


def gaussian(*, scale: float, log_variances: tuple[float, float]) -> TrainedModel:
    """A model with means of some size, the same variances for every image, and a decoder that follows its latents."""
    model = fresh_autoencoder("mlp", (16, 16, 1), Gaussian(2), key=jax.random.key(0))
    last = model.encoder.layers[-1]  # type: ignore[attr-defined]
    weight = jnp.concatenate([scale * last.weight[:, :2], jnp.zeros_like(last.weight[:, 2:])], axis=1)
    bias = jnp.asarray([0.0, 0.0, *log_variances])
    where = lambda m: (m.encoder.layers[-1].weight, m.encoder.layers[-1].bias)  # noqa: E731
    return TrainedModel(eqx.tree_at(where, model, (weight, bias)))


def test_with_equal_variances_a_gaussian_plane_turns_for_free() -> None:
    model = gaussian(scale=5.0, log_variances=(-1.0, -1.0))
    losses = loss_along_rotation(model, IMAGES, ANGLES)
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)
    np.testing.assert_allclose(ratio_of_deviations(model, IMAGES), 1, rtol=1e-6)


def test_with_unequal_variances_it_does_not_except_by_half_turns() -> None:
    model = gaussian(scale=5.0, log_variances=(2.0, -6.0))
    losses = dict(zip(ANGLES.tolist(), loss_along_rotation(model, IMAGES, ANGLES).tolist()))
    assert losses[180.0] == pytest.approx(losses[0.0], rel=1e-6)
    assert abs(losses[90.0] - losses[0.0]) > 1e-4 * losses[0.0]
    np.testing.assert_allclose(ratio_of_deviations(model, IMAGES), np.exp(-4), rtol=1e-5)


def test_a_grid_falls_onto_itself_by_quarter_turns_only() -> None:
    model = TrainedModel(fresh_autoencoder("mlp", (16, 16, 1), Categorical(2, 4), key=jax.random.key(1)))
    losses = dict(zip(ANGLES.tolist(), loss_along_rotation(model, IMAGES, ANGLES).tolist()))
    assert {losses[angle] for angle in (90.0, 180.0, 270.0, 360.0)} == {losses[0.0]}
    assert all(losses[angle] != losses[0.0] for angle in (30.0, 60.0, 120.0))


@settings(deadline=None)  # the first call compiles
@given(st.floats(-720, 720), st.floats(-5, 5), st.floats(-5, 5))
def test_turning_keeps_lengths_and_adds_up(angle: float, x: float, y: float) -> None:
    point = jnp.asarray([[x, y]], jnp.float32)
    once = turned(point, jnp.asarray(angle, jnp.float32))
    np.testing.assert_allclose(jnp.linalg.norm(once), np.hypot(x, y), atol=1e-4)
    np.testing.assert_allclose(turned(once, jnp.asarray(-angle, jnp.float32)), point, atol=2e-4)
    np.testing.assert_allclose(turned(point, jnp.asarray(90.0)), [[-point[0, 1], point[0, 0]]], atol=1e-30)


def test_only_planes_are_turned() -> None:
    model = TrainedModel(fresh_autoencoder("mlp", (16, 16, 1), Gaussian(3), key=jax.random.key(1)))
    with pytest.raises(Error, match="2 latents, and this model has 3"):
        loss_along_rotation(model, IMAGES, ANGLES)
