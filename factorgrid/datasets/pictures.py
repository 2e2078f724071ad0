"""Picture files as arrays: turned the right way up, without transparency, made square."""

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from factorgrid.datasets.resize import resized

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
MOST_PIXELS = 2**26  # of one picture; more takes memory for details that no 64 x 64 image keeps
Fit = Literal["stretch", "crop", "pad"]
Background = Literal["white", "black"]


def read_picture(path: Path, background: Background) -> UInt8[ndarray, "height width channel"]:
    """The picture in a file: as its EXIF orientation says, on a background where it is transparent.

    Returns:
        One channel if the picture is grey, else three. Of 16 bits of grey, the upper eight.

    Raises:
        Exception: Pillow raises many kinds for damaged files; ValueError for what is not one picture of 8 or 16 bits.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures, refused below, and damaged EXIF entries
        with Image.open(path) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise ValueError(f"it has {width} x {height} pixels, more than {MOST_PIXELS // 2**20} million")
            frames = getattr(picture, "n_frames", 1)
            if frames > 1:
                raise ValueError(f"it has {frames} pages or frames; save each as a file of its own")
            return _decoded(ImageOps.exif_transpose(picture), background)


def composited(
    image: Shaped[ndarray, "height width colour_and_alpha"], background: Background
) -> Shaped[ndarray, "height width colour"]:
    """An image whose last channel is its opacity (uint8 or floats in [0, 1]), laid on a background."""
    white = 255 if image.dtype == np.uint8 else 1
    colour, alpha = image[..., :-1].astype(np.float32), image[..., -1:].astype(np.float32) / white
    result = alpha * colour + (1 - alpha) * (white if background == "white" else 0)
    return result.round().astype(np.uint8) if white == 255 else result.clip(0, 1)


def fitted(
    image: Shaped[ndarray, "height width channel"], size: int, fit: Fit, background: Background
) -> Shaped[ndarray, "{size} {size} channel"]:
    """An image (uint8 or float32 in [0, 1]) as a square: stretched, its central square, or padded with background."""
    height, width = image.shape[:2]
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    elif fit == "pad" and height != width:
        side = max(height, width)
        white = 255 if image.dtype == np.uint8 else 1
        square = np.full((side, side, image.shape[2]), white if background == "white" else 0, image.dtype)
        top, left = (side - height) // 2, (side - width) // 2
        square[top : top + height, left : left + width] = image
        image = square
    return resized(image, size)


def _decoded(picture: Image.Image, background: Background) -> UInt8[ndarray, "height width channel"]:
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers; save it with 8 bits")
    if picture.mode.startswith("I"):
        pixels = np.asarray(picture)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise ValueError(f"its pixels reach from {pixels.min()} to {pixels.max()}; save it with 8 or 16 bits")
        return (pixels // 256).astype(np.uint8)[..., None]
    colour = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        return composited(np.asarray(picture.convert(f"{colour}A")), background)
    return np.asarray(picture.convert(colour)).reshape(picture.height, picture.width, -1)
