"""Shapes3D twin against 50 frames that the authors published (deepmind/3d-shapes, Apache 2.0).

The frames are sharp; their factors were recovered by matching a renderer.
"""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.datasets.rendered.shapes3d_twin import SKY_COLOR, Shapes3DTwin, hue_color, traced

FRAMES = Path(__file__).parent / "reference_frames.npz"


@pytest.fixture(scope="module")
def real() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FRAMES) as file:
        return file["shapes3d_images"] / 255.0, file["shapes3d_factors"]


@pytest.fixture(scope="module")
def twin() -> Shapes3DTwin:
    return Shapes3DTwin()


def test_mean_absolute_error_against_real_frames(twin, real):
    images, factors = real
    errors = np.abs(twin.observe(factors, 0) - images).mean(axis=(1, 2, 3))
    assert errors.mean() <= 0.0085  # asked for: 0.013; measured 0.0080, of which about 0.002 on edges
    assert errors.max() <= 0.02


def test_object_silhouettes_against_real_frames(twin, real):
    """Pixels go to the material whose hue is nearest; frames where another looks like the object are left out."""
    images, factors = real
    overlaps = []
    for image, drawn, row in zip(images, twin.observe(factors, 0), factors):
        materials = np.concatenate([np.asarray(hue_color(jnp.asarray(row[:3]) / 10)), [SKY_COLOR]])
        others = np.delete(materials, 2, axis=0)
        if np.abs(direction(others) - direction(materials[2])).sum(axis=-1).min() < 0.4:
            continue
        real_mask, twin_mask = (nearest(picture, materials) == 2 for picture in (image, drawn))
        overlaps.append((real_mask & twin_mask).sum() / (real_mask | twin_mask).sum())
    assert len(overlaps) >= 25
    assert np.mean(overlaps) >= 0.95
    assert np.min(overlaps) >= 0.85


def direction(colors: np.ndarray) -> np.ndarray:
    return colors / np.maximum(colors.max(axis=-1, keepdims=True), 1e-3)


def nearest(picture: np.ndarray, materials: np.ndarray) -> np.ndarray:
    distance = np.abs(direction(picture)[..., None, :] - direction(materials)).sum(axis=-1)
    return distance.argmin(axis=-1)


def test_kept_maps_are_the_traced_ones(twin):
    geometry = jnp.asarray([[0, 0, 0], [7, 3, 14], [4, 1, 9]])
    kept = twin.maps[jnp.asarray([0, 479, 4 * 60 + 15 + 9])].astype(jnp.float32) * (1.25 / 255)
    # half a byte's worth of intensity
    np.testing.assert_allclose(np.asarray(kept), np.asarray(traced(geometry)), atol=0.5 * 1.25 / 255 + 1e-5)


def test_hues_are_tenths_of_the_colour_circle():
    np.testing.assert_allclose(hue_color(jnp.asarray([0.0, 0.3, 0.5])), [[1, 0, 0], [0.2, 1, 0], [0, 1, 1]], atol=1e-6)
