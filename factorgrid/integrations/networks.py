"""A trained member as layers and categories, without JAX: what PyTorch modules and ONNX graphs are made of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from factorgrid.explorer.network import Layer, decoder_layers, encoder_layers, grid_of
from factorgrid.models.trained import TrainedModel
from factorgrid.training import Run


@dataclass(frozen=True)
class Categories:
    """How the encoder's numbers become categories, of each latent dimension.

    Attributes:
        positions: where they lie, ascending.
        order: the number of each.
        active: which may be chosen.
        thresholds: a number becomes the category that comes after as many others as there are thresholds below it;
            None if the encoder gives logits, whose order is that of the numbers, or vectors.
        vectors: of each category, of latents that are vectors: a vector of the encoder becomes the nearest one, and the
            decoder sees it. None for others.
    """

    positions: Float[ndarray, "latent category"]
    order: Int[ndarray, "latent category"]
    active: Bool[ndarray, "latent category"]
    thresholds: Float[ndarray, "latent between"] | None
    vectors: Float[ndarray, "latent category size"] | None


@dataclass(frozen=True)
class Networks:
    """Encoder and decoder of a member.

    Attributes:
        image_shape: (height, width, channel).
        num_latents: n.
        encoder: from an image to the numbers of its posterior.
        decoder: from codes to pixel logits.
        categories: None for a latent without.
    """

    image_shape: tuple[int, int, int]
    num_latents: int
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    categories: Categories | None


def networks_of(run: Run | str | Path, member: str | int) -> Networks:
    """The networks of a trained run's member, by name or by its place in the list.

    Raises:
        Error: no such member, training has not finished, or networks of a user's own.
    """
    opened = run if isinstance(run, Run) else Run.open(run)
    return described(opened.model(member), opened.shapes.image)


def described(model: TrainedModel, shape: tuple[int, int, int]) -> Networks:
    """The networks of a model of images of this shape."""
    grid = grid_of(model)
    categories = None
    if grid is not None:
        ordered = grid.thresholds is None
        order = np.tile(np.arange(grid.positions.shape[1]), (len(grid.positions), 1))
        order = order if ordered else np.argsort(grid.positions, axis=1, kind="stable")
        thresholds = None if grid.thresholds is None else grid.thresholds.astype(np.float32)
        sorted_positions = np.take_along_axis(grid.positions, order, axis=1).astype(np.float32)
        categories = Categories(sorted_positions, order, grid.active, thresholds, grid.vectors)
    return Networks(shape, model.num_latents, encoder_layers(model, shape), decoder_layers(model, shape), categories)


def weights_of(layer: Layer) -> tuple[ndarray, ndarray]:
    """Weight and bias of a layer that has them."""
    assert layer.weight is not None, f"a layer of kind {layer.kind} has no weights"
    assert layer.bias is not None, f"a layer of kind {layer.kind} has no bias"
    return layer.weight, layer.bias


def zeros_after(layer: Layer) -> tuple[int, int]:
    """Zeros below and right of a convolution's input, so that it gives as many outputs as it should."""
    assert layer.weight is not None, "convolutions have weights"
    needed = [
        (out - 1) * layer.stride + kernel - size - before
        for out, kernel, size, before in zip(
            layer.output_shape, layer.weight.shape, layer.input_shape[:2], layer.before
        )
    ]
    return max(needed[0], 0), max(needed[1], 0)


def coordinates(layer: Layer) -> Float[ndarray, "2 height width"]:
    """Of every pixel of a broadcast image: column and row, both from -1 to 1."""
    height, width, _ = layer.output_shape
    across = np.tile(np.linspace(-1, 1, width, dtype=np.float32), (height, 1))
    down = np.tile(np.linspace(-1, 1, height, dtype=np.float32)[:, None], (1, width))
    return np.stack([across, down])
