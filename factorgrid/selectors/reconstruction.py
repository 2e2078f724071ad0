"""PSNR and SSIM of reconstructions: how near a decoder's pictures are to the images, pixel by pixel and in structure.

Both are averages over a fixed sample of images, of two reconstructions each: from the codes that metrics see ("psnr",
"ssim"), and from the most probable or nearest categories where there are any ("psnr_hard", "ssim_hard"). They are equal
for latents whose codes are rounded already.

SSIM is that of Wang et al. (2004, https://doi.org/10.1109/TIP.2003.819861): a Gaussian window of 11 x 11 pixels with a
standard deviation of 1.5, K1 = 0.01, K2 = 0.03, windows that lie within the image, and the mean over channels.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.models.trained import TrainedModel, as_floats
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run

NUM_IMAGES = 1000
SEED = 0
WINDOW, SIGMA = 11, 1.5
STABILITY = (0.01**2, 0.03**2)  # (K1 L)^2 and (K2 L)^2 for pixels within [0, 1]
LEAST_ERROR = 1e-10  # a perfect picture has 100 dB, not infinitely many
BATCH = 100

Images = Float[ndarray, "n height width channel"]
Quality = Callable[[Images, Images], Float[ndarray, " n"]]


def lacks_nothing(run: Run) -> str:
    """Every run has reconstructions."""
    return ""


def lacks_windows(run: Run) -> str:
    """Of a run that SSIM does not apply to: what it lacks."""
    return "" if min(run.shapes.image[:2]) >= WINDOW else f"images of {WINDOW} x {WINDOW} pixels or more"


def score_psnr(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """PSNR of every member's reconstructions."""
    return _score(members, "psnr", psnr, progress)


def score_ssim(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """SSIM of every member's reconstructions."""
    return _score(members, "ssim", ssim, progress)


def psnr(images: Images, decoded: Images) -> Float[ndarray, " n"]:
    """Peak signal-to-noise ratio of each picture in dB, at most 100; higher is better.

    10 log10(1 / mean squared error), for pixels within [0, 1].

    >>> float(psnr(np.zeros((1, 4, 4, 1)), np.full((1, 4, 4, 1), 0.1))[0].round(6))
    20.0
    """
    errors = (images.astype(np.float64) - decoded) ** 2
    return -10 * np.log10(np.maximum(errors.mean(axis=(1, 2, 3)), LEAST_ERROR))


def ssim(images: Images, decoded: Images) -> Float[ndarray, " n"]:
    """Structural similarity of each picture, within [-1, 1]; 1 for equal pictures, higher is better.

    Args:
        images, decoded: pixels within [0, 1], each side at least 11.
    """
    starts = range(0, len(images), BATCH)
    return np.concatenate([_ssim(images[i : i + BATCH], decoded[i : i + BATCH]) for i in starts])


def decoded_from(model: TrainedModel, images: Images, *, hard: bool) -> Images:
    """What a model makes of images: from its categories, or from its codes."""
    return model.decode(model.categorize(images) if hard else model.encode(images))


def _score(members: Members, name: str, quality: Quality, progress: Progress | None) -> Found:
    images = as_floats(members.dataset.draw(NUM_IMAGES, SEED)[0])
    kinds = {name: False, f"{name}_hard": True} if members.models[0].discrete else {name: False}
    values = {key: np.zeros(len(members.models)) for key in kinds}
    for index, model in enumerate(members.models):
        for key, hard in kinds.items():
            values[key][index] = quality(images, decoded_from(model, images, hard=hard)).mean()
        if progress is not None:
            progress(index + 1, len(members.models))
    return Found(values, {"num_images": NUM_IMAGES, "seed": SEED})


def _ssim(images: Images, decoded: Images) -> Float[ndarray, " n"]:
    x, y = (np.moveaxis(each.astype(np.float64), -1, 1) for each in (images, decoded))
    down, across = (_windows(side) for side in x.shape[2:])

    def local(values: ndarray) -> ndarray:
        """Means over every window."""
        return down @ values @ across.T

    c1, c2 = STABILITY
    mean_x, mean_y = local(x), local(y)
    variances = local(x * x) - mean_x**2 + local(y * y) - mean_y**2
    covariance = local(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).mean(axis=(1, 2, 3))


def _windows(side: int) -> Float[ndarray, "window side"]:
    """A row for each place of the window along a side: its weights there, which sum to 1."""
    weights = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    rows = np.zeros((side - WINDOW + 1, side))
    for start, row in enumerate(rows):
        row[start : start + WINDOW] = weights / weights.sum()
    return rows
