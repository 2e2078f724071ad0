"""Circles: one white disc at a continuous position on black, after Spriteworld (Watters et al. 2019).

The paper draws its Circles with Spriteworld, which draws with PIL: a circle is a regular 30-gon whose corners
PIL truncates to whole pixels before filling, both end pixels included. So a continuous position gives finitely
many different images, which is the discreteness that Figure 3 of the paper is about. This renderer follows that
rule to the pixel (its test compares it with PIL).

The size of the disc (0.2 of the frame) and the range of x and y (0.2 .. 0.8) are not stated in the text that we have;
they are the values of the spatial broadcast decoder paper.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from factorgrid.datasets.dataset import DeviceDataset
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

LOW, HIGH = 0.2, 0.8
NUM_BINS = 20
NUM_CORNERS = 30


class Circles(DeviceDataset):
    """Factors: x and y in 20 equal bins of [0.2, 0.8]; the position within the bin is drawn anew for each image.

    The bins are what the metrics see, which count 20 of each code too; images come from the continuous positions.

    Attributes:
        scale: side of the square of equal area, as a part of the frame.
    """

    name: str = eqx.field(static=True, default="circles")
    space: FactorSpace = eqx.field(static=True, default=FactorSpace(("x", "y"), (NUM_BINS, NUM_BINS)))
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 1))
    deterministic: bool = eqx.field(static=True, default=False)
    scale: float = eqx.field(static=True, default=0.2)

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch height width 1"]:
        within = jax.random.uniform(key, factors.shape)
        return self.at(LOW + (HIGH - LOW) * (factors.astype(jnp.float32) + within) / NUM_BINS)

    def at(self, positions: Float[Array, "batch 2"]) -> Float[Array, "batch height width 1"]:
        """Images of circles centred at (x, y) in [0, 1]^2, the origin at the bottom left."""
        return circles(positions, self.image_shape[0], self.scale)


def sized_circles(*, image_size: int = 64) -> Circles:
    """Circles of another number of pixels a side."""
    if not 8 <= image_size <= 1024:
        raise Error(f"image_size must be within 8..1024, got {image_size}")
    return Circles(image_shape=(image_size, image_size, 1))


def circles(positions: Float[Array, "batch 2"], image_size: int, scale: float) -> Float[Array, "batch height width 1"]:
    """White 30-gons of area scale^2, centred at `positions` (x right, y up, in parts of the frame)."""
    corner_angle = 2 * np.pi / NUM_CORNERS
    radius = scale / np.sqrt(NUM_CORNERS * np.sin(corner_angle / 2) * np.cos(corner_angle / 2))
    angles = corner_angle * np.arange(NUM_CORNERS)
    offsets = jnp.asarray(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), jnp.float32)
    # PIL's polygon takes whole pixels; truncation is what makes the set of images finite
    corners = jnp.trunc((positions[:, None, :] + offsets) * image_size)
    canvas = fill_convex(corners, image_size)
    return jnp.flip(canvas, axis=1)[..., None].astype(jnp.float32)


def fill_convex(corners: Float[Array, "batch corner 2"], size: int) -> Float[Array, "batch row column"]:
    """PIL's filling of convex polygons with whole-pixel corners (x, y): 1 inside and on the border.

    A row of pixels is filled between its leftmost and rightmost crossing with an edge, both rounded to the
    nearest pixel, halves inward.
    """
    row = jnp.arange(size, dtype=corners.dtype)
    before = jnp.roll(corners, 1, axis=1)

    def add_edge(edge: Int[Array, ""], ends: tuple[Array, Array]) -> tuple[Array, Array]:
        left, right = ends
        x0, y0, x1, y1 = (side[:, edge, axis, None] for side in (before, corners) for axis in (0, 1))
        touched = (row >= jnp.minimum(y0, y1)) & (row <= jnp.maximum(y0, y1))
        # a horizontal edge is covered by the ends of its neighbours, so any finite slope will do
        crossing = x0 + (row - y0) * ((x1 - x0) / jnp.where(y1 == y0, 1.0, y1 - y0))
        left = jnp.where(touched, jnp.minimum(left, crossing), left)
        return left, jnp.where(touched, jnp.maximum(right, crossing), right)

    # A compiled loop over the edges: unrolled, they are fused into the filling and computed anew for every column
    # (5 times slower at 64 images, and 4 times slower to compile); as an array axis they are slower still.
    left = jnp.full((corners.shape[0], size), jnp.inf, corners.dtype)
    left, right = jax.lax.fori_loop(0, corners.shape[1], add_edge, (left, -left))
    left, right = jnp.floor(left + 0.5), jnp.ceil(right - 0.5)
    column = jnp.arange(size, dtype=corners.dtype)[None, None, :]
    return ((column >= left[..., None]) & (column <= right[..., None])).astype(corners.dtype)
