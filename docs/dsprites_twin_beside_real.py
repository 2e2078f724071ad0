"""Draws docs/images/dsprites_twin_beside_real.png: real dSprites frames, the twin's, and where they differ.

.venv/bin/python docs/dsprites_twin_beside_real.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

from factorgrid.datasets.rendered.dsprites_twin import DSpritesTwin

HERE = Path(__file__).parent
COLUMNS, GAP, ENLARGE = 14, 3, 2


def main() -> None:
    frames = np.load(HERE.parent / "tests" / "datasets" / "rendered" / "dsprites_frames.npz")
    real, factors = frames["imgs"] > 0, frames["classes"][:, 1:]
    drawn = DSpritesTwin().observe(factors, 0)[..., 0] > 0
    wrong = (real != drawn).sum(axis=(1, 2))
    overlap = (drawn & real).sum(axis=(1, 2)) / (drawn | real).sum(axis=(1, 2))
    for source in ("gif", "notebook"):
        of = frames["source"] == source
        print(f"{source}: {of.sum()} frames, {(wrong[of] == 0).sum()} equal, mean IoU {overlap[of].mean():.5f}")
    # evenly through the animation, then the frames that differ most
    even = np.linspace(0, 319, COLUMNS).round().astype(int)
    worst = np.argsort(-wrong, kind="stable")[:COLUMNS]
    blocks = [block(real[chosen], drawn[chosen]) for chosen in (even, worst)]
    space = np.full((4 * GAP, blocks[0].shape[1], 3), 255, np.uint8)
    picture = np.concatenate([blocks[0], space, blocks[1]])
    picture = picture.repeat(ENLARGE, axis=0).repeat(ENLARGE, axis=1)
    Image.fromarray(picture).save(HERE / "images" / "dsprites_twin_beside_real.png", optimize=True)


def block(real: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Three rows: real, twin, and both at once with differing pixels in red (real only) and blue (twin only)."""
    both = np.stack([real, real & drawn, drawn], axis=-1) * np.uint8(255)
    both[real & drawn] = 90
    rows = [np.stack([masks] * 3, axis=-1) * np.uint8(255) for masks in (real, drawn)]
    return np.concatenate([row_of(images) for images in (*rows, both)])


def row_of(images: np.ndarray) -> np.ndarray:
    padded = np.pad(images, ((0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=255)
    return np.concatenate(list(padded), axis=1)


if __name__ == "__main__":
    main()
