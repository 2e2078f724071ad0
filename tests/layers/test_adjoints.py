"""Pairs of linear maps: transposes in truth, and movements that keep every bit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.layers import convolution
from factorgrid.layers.adjoints import SAME, Adjoints, moving
from factorgrid.layers.unit_stride import window_maps

PAIRS = {
    "same": (SAME, (2, 4, 6, 3)),
    "blocks": (convolution.BLOCKS, (2, 4, 6, 3)),
    "padded blocks": (convolution.PADDED_BLOCKS, (2, 4, 6, 3)),
    "fold": (convolution.FOLD, (2, 5, 4, 8)),
    "patches": (convolution.PATCHES, (2, 4, 6, 3)),
    "patches in blocks": (convolution.PATCHES_IN_BLOCKS, (2, 4, 8, 1)),
    "windows": (window_maps(4, 3)[0], (2, 5, 4, 2)),
    "window sums": (window_maps(4, 3)[1], (2, 5, 4, 24)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_transposes(name: str) -> None:
    """<forward(x), y> = <x, transpose(y)>."""
    pair, shape = PAIRS[name]
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=shape))
        out = pair.forward(x)
        y = jnp.asarray(rng.normal(size=out.shape))
        assert float(jnp.vdot(out, y)) == pytest.approx(float(jnp.vdot(x, pair.transpose(y))), rel=1e-12)
    assert pair.turned == Adjoints(pair.transpose, pair.forward)


@pytest.mark.parametrize("name", ["blocks", "padded blocks", "patches", "patches in blocks", "windows"])
def test_movements_keep_every_bit_of_sixteen(name: str) -> None:
    pair, shape = PAIRS[name]
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.bfloat16)
    out = pair.forward(x)
    assert out.dtype == jnp.bfloat16
    np.testing.assert_array_equal(out.astype(jnp.float32), pair.forward(x.astype(jnp.float32)))


def test_a_movement_may_be_of_any_type() -> None:
    turned = moving(lambda x: x[::-1])
    for dtype in (jnp.float32, jnp.bfloat16, jnp.float16):
        x = jnp.asarray([1.0, -0.0, jnp.inf], dtype)
        assert turned(x).dtype == dtype
        np.testing.assert_array_equal(turned(x), x[::-1])
