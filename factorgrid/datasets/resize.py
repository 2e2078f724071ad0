"""Resizing of images with Lanczos."""

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray
from PIL import Image


def resized(image: Shaped[ndarray, "height width channel"], size: int) -> Shaped[ndarray, "{size} {size} channel"]:
    """A uint8 image, or a float32 image of values in [0, 1], stretched to a square; values stay within range."""
    if image.shape[:2] == (size, size):
        return image
    planes = [
        Image.fromarray(plane).resize((size, size), Image.Resampling.LANCZOS) for plane in np.moveaxis(image, 2, 0)
    ]
    result = np.stack([np.asarray(plane) for plane in planes], axis=-1)
    return result if image.dtype == np.uint8 else result.clip(0, 1)
