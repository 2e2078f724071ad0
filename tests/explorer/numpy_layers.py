"""The layers of a network in plain NumPy: slow, and by another way than the page's loops (sums over kernel taps)."""

from collections.abc import Sequence

import numpy as np

from factorgrid.explorer.network import Layer


def compute(layers: Sequence[Layer], x: np.ndarray) -> np.ndarray:
    """The numbers [n output] of inputs [n input], in float64."""
    for layer in layers:
        x = {"dense": _dense, "conv": _conv, "transpose": _transpose, "broadcast": _broadcast}[layer.kind](layer, x)
        x = np.maximum(x, 0) if layer.relu else x
        assert x.shape[1:] == (int(np.prod(layer.output_shape)),)
    return x


def _dense(layer: Layer, x: np.ndarray) -> np.ndarray:
    return x @ layer.weight.astype(float) + layer.bias


def _conv(layer: Layer, x: np.ndarray) -> np.ndarray:
    images, (rows, columns, outputs) = x.reshape(len(x), *layer.input_shape), layer.output_shape
    kernel, (above, left) = layer.weight.shape[:2], layer.before
    padded = np.pad(images, ((0, 0), (above, kernel[0] + layer.stride), (left, kernel[1] + layer.stride), (0, 0)))
    out = np.zeros((len(x), rows, columns, outputs)) + layer.bias
    for i, j in np.ndindex(*kernel):
        seen = padded[:, i : i + rows * layer.stride : layer.stride, j : j + columns * layer.stride : layer.stride]
        out += seen @ layer.weight[i, j].astype(float)
    return out.reshape(len(x), -1)


def _transpose(layer: Layer, x: np.ndarray) -> np.ndarray:
    images, (rows, columns, outputs) = x.reshape(len(x), *layer.input_shape), layer.output_shape
    height, width, _ = layer.input_shape
    kernel, (above, left) = layer.weight.shape[:2], layer.before
    canvas = np.zeros((len(x), height * layer.stride + kernel[0], width * layer.stride + kernel[1], outputs))
    for i, j in np.ndindex(*kernel):
        reached = slice(i, i + height * layer.stride, layer.stride), slice(j, j + width * layer.stride, layer.stride)
        canvas[:, *reached] += images @ layer.weight[i, j].astype(float)
    return (canvas[:, above : above + rows, left : left + columns] + layer.bias).reshape(len(x), -1)


def _broadcast(layer: Layer, x: np.ndarray) -> np.ndarray:
    height, width, channels = layer.output_shape
    out = np.empty((len(x), height, width, channels))
    out[..., :-2] = x[:, None, None]
    out[..., -2] = np.linspace(-1, 1, width)
    out[..., -1] = np.linspace(-1, 1, height)[:, None]
    return out.reshape(len(x), -1)
