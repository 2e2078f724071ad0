"""Scores of an encoder that this library knows nothing of: any callable, PyTorch module, ONNX or TorchScript file."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from factorgrid.errors import Error, first_line, unknown_name
from factorgrid.metrics import PUBLISHED, Counts, score
from factorgrid.metrics.checks import check_counts
from factorgrid.metrics.inputs import as_array

FRAMEWORKS = ("numpy", "torch")
LAYOUTS = ("NHWC", "NCHW")
Progress = Callable[[int, int, str], None]  # (images encoded, images in all, what is being done)


def score_encoder(
    encode: Callable[[Any], Any] | str | Path,
    data: Any,
    factors: Any = None,
    metrics: str | Iterable[str] = "six",
    seed: int = 0,
    *,
    framework: str | None = None,
    layout: str | None = None,
    batch_size: int = 256,
    num_images: int = 15_000,
    counts: Counts = PUBLISHED,
    quick: bool = False,
    jobs: int | None = 1,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Encode images in batches, each once, and score the codes with `factorgrid.score`.

    Args:
        encode: images -> codes [sample, latent], or a tuple that begins with them (mean and log variance). It gets
            float32 images from 0 to 1. A PyTorch module is run in evaluation mode, without gradients, on the device
            of its parameters, and is left in the mode it was in. Or the path of a file: ONNX (".onnx", needs
            onnxruntime; codes are its first output) or TorchScript (".pt", ".pth", ".ts").
        data: the name of a data set, of which `num_images` are drawn; or images [sample, height, width, channel],
            or [sample, channel, height, width] with `layout="NCHW"`, of bytes or of numbers from 0 to 1.
        factors: of your own images, a row each: whatever `score` takes.
        metrics, seed, counts, quick, jobs: as for `score`.
        framework: what `encode` expects, "numpy" arrays (which JAX takes as they are) or "torch" tensors; by default
            "torch" for PyTorch modules only.
        layout: of the images that `encode` expects, "NHWC" or "NCHW"; by default "NCHW" with torch
            and ONNX, else "NHWC". Your own images may be in either: channels are the axis of 4 or fewer, or, if both
            are, as `layout` says.
        batch_size: images encoded at once.
        num_images: drawn from a data set that is given by name.
        progress: called after every batch as (images encoded, images in all, "encoding").

    Returns:
        Result key -> value.

    Raises:
        Error: an unknown data set, framework or layout; a file that cannot be read; images or codes of another shape;
            or see `score`.

    >>> import numpy as np
    >>> images = np.random.default_rng(0).uniform(size=(100, 4, 4, 1)).astype(np.float32)
    >>> bright = (images.mean(axis=(1, 2, 3)) > 0.5).astype(int)
    >>> score_encoder(lambda batch: batch.mean(axis=(1, 2)) > 0.5, images, bright[:, None], "mig")
    {'mig': 1.0}
    """
    check_counts(batch_size=batch_size, num_images=num_images)
    is_file = isinstance(encode, str | Path)
    if isinstance(encode, str | Path):
        encode = opened(Path(encode))
    is_module = hasattr(encode, "parameters") and hasattr(encode, "eval")
    framework = ("torch" if is_module else "numpy") if framework is None else framework
    if framework not in FRAMEWORKS:
        raise unknown_name("framework", framework, FRAMEWORKS)
    layout = ("NCHW" if is_file or framework == "torch" else "NHWC") if layout is None else layout
    if layout not in LAYOUTS:
        raise unknown_name("layout", layout, LAYOUTS)
    if isinstance(data, str | Path):
        if factors is not None:
            raise Error(f"data set '{data}' has factors of its own; pass no others")
        batches, total = drawn(str(data), num_images, batch_size, seed), num_images
    else:
        images = as_images(data, layout)
        if factors is None:
            raise Error("your own images need their factors: pass factors=, a row for every image")
        batches, total = cut(images, batch_size), len(images)
    run = torch_runner(encode) if framework == "torch" else encode
    codes, known, done = [], [], 0
    for batch, labels in batches:
        codes.append(codes_of(run(np.moveaxis(batch, 3, 1) if layout == "NCHW" else batch), len(batch)))
        known.append(labels)
        done += len(batch)
        if progress is not None:
            progress(done, total, "encoding")
    wanted = np.concatenate([labels for labels in known if labels is not None]) if factors is None else factors
    return score(np.concatenate(codes), wanted, metrics, seed, counts=counts, quick=quick, jobs=jobs)


