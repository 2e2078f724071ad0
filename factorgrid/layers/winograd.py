"""Winograd's convolution of stride 1 with a 4 x 4 kernel: a fifth of the multiplications.

Four neighbouring outputs of a row are the middle coefficients of a product of two polynomials: the kernel's, of four
coefficients, and that of the seven inputs they depend on. A product of polynomials can be multiplied point by point:
evaluate both at seven points, multiply, and interpolate (Toom and Cook). That takes 7 multiplications instead of 16,
and in two dimensions 49 instead of 256; between them stand matrices of channels, so each point is a matrix product.
Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", has the two-dimensional form.

The seventh point is infinity; the other six were chosen by search among small fractions for the least rounding error.
In float32 a result has a rounding error of about 1e-6 of the results' standard deviation, where a plain convolution
has 1e-7 and TF32 5e-4. In bfloat16 it would be useless.
"""

from collections.abc import Sequence
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, ArrayLike, Float
from numpy import ndarray

KERNEL, TILE = 4, 4
NUM_POINTS = KERNEL + TILE - 1
POINTS = tuple(Fraction(point) for point in ("0", "-1", "1/2", "-1/2", "3/2", "-4"))
# Images are taken in groups of about this many numbers, so that what belongs to a group stays in the cache.
GROUP_SIZE = 2**20


@jax.custom_vjp
def convolve_by_tiles(
    x: Float[Array, "batch height width input"], weight: Float[Array, "4 4 input output"]
) -> Float[Array, "batch height width output"]:
    """Stride 1, one zero before and two after, as "SAME" pads a kernel of 4."""
    return _correlate(x, weight, before=1)


def _gradient(
    operands: tuple[Float[Array, "batch height width input"], Float[Array, "4 4 input output"]],
    cotangent: Float[ArrayLike, "batch height width output"],
) -> tuple[Array, Array]:
    (x, weight), cotangent = operands, jnp.asarray(cotangent)
    for_inputs = _correlate(cotangent, weight[::-1, ::-1].swapaxes(2, 3), before=2)
    return for_inputs, _weight_gradient(x, cotangent, before=1)


convolve_by_tiles.defvjp(lambda x, weight: (_correlate(x, weight, before=1), (x, weight)), _gradient)


