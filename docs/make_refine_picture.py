"""The picture of docs/refine.md: images, and what the decoders of a run make of the same categories.

    python docs/make_refine_picture.py runs/shapes runs/shapes-same docs/images/refined_shapes3d_twin.png

The first run has been refined by a larger decoder; the second is a copy of it that was refined by a decoder of the
size of its own. Prints PSNR and SSIM of every row, over 1,000 images.
"""

import sys
from pathlib import Path

import numpy as np

import factorgrid as fg
from factorgrid.models.trained import TrainedModel
from factorgrid.report import image_grid
from factorgrid.report.captions import run_title
from factorgrid.report.style import picture, set_title
from factorgrid.selectors import psnr, ssim
from factorgrid.selectors.reconstruction import NUM_IMAGES, SEED

NUM_COLUMNS = 12
CELL = 0.62  # inches


def decoders(larger: Path, same: Path) -> dict[str, TrainedModel]:
    """The member by each of its decoders; all give an image the same categories."""
    found = {"own decoder": fg.load_run(larger, refined=False).model(0)}
    for folder in (same, larger):
        model = fg.load_run(folder).model(0)
        found[f"refined: {model.refined}"] = model
    return found


def main(larger: Path, same: Path, out: Path) -> None:
    images, _ = fg.load_run(larger).dataset().draw(NUM_IMAGES, SEED)
    models = decoders(larger, same)
    categories = models["own decoder"].categorize(images)
    rows = [("input", images[:NUM_COLUMNS])]
    for name, model in models.items():
        np.testing.assert_array_equal(model.categorize(images), categories)
        decoded = model.decode(categories)
        noise, structure = psnr(images, decoded).mean(), ssim(images, decoded).mean()
        print(f"{name}: PSNR {noise:.2f} dB, SSIM {structure:.4f}")
        rows.append((f"{name}\n{noise:.1f} dB, SSIM {structure:.3f}", decoded[:NUM_COLUMNS]))
    with picture(out, CELL * NUM_COLUMNS + 2.3, CELL * len(rows) + 0.5) as figure:
        axis = figure.subplots()
        image_grid.draw_cells(axis, [list(each) for _, each in rows])
        image_grid.label_rows(axis, [name for name, _ in rows])
        set_title(figure, f"The same categories by three decoders\n{run_title(fg.load_run(larger))}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
