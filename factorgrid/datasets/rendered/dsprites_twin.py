"""dSprites drawn from its geometry: white shapes on black, one bit a pixel, no anti-aliasing.

A pixel is white when its centre lies inside the outline. All constants were measured on frames that the authors of
dSprites published (Matthey et al. 2017); against 363 of those frames the twin is equal to the pixel in most and off
by one or two boundary pixels in the rest. Training on it is training on dSprites but for a pixel here and there;
scores are nevertheless labelled as a twin's.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

from factorgrid.datasets.dataset import DeviceDataset
from factorgrid.factors import FactorSpace

DSPRITES_SPACE = FactorSpace(("shape", "scale", "orientation", "x_position", "y_position"), (3, 6, 40, 32, 32))

# Half sides and radii in pixels of a 64 x 64 frame, at scale 1.
SQUARE_HALF_SIDE = 9.5995
ELLIPSE_RADII = (12.7655, 7.2121)
HEART_WIDTH, HEART_HEIGHT, HEART_LIFT = 9.5952, 0.6622, 1.4362


class DSpritesTwin(DeviceDataset):
    """Factors: shape (square, ellipse, heart), scale 0.5..1, orientation 0..2 pi, x and y position."""

    name: str = eqx.field(static=True, default="dsprites_twin")
    space: FactorSpace = eqx.field(static=True, default=DSPRITES_SPACE)
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 1))
    deterministic: bool = eqx.field(static=True, default=True)

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 64 64 1"]:
        return sprites(factors)[..., None].astype(jnp.float32)


class ColorDSpritesTwin(DeviceDataset):
    """The same sprites, each in a colour drawn uniformly from [0.5, 1]^3; the colour is not a factor.

    Source: disentanglement_lib's Color-dSprites (Locatello et al. 2019).
    """

    name: str = eqx.field(static=True, default="color_dsprites_twin")
    space: FactorSpace = eqx.field(static=True, default=DSPRITES_SPACE)
    image_shape: tuple[int, int, int] = eqx.field(static=True, default=(64, 64, 3))
    deterministic: bool = eqx.field(static=True, default=False)

    def images(self, key: Key[Array, ""], factors: Int[Array, "batch factor"]) -> Float[Array, "batch 64 64 3"]:
        return colored(key, sprites(factors)[..., None].astype(jnp.float32))


def colored(key: Key[Array, ""], images: Float[Array, "batch height width 1"]) -> Float[Array, "batch height width 3"]:
    """Each grey image in one random colour of [0.5, 1]^3; black stays black."""
    color = jax.random.uniform(key, (images.shape[0], 1, 1, 3), minval=0.5, maxval=1.0)
    return images * color


def sprites(factors: Int[Array, "batch factor"]) -> Bool[Array, "batch 64 64"]:
    """Masks of the given factor values (columns as in `DSPRITES_SPACE`).

    No sprite reaches more than 14 pixels from its centre, so only a window of 32 x 32 pixels is drawn, then moved
    to its place as one 32-bit word a row: 3 times as fast as drawing all 64 x 64.
    """
    centre = 15.5 + 32 / 31 * factors[:, 3:5].astype(jnp.float32)
    corner = jnp.floor(centre) - 15  # of the window: 0 .. 32
    rows = pack(inside(factors, centre - corner))
    left, top = corner[:, 0, None].astype(jnp.uint32), corner[:, 1, None].astype(jnp.int32)
    # a shift by 32 or more is not defined, hence the two ends apart
    west = jnp.where(left < 32, rows << jnp.minimum(left, 31), 0)
    east = jnp.where(left == 32, rows, jnp.where(left == 0, 0, rows >> jnp.minimum(32 - left, 31)))
    row = jnp.arange(64)[None, :] - top
    within = (row >= 0) & (row < 32)
    halves = [jnp.where(within, jnp.take_along_axis(half, row.clip(0, 31), axis=1), 0) for half in (west, east)]
    return jnp.concatenate([unpack(half) for half in halves], axis=-1)


def pack(mask: Bool[Array, "batch row 32"]) -> UInt32[Array, "batch row"]:
    """Each row of 32 pixels as a word, the first in the lowest bit."""
    return jnp.sum(mask.astype(jnp.uint32) << jnp.arange(32, dtype=jnp.uint32), axis=-1, dtype=jnp.uint32)


def unpack(words: UInt32[Array, "batch row"]) -> Bool[Array, "batch row 32"]:
    """The inverse of `pack`."""
    return (words[..., None] >> jnp.arange(32, dtype=jnp.uint32)) % 2 == 1


def inside(factors: Int[Array, "batch factor"], centre: Float[Array, "batch 2"]) -> Bool[Array, "batch 32 32"]:
    """The sprites in a window of 32 x 32 pixels, `centre` (x, y) counted from the middle of its top left pixel."""
    shape, scale, orientation = (factors[:, i, None, None].astype(jnp.float32) for i in range(3))
    size = 0.5 + 0.1 * scale
    angle = orientation * (2 * jnp.pi / 39)  # 40 values, both ends included: the last repeats the first
    pixel = jnp.arange(32, dtype=jnp.float32)
    right = pixel[None, None, :] - centre[:, 0, None, None]
    up = centre[:, 1, None, None] - pixel[None, :, None]
    cosine, sine = jnp.cos(angle) / size, jnp.sin(angle) / size
    u = cosine * right + sine * up
    v = cosine * up - sine * right
    square = jnp.maximum(jnp.abs(u), jnp.abs(v)) < SQUARE_HALF_SIDE
    ellipse = (u / ELLIPSE_RADII[0]) ** 2 + (v / ELLIPSE_RADII[1]) ** 2 < 1
    return jnp.where(shape == 0, square, jnp.where(shape == 1, ellipse, inside_heart(u, v)))


def inside_heart(
    u: Float[Array, "batch height width"], v: Float[Array, "batch height width"]
) -> Bool[Array, "batch height width"]:
    """Inside the curve u = W sin^3 t, v = L + H (13 cos t - 5 cos 2t - 2 cos 3t - cos 4t).

    A given |u| < W is met at exactly two t in [0, pi], t and pi - t: one on the upper arc and one on the
    lower. So the inside is what lies between them, in closed form, with no polygon to test against.
    """
    ratio = jnp.clip(jnp.abs(u) / HEART_WIDTH, 1e-12, 1.0)
    sine_squared = jnp.exp(jnp.log(ratio) * (2 / 3))  # compiled for whole vectors; jnp.cbrt is not, and 5 times slower
    cosine_squared = jnp.maximum(1 - sine_squared, 0.0)
    cosine = jnp.sqrt(cosine_squared)
    # cos 2t and cos 4t keep their sign when t becomes pi - t; cos t and cos 3t change it
    even = -5 * (2 * cosine_squared - 1) - (8 * cosine_squared**2 - 8 * cosine_squared + 1)
    odd = 13 * cosine - 2 * (4 * cosine_squared - 3) * cosine
    middle = HEART_LIFT + HEART_HEIGHT * even
    reach = HEART_HEIGHT * odd
    return (jnp.abs(u) < HEART_WIDTH) & (jnp.abs(v - middle) < reach)
