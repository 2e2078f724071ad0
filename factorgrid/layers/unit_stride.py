"""Convolutions of stride 1, any kernel, NHWC, padded with zeros so that the size stays ("SAME").

* few inputs: the window of every pixel, times a matrix;
* few outputs: the product comes first, and the shares of the pixels in a window are added up afterwards;
* many of both, 4 x 4, on a CPU: tiles (`winograd.py`);
* many of both, else: one product for each kernel row, summed (windows would be too large to keep).

An even kernel pads one more after than before, as "SAME" does.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from factorgrid.layers.adjoints import Adjoints, LinearMap, moving
from factorgrid.layers.product import add_bias, precision, product
from factorgrid.layers.winograd import KERNEL, convolve_by_tiles

# A window of so many numbers is no larger than the other side's channels usually are.
SMALL_WINDOW = 64
# Below so many channels, evaluating and interpolating costs more than the products it saves.
FEWEST_FOR_TILES = 16


def convolve(
    x: Float[Array, "batch height width input"],
    weight: Float[Array, "kernel_height kernel_width input output"],
    bias: Float[Array, " output"],
    *,
    relu: bool = False,
) -> Float[Array, "batch height width output"]:
    """A layer of stride 1."""
    *kernel, num_inputs, num_outputs = weight.shape
    windows, window_sums = window_maps(*kernel)
    area = kernel[0] * kernel[1]
    if num_inputs <= num_outputs and area * num_inputs <= SMALL_WINDOW:
        return product(x, weight.reshape(-1, num_outputs), bias, gather=windows, relu=relu)
    if area * num_outputs <= SMALL_WINDOW:
        matrix = weight.transpose(2, 0, 1, 3).reshape(num_inputs, -1)
        return product(x, matrix, bias, scatter=window_sums, relu=relu)
    exact = precision() != "bfloat16" and jax.default_backend() == "cpu"
    tiles = exact and kernel == [KERNEL, KERNEL] and min(num_inputs, num_outputs) >= FEWEST_FOR_TILES
    out = add_bias(convolve_by_tiles(x, weight) if tiles else convolve_by_rows(x, weight), bias)
    return jax.nn.relu(out).astype(x.dtype) if relu else out


def convolve_by_rows(
    x: Float[Array, "batch height width input"], weight: Float[Array, "kernel_height kernel_width input output"]
) -> Float[Array, "batch height width output"]:
    """A product for each row of the kernel, with windows of one row."""
    kernel_height, kernel_width, _, num_outputs = weight.shape
    height, width = x.shape[1:3]
    padded = _pad(x, kernel_height, kernel_width)
    wide = jnp.concatenate([padded[:, :, j : j + width] for j in range(kernel_width)], axis=-1)
    rows = (product(wide[:, i : i + height], weight[i].reshape(-1, num_outputs)) for i in range(kernel_height))
    return sum(rows, start=jnp.zeros((), weight.dtype))


@functools.cache
def window_maps(kernel_height: int, kernel_width: int) -> tuple[Adjoints, Adjoints]:
    """For a kernel size, two linear maps.

    The first, [b h w c] -> [b h w tap*c], gives each pixel the window under the kernel. The second goes
    [b h w tap*c] -> [b h w c]: each pixel adds up, of every pixel in its window, the part for the tap it lies under.
    """
    taps = [(i, j) for i in range(kernel_height) for j in range(kernel_width)]

    def windows(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch height width window"]:
        height, width = x.shape[1:3]
        padded = _pad(x, kernel_height, kernel_width)
        return jnp.concatenate([padded[:, i : i + height, j : j + width] for i, j in taps], axis=-1)

    def sums(x: Shaped[Array, "batch height width window"]) -> Shaped[Array, "batch height width channel"]:
        height, width, num_channels = x.shape[1], x.shape[2], x.shape[3] // len(taps)
        padded = _pad(x, kernel_height, kernel_width)
        shares = (
            padded[:, i : i + height, j : j + width, tap * num_channels : (tap + 1) * num_channels]
            for tap, (i, j) in enumerate(taps)
        )
        return sum(shares, start=jnp.zeros((), x.dtype))

    def turned(fn: LinearMap) -> LinearMap:
        return lambda x: fn(x[:, ::-1, ::-1])[:, ::-1, ::-1]

    # A pixel is in the windows of those around it on the other side: the transpose of each is the other, turned round.
    return Adjoints(moving(windows), turned(sums)), Adjoints(sums, moving(turned(windows)))


def _pad(x: Shaped[Array, "batch height width channel"], kernel_height: int, kernel_width: int) -> Array:
    (top, bottom), (left, right) = (((size - 1) // 2, size // 2) for size in (kernel_height, kernel_width))
    return jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
