"""Trained encoders and decoders as PyTorch modules: images [n, channel, height, width] in [0, 1], codes [n, latent].

Their parameters are ordinary ones: they can be trained on, moved to a GPU, saved by `torch.save` and exported.
"""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from factorgrid.explorer.network import Layer
from factorgrid.integrations.missing import missing
from factorgrid.integrations.networks import Networks, coordinates, networks_of, weights_of, zeros_after
from factorgrid.training import Run

if TYPE_CHECKING:  # PyTorch is not among the tools that check types here
    torch: Any
    Module: Any
    Tensor = Any
else:
    try:
        import torch
        from torch import Tensor
        from torch.nn import Module
    except ImportError:
        Module, Tensor = missing("a network for PyTorch", "torch"), Any


def torch_networks(run: Run | str | Path, member: str | int = 0) -> tuple["TorchEncoder", "TorchDecoder"]:
    """Encoder and decoder of a trained member; they give what `run.model(member)` gives, up to rounding.

    Args:
        run: a trained run, or its folder.
        member: by name, or by its place in the list.

    Raises:
        Error: no such member, training has not finished, or networks of a user's own.
    """
    found = networks_of(run, member)
    return TorchEncoder(found), TorchDecoder(found)


class TorchLayer(Module):
    """One layer. Images are [n channel height width]; dense layers see them flattened with channels last."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self.layer = dataclasses.replace(layer, weight=None, bias=None)
        if layer.kind == "broadcast":
            self.register_buffer("coordinates", torch.from_numpy(coordinates(layer)))
            return
        weight, bias = weights_of(layer)
        # torch keeps dense and convolutional weights [output input ...], transposed ones [input output ...]
        axes = {"dense": (1, 0), "conv": (3, 2, 0, 1), "transpose": (2, 3, 0, 1)}[layer.kind]
        self.weight = torch.nn.Parameter(torch.from_numpy(np.ascontiguousarray(np.transpose(weight, axes))))
        self.bias = torch.nn.Parameter(torch.from_numpy(np.array(bias)))
        self.after = zeros_after(layer) if layer.kind == "conv" else (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.layer
        if layer.kind == "broadcast":
            height, width, _ = layer.output_shape
            tiled = x[:, :, None, None].expand(-1, -1, height, width)
            return torch.cat([tiled, self.coordinates.expand(len(x), -1, -1, -1)], dim=1)
        if layer.kind == "dense":
            flat = x if x.ndim == 2 else x.permute(0, 2, 3, 1).flatten(1)
            y = torch.nn.functional.linear(flat, self.weight, self.bias)
        else:
            if x.ndim == 2:
                x = x.unflatten(1, layer.input_shape).permute(0, 3, 1, 2)
            (above, left), (rows, columns, _) = layer.before, layer.output_shape
            if layer.kind == "conv":
                below, right = self.after
                y = torch.nn.functional.conv2d(
                    torch.nn.functional.pad(x, (left, right, above, below)), self.weight, self.bias, layer.stride
                )
            else:
                y = torch.nn.functional.conv_transpose2d(x, self.weight, self.bias, layer.stride, layer.before)[
                    ..., :rows, :columns
                ]
        return y.relu() if layer.relu else y


class TorchEncoder(Module):
    """Images -> codes: expected positions of categories, Gaussian means, levels, or numbers of entries."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*map(TorchLayer, networks.encoder))
        categories = networks.categories
        self.num_latents, self.discrete = networks.num_latents, categories is not None
        self.by_vectors = categories is not None and categories.vectors is not None
        self.by_logits = categories is not None and categories.thresholds is None and not self.by_vectors
        for name, array in ({} if categories is None else vars(categories)).items():
            self.register_buffer(name, None if array is None else torch.from_numpy(np.array(array)))

    def numbers(self, images: Tensor) -> Tensor:
        """The numbers of the posterior: means and then log variances, logits latent by latent, or one a latent."""
        return self.layers(images)

    def forward(self, images: Tensor) -> Tensor:
        numbers = self.numbers(images)
        if not self.discrete:
            return numbers[:, : self.num_latents]
        if self.by_logits:
            return (self._logits(numbers).softmax(dim=2) * self.positions).sum(dim=2)
        if self.by_vectors:
            return self._nearest(numbers).to(numbers.dtype)
        return self._rounded(self.positions, numbers)

    def categorize(self, images: Tensor) -> Tensor:
        """The category of each latent dimension, of models that have them."""
        numbers = self.numbers(images)
        if self.by_vectors:
            return self._nearest(numbers)
        return self._logits(numbers).argmax(dim=2) if self.by_logits else self._rounded(self.order, numbers)

    def _logits(self, numbers: Tensor) -> Tensor:
        return numbers.unflatten(1, self.active.shape).masked_fill(~self.active, -torch.inf)

    def _nearest(self, numbers: Tensor) -> Tensor:
        vectors = numbers.unflatten(1, (len(self.vectors), 1, -1))
        return (vectors - self.vectors).square().sum(dim=3).argmin(dim=2)

    def _rounded(self, table: Tensor, numbers: Tensor) -> Tensor:
        rank = (numbers[:, :, None] > self.thresholds).sum(dim=2)
        return table[torch.arange(len(table), device=rank.device), rank]


class TorchDecoder(Module):
    """Codes -> images in [0, 1]."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*map(TorchLayer, networks.decoder))
        self.image_shape = networks.image_shape
        vectors = None if networks.categories is None else networks.categories.vectors
        self.register_buffer("vectors", None if vectors is None else torch.from_numpy(np.array(vectors)))

    def logits(self, codes: Tensor) -> Tensor:
        """Pixels before the sigmoid."""
        if self.vectors is not None:
            entries = codes.round().long().clamp(0, self.vectors.shape[1] - 1)
            codes = self.vectors[torch.arange(len(self.vectors), device=entries.device), entries].flatten(1)
        found = self.layers(codes)
        return found if found.ndim == 4 else found.unflatten(1, self.image_shape).permute(0, 3, 1, 2)

    def forward(self, codes: Tensor) -> Tensor:
        return self.logits(codes).sigmoid()