def drawn(name: str, num: int, batch_size: int, seed: int) -> Iterator[tuple[ndarray, ndarray | None]]:
    """Batches of images and factors of a data set, at random."""
    from factorgrid.datasets import load  # loads JAX, which your own images do without

    dataset = load(name)
    if dataset.space is None:
        raise Error(f"data set '{name}' has no known factors, so there is nothing to score with")
    for start in range(0, num, batch_size):
        images, labels = dataset.draw(batch_size, seed + start)
        left = min(batch_size, num - start)
        yield np.asarray(images[:left]), np.asarray(labels[:left])


def cut(
    images: Shaped[ndarray, "sample height width channel"], batch_size: int
) -> Iterator[tuple[ndarray, ndarray | None]]:
    """Batches of given images, from 0 to 1."""
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        floats = batch.astype(np.float32)
        yield (floats / np.float32(255) if batch.dtype.kind in "iu" else floats), None


def as_images(data: Any, layout: str) -> Shaped[ndarray, "sample height width channel"]:
    """Images with their channels last."""
    images = as_array(data)
    if images.ndim != 4 or 0 in images.shape:
        raise Error(f"images must have four axes, sample, height, width and channel; got shape {list(images.shape)}")
    if images.dtype.kind in "iu" and (images.min() < 0 or images.max() > 255):
        raise Error(f"integer images must be within 0..255, got values from {images.min()} to {images.max()}")
    first, last = images.shape[1] <= 4, images.shape[3] <= 4
    channels_first = first if first != last else layout == "NCHW"
    return np.moveaxis(images, 1, 3) if channels_first else images


def codes_of(found: Any, num: int) -> ndarray:
    """The codes among what an encoder returned.

    Raises:
        Error: not a row of codes for every image.
    """
    codes = as_array(found[0] if isinstance(found, tuple | list) else found)
    if codes.ndim < 2 or len(codes) != num:
        raise Error(
            f"the encoder gave codes of shape {list(codes.shape)} for {num} images; it must give [image, latent]"
        )
    return codes


def opened(path: Path) -> Callable[[Any], Any]:
    """The encoder in a file.

    Raises:
        Error: no such file, of another kind, damaged, or what runs it is not installed.
    """
    onnx = path.suffix == ".onnx"
    if not onnx and path.suffix not in (".pt", ".pth", ".ts"):
        raise Error(f"{path} is neither an ONNX nor a TorchScript file; its name must end in .onnx or .pt")
    if not path.exists():
        raise Error(f"{path} does not exist")
    try:
        if onnx:
            import onnxruntime

            session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
            name = session.get_inputs()[0].name
            return lambda images: session.run(None, {name: np.ascontiguousarray(images)})
        import torch

        with warnings.catch_warnings(action="ignore"):  # that TorchScript is deprecated
            return torch.jit.load(str(path), map_location="cpu")
    except ImportError as error:
        raise Error(f"{path} cannot be read without {error.name}; install it with pip") from None
    except Exception as error:  # each runtime raises exceptions of its own
        raise Error(f"{path} cannot be read: {first_line(error)}") from None


def torch_runner(encode: Callable[[Any], Any]) -> Callable[[ndarray], Any]:
    """The encoder as a function of NumPy images."""
    import torch  # only whoever asks for it has it

    parameters = list(encode.parameters()) if isinstance(encode, torch.nn.Module) else []
    device = parameters[0].device if parameters else torch.device("cpu")

    def run(images: ndarray) -> Any:
        training = isinstance(encode, torch.nn.Module) and encode.training
        if isinstance(encode, torch.nn.Module):
            encode.eval()
        try:
            with torch.no_grad():
                return encode(torch.from_numpy(np.ascontiguousarray(images)).to(device))
        finally:
            if isinstance(encode, torch.nn.Module):
                encode.train(training)

    return run
