"""Trained encoders and decoders as ONNX files, for any runtime: graphs are written node by node, without PyTorch."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.explorer.network import Layer
from factorgrid.files import replacing
from factorgrid.integrations.networks import Categories, Networks, coordinates, networks_of, weights_of, zeros_after
from factorgrid.training import Run

onnx: Any
try:
    onnx = importlib.import_module("onnx")
except ImportError:
    onnx = None

OPSET, IR_VERSION = 17, 8  # of 2022: most runtimes in use read them
MASKED = np.array(-1e9, np.float32)


def export_onnx(run: Run | str | Path, out: str | Path, member: str | int = 0) -> tuple[Path, Path]:
    """Write encoder and decoder of a trained member, `encoder.onnx` and `decoder.onnx`, for any number of images.

    The encoder takes `images`, float32 [n, channel, height, width] in [0, 1], and gives `codes` [n, latent],
    `numbers` (of the posterior) and, for models that have them, `categories` int64 [n, latent]. The decoder takes
    `codes` and gives `images`. They give what `run.model(member)` gives, up to rounding.

    Args:
        run: a trained run, or its folder.
        out: the folder of the two files.
        member: by name, or by its place in the list.

    Returns:
        The files.

    Raises:
        Error: onnx is not installed, no such member, training has not finished, networks of a user's own, or files
            that cannot be written.
    """
    if onnx is None:
        raise Error("ONNX files need the package onnx: pip install 'factorgrid[onnx]'")
    networks, folder = networks_of(run, member), Path(out)
    graphs = {"encoder": encoder_graph(networks), "decoder": decoder_graph(networks)}
    for name, graph in graphs.items():
        model = onnx.helper.make_model(
            graph,
            producer_name="factorgrid",
            ir_version=IR_VERSION,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        )
        onnx.checker.check_model(model, full_check=True)
        with replacing(folder / f"{name}.onnx") as path:
            path.write_bytes(model.SerializeToString())
    return folder / "encoder.onnx", folder / "decoder.onnx"


class Nodes:
    """A graph in the making."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def reshaped(self, x: str, shape: tuple[int, ...], **named: str) -> str:
        return self.add("Reshape", x, self.constant(np.array(shape, np.int64)), **named)

    def graph(self, name: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        described = [
            [onnx.helper.make_tensor_value_info(key, kind, ["n", *shape]) for key, (kind, shape) in ports.items()]
            for ports in (inputs, outputs)
        ]
        return onnx.helper.make_graph(self.nodes, name, *described, self.constants)


def encoder_graph(networks: Networks) -> Any:
    height, width, channels = networks.image_shape
    graph = Nodes()
    x = graph.add("Transpose", "images", perm=[0, 2, 3, 1])
    numbers = run_layers(graph, networks.encoder, graph.reshaped(x, (-1, height * width * channels)), "numbers")
    outputs = {
        "codes": (onnx.TensorProto.FLOAT, [networks.num_latents]),
        "numbers": (onnx.TensorProto.FLOAT, list(networks.encoder[-1].output_shape)),
    }
    if networks.categories is None:
        limits = [graph.constant(np.array([end], np.int64)) for end in (0, networks.num_latents, 1)]
        graph.add("Slice", numbers, *limits, limits[2], output="codes")
    else:
        outputs["categories"] = (onnx.TensorProto.INT64, [networks.num_latents])
        add_categories(graph, networks.categories, numbers)
    return graph.graph("encoder", {"images": (onnx.TensorProto.FLOAT, [channels, height, width])}, outputs)


def decoder_graph(networks: Networks) -> Any:
    height, width, channels = networks.image_shape
    graph, codes = Nodes(), "codes"
    if networks.categories is not None and networks.categories.vectors is not None:
        codes = entries_of(graph, networks.categories.vectors, codes)
    logits = graph.reshaped(run_layers(graph, networks.decoder, codes), (-1, height, width, channels))
    graph.add("Transpose", graph.add("Sigmoid", logits), perm=[0, 3, 1, 2], output="images")
    return graph.graph(
        "decoder",
        {"codes": (onnx.TensorProto.FLOAT, [networks.num_latents])},
        {"images": (onnx.TensorProto.FLOAT, [channels, height, width])},
    )


def run_layers(graph: Nodes, layers: tuple[Layer, ...], x: str, output: str = "") -> str:
    """Add layers. Arrays between them are flat, [n size], with an image's channels last, as `Layer` says."""
    for layer in layers:
        named = {"output": output} if layer is layers[-1] and output else {}
        if layer.kind == "dense":
            plain = {} if layer.relu else named
            x = graph.add("Gemm", x, *map(graph.constant, weights_of(layer)), **plain)
            x = graph.add("Relu", x, **named) if layer.relu else x
            continue
        x = spread_over_pixels(graph, layer, x) if layer.kind == "broadcast" else convolved(graph, layer, x)
        x = graph.add("Relu", x) if layer.relu else x
        rows, columns, channels = layer.output_shape
        x = graph.reshaped(graph.add("Transpose", x, perm=[0, 2, 3, 1]), (-1, rows * columns * channels), **named)
    return x


def convolved(graph: Nodes, layer: Layer, x: str) -> str:
    """A convolution or a transposed one, [n size] -> [n channel height width]."""
    kernel, bias = weights_of(layer)
    image = graph.add("Transpose", graph.reshaped(x, (-1, *layer.input_shape)), perm=[0, 3, 1, 2])
    options: dict[str, Any] = {"strides": [layer.stride, layer.stride]}
    if layer.kind == "conv":
        weights = map(graph.constant, (kernel.transpose(3, 2, 0, 1), bias))
        return graph.add("Conv", image, *weights, pads=[*layer.before, *zeros_after(layer)], **options)
    weights = map(graph.constant, (kernel.transpose(2, 3, 0, 1), bias))
    # what reaches beyond the image on either side is dropped
    whole = [(size - 1) * layer.stride + taps for size, taps in zip(layer.input_shape, kernel.shape[:2])]
    after = [size - before - out for size, before, out in zip(whole, layer.before, layer.output_shape)]
    return graph.add("ConvTranspose", image, *weights, pads=[*layer.before, *after], **options)


def spread_over_pixels(graph: Nodes, layer: Layer, x: str) -> str:
    """A layer of kind "broadcast", [n latent] -> [n channel height width]."""
    (height, width, channels), places = layer.output_shape, coordinates(layer)[None]
    latents = graph.reshaped(x, (-1, channels - 2, 1, 1))
    tiled = graph.add("Expand", latents, graph.constant(np.array([1, 1, height, width], np.int64)))
    # zeros of as many rows as there are codes, so that the coordinates are repeated for each
    first = graph.add("Mul", graph.reshaped(row_of(graph, x), (-1, 1, 1, 1)), graph.constant(np.zeros(1, np.float32)))
    return graph.add("Concat", tiled, graph.add("Add", first, graph.constant(places)), axis=1)


def row_of(graph: Nodes, x: str) -> str:
    """A number of every row."""
    return graph.add("ReduceMax", x, axes=[1], keepdims=1)


def entries_of(graph: Nodes, vectors: Float[ndarray, "latent category size"], codes: str) -> str:
    """The vectors of numbered entries, [n latent] -> [n latent*size]."""
    num_latents, num_categories, size = vectors.shape
    ends = (graph.constant(np.array(end, np.float32)) for end in (0, num_categories - 1))
    index = graph.add("Cast", graph.add("Clip", graph.add("Round", codes), *ends), to=onnx.TensorProto.INT64)
    place = graph.add("Add", index, graph.constant(np.arange(num_latents, dtype=np.int64) * num_categories))
    found = graph.add("Gather", graph.constant(vectors.reshape(-1, size)), place)
    return graph.reshaped(found, (-1, num_latents * size))


def add_categories(graph: Nodes, categories: Categories, numbers: str) -> None:
    """Codes and categories from the encoder's numbers."""
    num_latents, num_categories = categories.positions.shape
    if categories.vectors is not None:
        vectors = graph.reshaped(numbers, (-1, num_latents, 1, categories.vectors.shape[2]))
        apart = graph.add("Sub", vectors, graph.constant(categories.vectors[None]))
        axis = graph.constant(np.array([3], np.int64))
        distances = graph.add("ReduceSum", graph.add("Mul", apart, apart), axis, keepdims=0)
        graph.add("ArgMin", distances, axis=2, keepdims=0, output="categories")
        graph.add("Cast", "categories", to=onnx.TensorProto.FLOAT, output="codes")
        return
    if categories.thresholds is None:
        logits = graph.reshaped(numbers, (-1, num_latents, num_categories))
        mask = graph.constant(categories.active[None])
        masked = graph.add("Where", mask, logits, graph.constant(MASKED))
        graph.add("ArgMax", masked, axis=2, keepdims=0, output="categories")
        weighted = graph.add("Mul", graph.add("Softmax", masked, axis=2), graph.constant(categories.positions[None]))
        graph.add("ReduceSum", weighted, graph.constant(np.array([2], np.int64)), keepdims=0, output="codes")
        return
    each = graph.reshaped(numbers, (-1, num_latents, 1))
    above = graph.add("Greater", each, graph.constant(categories.thresholds[None]))
    counted = graph.add("Cast", above, to=onnx.TensorProto.INT64)
    rank = graph.add("ReduceSum", counted, graph.constant(np.array([2], np.int64)), keepdims=0)
    place = graph.add("Add", rank, graph.constant(np.arange(num_latents, dtype=np.int64) * num_categories))
    graph.add("Gather", graph.constant(categories.positions.reshape(-1)), place, output="codes")
    graph.add("Gather", graph.constant(categories.order.reshape(-1).astype(np.int64)), place, output="categories")
