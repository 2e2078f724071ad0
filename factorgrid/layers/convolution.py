"""Convolutions of stride 1 and 2 as products with a matrix, NHWC, zero padding that keeps size / stride ("SAME").

A product needs patches on one of its sides. What costs time is writing them, so they go where there are fewer
channels, and nothing is multiplied by a zero that was put in between:

* stride 2, kernel 2: blocks of 2 x 2 pixels, a reshape;
* stride 2, kernel 4, few inputs: the 4 x 4 patch of every output;
* stride 2, kernel 4, else: blocks of 2 x 2 inputs times a matrix give each block's share in its four neighbouring
  outputs, which are added up (`fold`): a quarter of the patches' size;
* transposed: the adjoints of the last two, by the same rule;
* stride 1: `unit_stride.py`.

Two layers in a row may hand over blocks instead of pixels (`to_blocks`, `of_blocks`), which saves moving the large
activations from one layout to the other and back. Every map between layouts is linear and knows its adjoint.
A layer may end with a ReLU, which then is part of the same operation.

All are equal to `jax.lax` convolutions, forward and gradient (tested in float64).
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, Shaped

from factorgrid.layers.adjoints import Adjoints, differentiable, moving
from factorgrid.layers.initializers import Initializer
from factorgrid.layers.product import product
from factorgrid.layers.unit_stride import convolve


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

    def __call__(
        self, x: Float[Array, "batch height width input"], *, relu: bool = False
    ) -> Float[Array, "batch h w output"]:
        if self.stride == 1:
            return convolve(x, self.weight, self.bias, relu=relu)
        num_inputs, num_outputs = self.weight.shape[2:]
        if self.weight.shape[0] == 2:
            return product(x, self.weight.reshape(-1, num_outputs), self.bias, gather=BLOCKS, relu=relu)
        if 4 * num_inputs > num_outputs:
            return self.of_blocks(PADDED_BLOCKS.forward(x), relu=relu)
        return product(x, patch_matrix(self.weight), self.bias, gather=PATCHES, relu=relu)

    def of_blocks(
        self, x: Float[Array, "batch h1 w1 block"], *, relu: bool = False
    ) -> Float[Array, "batch h w output"]:
        """The layer (kernel 4, stride 2) applied to the blocks of padded images."""
        return product(x, share_matrix(self.weight), self.bias, scatter=FOLD, relu=relu)

    def to_blocks(
        self, x: Float[Array, "batch height width input"], *, relu: bool = False
    ) -> Float[Array, "batch h1 w1 block"]:
        """Blocks of the padded outputs of the layer (kernel 4, stride 2), for a few inputs."""
        height, width = (size // 2 for size in x.shape[1:3])
        inside = _blocks(_pad(jnp.ones((1, height, width, 1), self.bias.dtype)))[..., None]
        out = product(x, patch_matrix(self.weight), self.bias, gather=PATCHES_IN_BLOCKS, mask=inside, relu=relu)
        return out.reshape(*out.shape[:3], -1)


class ConvTranspose(eqx.Module):
    """Transposed convolution, kernel 4, stride 2: doubles height and width; input i reaches outputs 2i-1 .. 2i+2.

    `weight` is [4 4 input output]: tap k of input i lands on output 2i - 1 + k.
    """

    weight: Float[Array, "4 4 input output"]
    bias: Float[Array, " output"]

    def __init__(self, num_inputs: int, num_outputs: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        self.weight = init(key, (4, 4, num_inputs, num_outputs), 16 * num_inputs, 16 * num_outputs)
        self.bias = jnp.zeros(num_outputs)

    def __call__(
        self, x: Float[Array, "batch height width input"], *, relu: bool = False
    ) -> Float[Array, "batch h w output"]:
        num_inputs, num_outputs = self.weight.shape[2:]
        if 4 * num_outputs > num_inputs:
            return PADDED_BLOCKS.transpose(self.to_blocks(x, relu=relu))
        return product(x, self._scatter_matrix(), self.bias, scatter=PATCHES.turned, relu=relu)

    def to_blocks(
        self, x: Float[Array, "batch height width input"], *, relu: bool = False
    ) -> Float[Array, "batch h1 w1 block"]:
        """Blocks of the layer's outputs with a ring around them that must be cut off."""
        bias = jnp.tile(self.bias, 4)
        return product(x, transpose_matrix(self.weight), bias, gather=FOLD.turned, relu=relu)

    def of_blocks(self, x: Float[Array, "batch h1 w1 block"]) -> Float[Array, "batch height width output"]:
        """The layer applied to blocks with a ring around them, whatever the ring holds; for a few outputs."""
        b, h, w, c = x.shape
        pixels = x.reshape(b, h, w, 4, c // 4)
        return product(pixels, self._scatter_matrix(), self.bias, scatter=PATCHES_IN_BLOCKS.turned)

    def _scatter_matrix(self) -> Float[Array, "input patch"]:
        """From an input to its share in the 4 x 4 outputs it reaches, in the order of `PATCHES`."""
        _, _, num_inputs, num_outputs = self.weight.shape
        taps = patch_matrix(self.weight).reshape(16, num_inputs, num_outputs)
        return taps.transpose(1, 0, 2).reshape(num_inputs, -1)


def _pad(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w channel"]:
    """One zero around the image."""
    return jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))


