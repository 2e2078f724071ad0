"""A model as plain lists of layers and grids, which a browser can compute.

All that the explorer assumes about networks and latents is in this file: names of a network's parts, how its layers
pad, and what the encoder's last layer gives: logits (latent by latent), a number a latent first of all, or a vector a
latent, of which the nearest entry of a codebook is taken.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.latents.abilities import Probabilistic
from factorgrid.models.trained import TrainedModel

Kind = Literal["dense", "conv", "transpose", "broadcast"]
Shape = tuple[int, ...]
SEARCHED = 32.0  # thresholds lie within +- this: a tanh has saturated long before
HALVINGS = 40


@dataclass(frozen=True)
class Layer:
    """One layer. Arrays in and out are flat; an image is laid out row by row, channels last.

    Attributes:
        kind: "dense": x @ weight + bias. "conv": of images; output (i, j) sees the inputs from (i, j) * stride - before
            on. "transpose": input (i, j) is added, times the kernel, to the outputs from (i, j) * stride - before on;
            what falls outside is dropped. "broadcast": the input at every pixel, then the pixel's column and row, both
            from -1 to 1.
        input_shape, output_shape: (size,) or (height, width, channel).
        weight: [input output], or [kernel_height kernel_width input output].
        bias: [output].
        stride: of convolutions.
        before: zeros above and left of the image.
        relu: whether negative outputs become 0.
    """

    kind: Kind
    input_shape: Shape
    output_shape: Shape
    weight: Float[ndarray, "..."] | None = None
    bias: Float[ndarray, " output"] | None = None
    stride: int = 1
    before: tuple[int, int] = (0, 0)
    relu: bool = False


@dataclass(frozen=True)
class Grid:
    """The categories of each latent dimension.

    Attributes:
        positions: where every category lies, as the decoder sees it.
        active: which categories the model may choose (all, unless attention is masked).
        thresholds: of models that round a number of the encoder to a category: of the categories in the order of
            their positions, it is the one that comes after as many others as there are thresholds below the number.
            None for models whose encoder gives logits of categories, or vectors.
        vectors: what the decoder sees instead of positions, of models whose latents are vectors.
    """

    positions: Float[ndarray, "latent category"]
    active: Bool[ndarray, "latent category"]
    thresholds: Float[ndarray, "latent between"] | None
    vectors: Float[ndarray, "latent category size"] | None = None


def grid_of(model: TrainedModel) -> Grid | None:
    """The grid of a discrete model; None for one without categories.

    Raises:
        Error: a latent that this file does not know.
    """
    if not model.discrete:
        return None
    positions = model.position_table
    active = np.zeros(positions.shape, bool)
    for row, categories in enumerate(model.active_categories):
        active[row, list(categories)] = True
    latent = model.autoencoder.latent
    if latent.width == latent.num_parameters > model.num_latents:
        return Grid(positions, active, None, _vectors(model))
    # a QVAE has probabilities too, and makes them of a number
    logits = model.can(Probabilistic) and latent.num_parameters == positions.size
    return Grid(positions, active, None if logits else _thresholds(model))


def encoder_layers(model: TrainedModel, image_shape: Shape) -> tuple[Layer, ...]:
    """From an image to the numbers of its posterior: n x K logits, or n means and then their log variances.

    Raises:
        Error: a network that this file does not know.
    """
    encoder: Any = model.autoencoder.encoder
    if hasattr(encoder, "layers"):
        return _dense_stack(encoder.layers, math.prod(image_shape), last_relu=False)
    if not hasattr(encoder, "convolutions"):
        raise _unknown(encoder)
    layers = _convolutions(encoder.convolutions, image_shape, last_relu=True)
    flat = math.prod(layers[-1].output_shape)
    return layers + _dense_stack((encoder.hidden, encoder.output), flat, last_relu=False)


def decoder_layers(model: TrainedModel, image_shape: Shape) -> tuple[Layer, ...]:
    """From latents to pixel logits.

    Raises:
        Error: a network that this file does not know.
    """
    decoder: Any = model.autoencoder.decoder
    seen = model.autoencoder.latent.width
    if hasattr(decoder, "layers"):
        return _dense_stack(decoder.layers, seen, last_relu=False)
    if hasattr(decoder, "deconvolutions"):
        hidden = _dense_stack(decoder.hidden, seen, last_relu=True)
        return hidden + _deconvolutions(decoder.deconvolutions, image_shape)
    if not hasattr(decoder, "convolutions"):
        raise _unknown(decoder)
    height, width, _ = image_shape
    tiled = (height, width, seen + 2)
    tiles = Layer("broadcast", (seen,), tiled)
    return (tiles, *_convolutions(decoder.convolutions, tiled, last_relu=False))


def half_precision(model: TrainedModel) -> TrainedModel:
    """The model with every weight rounded to 16 bits, still computing in 32."""

    def rounded(leaf: Array) -> Array:
        return leaf.astype("float16").astype(leaf.dtype) if eqx.is_inexact_array(leaf) else leaf

    whole = model.autoencoder
    networks = jax.tree.map(rounded, (whole.encoder, whole.decoder))
    return TrainedModel(dataclasses.replace(whole, encoder=networks[0], decoder=networks[1]))


def _vectors(model: TrainedModel) -> Float[ndarray, "latent category size"]:
    """What the latent makes of each category, for all latents at once."""
    positions = model.position_table
    each = model.autoencoder.latent.embed(jnp.asarray(positions.T, jnp.float32), model.autoencoder.codebook)
    return np.asarray(each, np.float32).reshape(*positions.T.shape, -1).swapaxes(0, 1)


def _thresholds(model: TrainedModel) -> Float[ndarray, "latent between"]:
    """Found by bisection of what the latent itself makes of a number."""
    latent: Any = model.autoencoder.latent
    num_latents, num_categories = model.position_table.shape
    if latent.num_parameters != num_latents:
        raise Error(
            f"the explorer and exports cannot describe a {type(latent).__name__} latent; factorgrid traverse can show "
            "it, or describe it in factorgrid/explorer/network.py"
        )
    ranks = model.position_table.argsort(axis=1, kind="stable").argsort(axis=1)
    low = np.full((num_categories - 1, num_latents), -SEARCHED)
    high = -low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        categories = np.asarray(latent.read(jnp.asarray(middle, jnp.float32), model.autoencoder.codebook).categories())
        above = ranks[np.arange(num_latents), categories] > np.arange(num_categories - 1)[:, None]
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high.T


def _dense_stack(parts: Sequence[Any], size: int, *, last_relu: bool) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for part in parts:
        weight, bias = _numbers(part)
        layers.append(Layer("dense", (size,), (weight.shape[1],), weight, bias, relu=True))
        size = weight.shape[1]
    layers[-1] = dataclasses.replace(layers[-1], relu=last_relu)
    return tuple(layers)


def _convolutions(parts: Sequence[Any], shape: Shape, *, last_relu: bool) -> tuple[Layer, ...]:
    """Zeros are shared between both sides so that the size becomes size / stride, rounded up; odd ones go after."""
    layers: list[Layer] = []
    for part in parts:
        weight, bias = _numbers(part)
        height, width = (-(-size // part.stride) for size in shape[:2])
        output = (height, width, weight.shape[3])
        zeros = (
            max((num - 1) * part.stride + kernel - size, 0)
            for num, kernel, size in zip(output[:2], weight.shape[:2], shape[:2])
        )
        above, left = (num // 2 for num in zeros)
        layers.append(Layer("conv", shape, output, weight, bias, part.stride, (above, left), relu=True))
        shape = output
    layers[-1] = dataclasses.replace(layers[-1], relu=last_relu)
    return tuple(layers)


def _deconvolutions(parts: Sequence[Any], image_shape: Shape) -> tuple[Layer, ...]:
    """Each doubles the size, less one where the image needs an odd number."""
    layers: list[Layer] = []
    for i, part in enumerate(parts):
        weight, bias = _numbers(part)
        before, after = (_shrunk(image_shape, len(parts) - j) for j in (i, i + 1))
        shapes = (*before, weight.shape[2]), (*after, weight.shape[3])
        layers.append(Layer("transpose", *shapes, weight, bias, 2, (1, 1), relu=i < len(parts) - 1))
    return tuple(layers)


def _shrunk(image_shape: Shape, times: int) -> tuple[int, int]:
    return -(-image_shape[0] // 2**times), -(-image_shape[1] // 2**times)


def _numbers(part: Any) -> tuple[ndarray, ndarray]:
    return np.asarray(part.weight, np.float32), np.asarray(part.bias, np.float32)


def _unknown(network: Any) -> Error:
    return Error(
        f"the explorer and exports cannot describe a network of type {type(network).__name__}: they know dense, "
        "convolutional and broadcast ones; describe the new one in factorgrid/explorer/network.py"
    )