def _correlate(
    x: Float[Array, "batch height width input"], weight: Float[Array, "4 4 input output"], *, before: int
) -> Float[Array, "batch height width output"]:
    num_images, height, width, _ = x.shape
    kernels, num_channels = _both_axes(OF_KERNEL, weight), max(weight.shape[2:])

    def group(x: Float[Array, "image h w input"]) -> Float[Array, "image h w output"]:
        images, h, w, _ = x.shape

        def row(of_row: tuple[Array, Array]) -> Float[Array, "4 tile output"]:
            inputs, kernels = of_row
            return _combine(INTERPOLATE, list(_evaluate_columns(inputs, w) @ kernels))

        rows = lax.map(row, (_evaluate_rows(x, before), kernels))
        tiles = _combine(INTERPOLATE, list(rows.reshape(NUM_POINTS, TILE, images, h // TILE, w // TILE, -1)))
        return tiles.transpose(2, 3, 0, 4, 1, 5).reshape(images, h, w, -1)

    out = lax.map(group, _grouped(_whole_tiles(x), num_channels))
    return out.reshape(num_images, *out.shape[2:])[:, :height, :width]


def _weight_gradient(
    x: Float[Array, "batch height width input"], cotangent: Float[Array, "batch height width output"], *, before: int
) -> Float[Array, "4 4 input output"]:
    x, cotangent = _whole_tiles(x), _whole_tiles(cotangent)
    num_inputs, num_outputs = x.shape[-1], cotangent.shape[-1]

    def group(total: Array, pair: tuple[Array, Array]) -> tuple[Array, None]:
        x, cotangent = pair
        images, h, w, _ = x.shape
        bands = cotangent.reshape(images, h // TILE, TILE, w, num_outputs)

        def row(of_row: tuple[Array, Array]) -> Float[Array, "7 input output"]:
            inputs, outputs = of_row
            outputs = _combine(INTERPOLATE.T, [outputs[:, :, j::TILE] for j in range(TILE)])
            outputs = outputs.reshape(NUM_POINTS, -1, num_outputs)
            return jnp.einsum("pti,pto->pio", _evaluate_columns(inputs, w), outputs)

        outputs_at_rows = _combine(INTERPOLATE.T, [bands[:, :, i] for i in range(TILE)])
        return total + lax.map(row, (_evaluate_rows(x, before), outputs_at_rows)), None

    nothing = jnp.zeros((NUM_POINTS, NUM_POINTS, num_inputs, num_outputs), x.dtype)
    num_channels = max(num_inputs, num_outputs)
    total, _ = lax.scan(group, nothing, (_grouped(x, num_channels), _grouped(cotangent, num_channels)))
    return _both_axes(OF_KERNEL.T, total)


def _evaluate_rows(x: Float[Array, "image h w input"], before: int) -> Float[Array, "7 image tile padded input"]:
    height, after = x.shape[1], KERNEL - 1 - before
    padded = jnp.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    return _combine(OF_INPUTS, [padded[:, i : i + height : TILE] for i in range(NUM_POINTS)])


def _evaluate_columns(x: Float[Array, "image tile padded input"], width: int) -> Float[Array, "7 tiles input"]:
    points = _combine(OF_INPUTS, [x[:, :, j : j + width : TILE] for j in range(NUM_POINTS)])
    return points.reshape(NUM_POINTS, -1, x.shape[-1])


def _combine(matrix: Float[ndarray, "result part"], parts: Sequence[Float[Array, "..."]]) -> Float[Array, "result ..."]:
    """Each result is a sum of the parts, weighted by its row: one pass over them."""
    columns = matrix.astype(parts[0].dtype).T.reshape(len(parts), -1, *(1,) * parts[0].ndim)
    return sum((column * part for column, part in zip(columns, parts)), start=jnp.zeros((), parts[0].dtype))


def _both_axes(matrix: Float[ndarray, "result part"], x: Float[Array, "part part i o"]) -> Float[Array, "..."]:
    """The matrix applied to both leading axes. In loops, since XLA would fuse the two and compute the first anew."""
    columns = lax.map(lambda column: _combine(matrix, list(column)), x.swapaxes(0, 1))
    return lax.map(lambda row: _combine(matrix, list(row)), columns.swapaxes(0, 1))


def _whole_tiles(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w channel"]:
    return jnp.pad(x, ((0, 0), (0, -x.shape[1] % TILE), (0, -x.shape[2] % TILE), (0, 0)))


def _grouped(
    x: Float[Array, "batch height width channel"], num_channels: int
) -> Float[Array, "group image height width channel"]:
    """As many images in a group as divide the batch and hold at most `GROUP_SIZE` numbers of so many channels."""
    num_images, height, width, _ = x.shape
    most = max(1, GROUP_SIZE // (height * width * num_channels))
    images = max(n for n in range(1, num_images + 1) if num_images % n == 0 and n <= most)
    return x.reshape(num_images // images, images, *x.shape[1:])


def _matrices() -> tuple[ndarray, ndarray, ndarray]:
    """OF_INPUTS [7 7], OF_KERNEL [7 4], INTERPOLATE [4 7]: outputs = INTERPOLATE @ ((OF_KERNEL @ w) * (OF_INPUTS @ x)).

    Evaluation of a polynomial of n coefficients is a Vandermonde matrix; interpolation is the inverse of the one with
    seven. A correlation is the transpose of a product, hence the transposes. Rows of OF_KERNEL are brought to a sum
    of magnitudes of 1, which lowers rounding errors.
    """

    def evaluation(num_coefficients: int) -> list[list[Fraction]]:
        finite = [[point**power for power in range(num_coefficients)] for point in POINTS]
        return [*finite, [Fraction(int(power == num_coefficients - 1)) for power in range(num_coefficients)]]

    inputs = np.array(_inverse(evaluation(NUM_POINTS)), float).T
    kernel, outputs = np.array(evaluation(KERNEL), float), np.array(evaluation(TILE), float)
    size = np.abs(kernel).sum(axis=1, keepdims=True)
    return inputs * size, kernel / size, outputs.T


def _inverse(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """By elimination, exactly."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = next(k for k in range(i, size) if rows[k][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(size):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i])]
    return [row[size:] for row in rows]


OF_INPUTS, OF_KERNEL, INTERPOLATE = _matrices()