def _crop(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w channel"]:
    """Without the outermost pixels."""
    return x[:, 1:-1, 1:-1]


def _blocks(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w block"]:
    """2 x 2 pixels -> one of four times the channels (row, column, channel)."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * c)


def _unblocks(x: Shaped[Array, "batch height width block"]) -> Shaped[Array, "batch h w channel"]:
    """The inverse of `_blocks`."""
    b, h, w, c = x.shape
    return x.reshape(b, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)


def _neighbours(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w patch"]:
    """Each pixel with its right, lower, and lower right neighbour; one row and column fewer."""
    return jnp.concatenate([x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, :-1], x[:, 1:, 1:]], axis=-1)


def _fold(x: Shaped[Array, "batch height width patch"]) -> Shaped[Array, "batch h w channel"]:
    b, h, w, c = x.shape
    y = x.reshape(b, h, w, 4, c // 4)
    return y[:, 1:, 1:, 0] + y[:, 1:, :-1, 1] + y[:, :-1, 1:, 2] + y[:, :-1, :-1, 3]


def _patches(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w patch"]:
    return _neighbours(_blocks(_pad(x)))


def _unpatches(x: Shaped[Array, "batch height width patch"]) -> Shaped[Array, "batch h w channel"]:
    b, h, w, c = x.shape
    y = x.reshape(b, h, w, 4, c // 4)
    shares = (
        jnp.pad(y[..., 2 * i + j, :], ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0))) for i in range(2) for j in range(2)
    )
    return _crop(_unblocks(sum(shares, start=jnp.zeros((), x.dtype))))


def _patches_in_blocks(x: Shaped[Array, "batch height width channel"]) -> Shaped[Array, "batch h w 4 patch"]:
    out = _blocks(_pad(_patches(x)))
    return out.reshape(*out.shape[:3], 4, -1)


def _unpatches_of_blocks(x: Shaped[Array, "batch height width 4 patch"]) -> Shaped[Array, "batch h w channel"]:
    return _unpatches(_crop(_unblocks(x.reshape(*x.shape[:3], -1))))


# [b 2h 2w c] <-> [b h w 4c]
BLOCKS = Adjoints(moving(_blocks), moving(_unblocks))
# Blocks of the image with one zero around it, and back.
PADDED_BLOCKS = differentiable(Adjoints(moving(lambda x: _blocks(_pad(x))), moving(lambda x: _crop(_unblocks(x)))))
# [b h+1 w+1 4c] -> [b h w c], each pixel's sum over the 2 x 2 neighbourhoods that it is in; transposed: all of those
# neighbourhoods, also of the outermost pixels.
FOLD = Adjoints(_fold, moving(lambda x: _neighbours(_pad(x))))
# [b 2h 2w c] -> [b h w 16c], the 4 x 4 pixels around each pair; transposed: their overlapping sum.
PATCHES = Adjoints(moving(_patches), _unpatches)
# The same with patches as blocks that have a ring of zeros around them.
PATCHES_IN_BLOCKS = Adjoints(moving(_patches_in_blocks), _unpatches_of_blocks)


def patch_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "patch output"]:
    """Kernel rows and columns in the order of `PATCHES`."""
    _, _, i, o = weight.shape
    # tap 2 * block + within, for rows and columns
    return weight.reshape(2, 2, 2, 2, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(16 * i, o)


def share_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "block share"]:
    """[(row, column, input) of a block, (neighbour row, neighbour column, output) in the order of `FOLD`].

    Seen from a block, the output at its lower right (3 in that order) sees it as the first of its own blocks.
    """
    _, _, i, o = weight.shape
    return weight.reshape(2, 2, 2, 2, i, o)[::-1, :, ::-1].transpose(1, 3, 4, 0, 2, 5).reshape(4 * i, 4 * o)


def transpose_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "patch four_outputs"]:
    """[(neighbour row, neighbour column, input), (output row, output column, output)] of `ConvTranspose`.

    Output row 2p-1 takes tap 2 of input p-1 and tap 0 of input p; row 2p takes taps 3 and 1.
    """
    _, _, i, o = weight.shape
    chosen = weight.reshape(2, 2, 2, 2, i, o)[::-1, :, ::-1]  # [neighbour, output] for rows, then for columns
    return chosen.transpose(0, 2, 4, 1, 3, 5).reshape(4 * i, 4 * o)
