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
activations from one layout to the other and back. Every map between layouts is linear; those whose transpose
autodiff would write as padding and adding know their adjoint (`adjoints`).

All are equal to `jax.lax` convolutions, forward and gradient (tested in float64).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Key

from factorgrid.layers.adjoints import adjoints
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

    def __call__(self, x: Float[Array, "batch height width input"]) -> Float[Array, "batch h w output"]:
        if self.stride == 1:
            return add_bias(convolve(x, self.weight), self.bias)
        num_inputs, num_outputs = self.weight.shape[2:]
        if self.weight.shape[0] == 2:
            return add_bias(product(blocks(x), self.weight.reshape(-1, num_outputs)), self.bias)
        if 4 * num_inputs > num_outputs:
            return self.of_blocks(blocks(pad(x)))
        return add_bias(product(patches(x), patch_matrix(self.weight)), self.bias)

    def of_blocks(self, x: Float[Array, "batch h1 w1 block"]) -> Float[Array, "batch h w output"]:
        """The layer (kernel 4, stride 2) applied to `blocks(pad(images))`."""
        return add_bias(fold(product(x, share_matrix(self.weight))), self.bias)

    def to_blocks(self, x: Float[Array, "batch height width input"]) -> Float[Array, "batch h1 w1 block"]:
        """`blocks(pad(outputs))` of the layer (kernel 4, stride 2), for a few inputs."""
        ordered = blocks(pad(patches(x)))
        b, h, w, c = ordered.shape
        out = product(ordered.reshape(b, h, w, 4, c // 4), patch_matrix(self.weight))
        inside = blocks(pad(jnp.ones((1, 2 * h - 2, 2 * w - 2, 1), out.dtype)))[..., None]
        return (add_bias(out, self.bias) * inside).reshape(b, h, w, -1)


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
        num_inputs, num_outputs = self.weight.shape[2:]
        if 4 * num_outputs > num_inputs:
            return crop(unblocks(self.to_blocks(x)))
        return add_bias(unpatches(product(x, self._scatter_matrix())), self.bias)

    def to_blocks(self, x: Float[Array, "batch height width input"]) -> Float[Array, "batch h1 w1 block"]:
        """Blocks of the layer's outputs with a ring around them that must be cut off."""
        return add_bias(product(spread(x), transpose_matrix(self.weight)), jnp.tile(self.bias, 4))

    def of_blocks(self, x: Float[Array, "batch h1 w1 block"]) -> Float[Array, "batch height width output"]:
        """The layer applied to blocks with a ring around them, whatever the ring holds; for a few outputs."""
        b, h, w, c = x.shape
        shares = product(x.reshape(b, h, w, 4, c // 4), self._scatter_matrix())
        return add_bias(unpatches(crop(unblocks(shares.reshape(b, h, w, -1)))), self.bias)

    def _scatter_matrix(self) -> Float[Array, "input patch"]:
        """From an input to its share in the 4 x 4 outputs it reaches, in the order of `patches`."""
        _, _, num_inputs, num_outputs = self.weight.shape
        taps = patch_matrix(self.weight).reshape(16, num_inputs, num_outputs)
        return taps.transpose(1, 0, 2).reshape(num_inputs, -1)


def pad(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w channel"]:
    """One zero around the image."""
    return jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))


def crop(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w channel"]:
    """Without the outermost pixels."""
    return x[:, 1:-1, 1:-1]


def blocks(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w block"]:
    """2 x 2 pixels -> one of four times the channels (row, column, channel)."""
    b, h, w, c = x.shape
    return x.reshape(b, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(b, h // 2, w // 2, 4 * c)


def unblocks(x: Float[Array, "batch height width block"]) -> Float[Array, "batch h w channel"]:
    """The inverse of `blocks`."""
    b, h, w, c = x.shape
    return x.reshape(b, h, w, 2, 2, c // 4).transpose(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)


def neighbours(x: Float[Array, "batch height width channel"]) -> Float[Array, "batch h w patch"]:
    """Each pixel with its right, lower, and lower right neighbour; one row and column fewer."""
    return jnp.concatenate([x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, :-1], x[:, 1:, 1:]], axis=-1)


def _fold(x: Float[Array, "batch height width patch"]) -> Float[Array, "batch h w channel"]:
    b, h, w, c = x.shape
    y = x.reshape(b, h, w, 4, c // 4)
    return y[:, 1:, 1:, 0] + y[:, 1:, :-1, 1] + y[:, :-1, 1:, 2] + y[:, :-1, :-1, 3]


def _unpatches(x: Float[Array, "batch height width patch"]) -> Float[Array, "batch h w channel"]:
    b, h, w, c = x.shape
    y = x.reshape(b, h, w, 4, c // 4)
    shares = (
        jnp.pad(y[..., 2 * i + j, :], ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0))) for i in range(2) for j in range(2)
    )
    return crop(unblocks(sum(shares, start=jnp.zeros((), x.dtype))))


# spread: [b h w c] -> [b h+1 w+1 4c], all 2 x 2 neighbourhoods, also of the outermost pixels.
# fold: [b h+1 w+1 4c] -> [b h w c], each pixel's sum over the neighbourhoods that it is in.
spread, fold = adjoints(lambda x: neighbours(pad(x)), _fold)
# patches: [b 2h 2w c] -> [b h w 16c], the 4 x 4 pixels around each pair; unpatches: their overlapping sum.
patches, unpatches = adjoints(lambda x: neighbours(blocks(pad(x))), _unpatches)


@jax.custom_vjp
def add_bias(x: Float[Array, "*batch channel"], bias: Float[Array, " channel"]) -> Float[Array, "*batch channel"]:
    """x + bias; the gradient's sum over the batch is a product with ones, several times as fast as XLA's reduction."""
    return x + bias


def _bias_gradient(_: None, cotangent: Float[ArrayLike, "*batch channel"]) -> tuple[ArrayLike, Array]:
    rows = jnp.reshape(cotangent, (-1, jnp.shape(cotangent)[-1]))
    return cotangent, jnp.ones(len(rows), rows.dtype) @ rows


add_bias.defvjp(lambda x, bias: (x + bias, None), _bias_gradient)


def patch_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "patch output"]:
    """Kernel rows and columns in the order of `patches`."""
    _, _, i, o = weight.shape
    # tap 2 * block + within, for rows and columns
    return weight.reshape(2, 2, 2, 2, i, o).transpose(0, 2, 1, 3, 4, 5).reshape(16 * i, o)


def share_matrix(weight: Float[Array, "4 4 input output"]) -> Float[Array, "block share"]:
    """[(row, column, input) of a block, (neighbour row, neighbour column, output) in the order of `fold`].

    Seen from a block, the output at its lower right (3 in `fold`'s order) sees it as the first of its own blocks.
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
