"""Convolutions of stride 1 and 2 as patches x matrix, NHWC, zero padding that keeps size / stride ("SAME").

The shapes that the paper's networks need, each with the cheapest way to its patches:

* stride 2, kernel 2: blocks of 2 x 2 pixels, a reshape;
* stride 2, kernel 4: the padded image in blocks of 2 x 2, four neighbouring blocks side by side;
* transposed, stride 2, kernel 4: a pair of output rows depends on two neighbouring input rows, so blocks of 2 x 2
  outputs are products of 2 x 2 input patches. Nothing is multiplied by a zero that was put in between;
* stride 1: one product for each kernel row, summed (patches of the whole kernel would be too large to keep).

All are equal to `jax.lax` convolutions, forward and gradient (tested in float64).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.layers.initializers import Initializer


class Conv(eqx.Module):
    """Convolution: (kernel 2 or 4, stride 2) halves height and width; (any kernel, stride 1) keeps them.

    `weight` is [kernel_height kernel_width input output], as in `jax.lax` "HWIO".
    """

    weight: Float[Array, "kernel_height kernel_width input output"]
    bias: Float[Array, " output"]
    stride: int = eqx.field(static=True)

    def __init__(
        self, num_inputs: int, num_outputs: int, *, kernel: int, stride: int, init: Initializer, key: Key[Array, ""]
    ) -> None:
        assert (kernel, stride) in ((2, 2), (4, 2)) or stride == 1, f"kernel {kernel}, stride {stride}"
        area = kernel * kernel
        self.weight = init(key, (kernel, kernel, num_inputs, num_outputs), area * num_inputs, area * num_outputs)
        self.bias = jnp.zeros(num_outputs)
        self.stride = stride

    def __call__(self, x: Float[Array, "batch height width input"]) -> Float[Array, "batch h w output"]:
        if self.stride == 1:
            return convolve_rows(x, self.weight) + self.bias
        if self.weight.shape[0] == 2:
            patches, matrix = blocks(x), self.weight.reshape(-1, self.weight.shape[-1])
        else:
            patches, matrix = neighbours(blocks(pad(x))), stride_2_matrix(self.weight)
        return patches @ matrix + self.bias


class ConvTranspose(eqx.Module):
    """Transposed convolution, kernel 4, stride 2: doubles height and width; input i reaches outputs 2i-1 .. 2i+2.

    `weight` is [4 4 input output]: tap k of input i lands on output 2i - 1 + k.
    """

    weight: Float[Array, "4 4 input output"]
    bias: Float[Array, " output"]

    def __init__(self, num_inputs: int, num_outputs: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        self.weight = init(key, (4, 4, num_inputs, num_outputs), 16 * num_inputs, 16 * num_outputs)
        self.bias = jnp.zeros(num_outputs)

    def __call__(self, x: Float[Array, "batch height width input"]) -> Float[Array, "batch h w output"]:
        # Patch p holds inputs p-1 and p, and makes outputs 2p-1 and 2p; the outermost outputs are cut off.
        out = neighbours(pad(x)) @ transpose_matrix(self.weight) + jnp.tile(self.bias, 4)
        return unblocks(out)[:, 1:-1, 1:-1]


def pad(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w channel"]:
    """One zero around the image."""
    return jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))


def blocks(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w patch"]:
    """2 x 2 pixels -> one of four times the channels (row, column, channel)."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * c)


def unblocks(x: Float[Array, "batch height width patch"]) -> Float[Array, "batch h w channel"]:
    """The inverse of `blocks`."""
    b, h, w, c = x.shape
    return x.reshape(b, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)


def neighbours(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w patch"]:
    """Each pixel with its right, lower, and lower right neighbour; one row and column fewer."""
    return jnp.concatenate([x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, :-1], x[:, 1:, 1:]], axis=-1)


def stride_2_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "patch output"]:
    """Kernel rows and columns in the order of `neighbours(blocks(x))`."""
    _, _, i, o = weight.shape
    # tap 2 * block + within, for rows and columns
    return weight.reshape(2, 2, 2, 2, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(16 * i, o)


def transpose_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "patch four_outputs"]:
    """[(neighbour row, neighbour column, input), (output row, output column, output)] of `ConvTranspose`.

    Output row 2p-1 takes tap 2 of input p-1 and tap 0 of input p; row 2p takes taps 3 and 1.
    """
    _, _, i, o = weight.shape
    taps = jnp.asarray([[2, 3], [0, 1]])  # [neighbour, output]
    chosen = weight[taps[:, :, None, None], taps[None, None, :, :]]  # [row out_row column out_column i o]
    return chosen.transpose(0, 2, 4, 1, 3, 5).reshape(4 * i, 4 * o)


def convolve_rows(
    x: Float[Array, "batch height width input"], weight: Float[Array, "kernel_height kernel_width input output"]
) -> Float[Array, "batch height width output"]:
    """Stride 1. An even kernel pads one more after than before, as "SAME" does."""
    kernel_height, kernel_width, _, num_outputs = weight.shape
    height, width = x.shape[1:3]
    before = ((kernel_height - 1) // 2, (kernel_width - 1) // 2)
    after = (kernel_height // 2, kernel_width // 2)
    padded = jnp.pad(x, ((0, 0), (before[0], after[0]), (before[1], after[1]), (0, 0)))
    wide = jnp.concatenate([padded[:, :, j : j + width] for j in range(kernel_width)], axis=-1)
    return sum(
        (wide[:, i : i + height] @ weight[i].reshape(-1, num_outputs) for i in range(kernel_height)),
        start=jnp.zeros((), x.dtype),
    )
