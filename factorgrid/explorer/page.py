"""One HTML file from its parts: a skeleton, style sheets, scripts, and data as JSON with numbers in base64."""

import base64
import html
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from factorgrid.explorer.network import Layer
from factorgrid.files import replacing

Precision = Literal["half", "single"]
TYPES: dict[Precision, str] = {"half": "<f2", "single": "<f4"}


def write_page(
    path: Path, *, skeleton: str, title: str, styles: Sequence[str], scripts: Sequence[str], data: dict[str, Any]
) -> Path:
    """Put the parts (files of this package) together into `path`.

    Raises:
        Error: the file cannot be written.
    """
    parts = {
        "{{title}}": html.escape(title),
        "{{style}}": "".join(map(_read, styles)),
        "{{script}}": "".join(map(_read, scripts)),
        # data may hold anything, "</script>" too
        "{{data}}": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    # in one pass: what was put in is not searched again
    text = re.sub(r"{{\w+}}", lambda place: parts[place.group()], _read(skeleton))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def network_data(layers: Sequence[Layer], precision: Precision) -> dict[str, Any]:
    """A network for network.js: its layers, and all weights and biases in their order."""
    arrays = [part for layer in layers for part in (layer.weight, layer.bias) if part is not None]
    numbers = np.concatenate([part.ravel() for part in arrays]).astype(TYPES[precision])
    return {"precision": precision, "numbers": base64_of(numbers), "layers": [_layer_data(layer) for layer in layers]}


def base64_of(values: ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def short(values: ndarray, digits: int = 7) -> list[float]:
    """As plain numbers of so many digits."""
    return [float(f"{value:.{digits}g}") for value in values.tolist()]


def _layer_data(layer: Layer) -> dict[str, Any]:
    return {
        "kind": layer.kind,
        "input": layer.input_shape,
        "output": layer.output_shape,
        "kernel": () if layer.weight is None else layer.weight.shape[:-2],
        "stride": layer.stride,
        "before": layer.before,
        "relu": layer.relu,
        "weight": 0 if layer.weight is None else layer.weight.size,
        "bias": 0 if layer.bias is None else layer.bias.size,
    }


def _read(name: str) -> str:
    return resources.files("factorgrid.explorer").joinpath(name).read_text(encoding="utf-8")
