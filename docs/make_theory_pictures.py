"""The pictures of docs/theory.md, from the demo's runs and from rendered images.

    python docs/make_theory_pictures.py runs/demo/vae runs/demo/dvae docs/images

The runs: Circles, two latents, a VAE and a D-VAE.
"""

import sys
from pathlib import Path

import numpy as np

import factorgrid as fg
from factorgrid import datasets
from factorgrid.papers.friede2023 import FIGURES
from factorgrid.papers.friede2023.gumbel_softmax import draw_examples
from factorgrid.papers.friede2023.rotation import loss_along_rotation, ratio_of_deviations
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.style import COLORS, FAINT, picture, set_title
from factorgrid.study import outcome

STUDY = Path(__file__).parents[1] / "studies" / "results" / "circles-one-hot"
ANGLES = np.linspace(0, 180, 61, dtype=np.float32)
NUM_IMAGES = 128
TWIN, FACTORS = "mpi3d_toy_twin", ("horizontal_axis", "vertical_axis")
MIDDLE = (0, 1, 1, 1, 0, 18, 22)  # values of all factors of the middle image
STEP = 1


def draw_rotation(runs: list[fg.Run], path: Path) -> None:
    """The loss of every member along a turn of its plane, beside what it is without a turn."""
    dataset = runs[0].dataset()
    images, _ = dataset.draw(NUM_IMAGES, seed=0)
    with picture(path, 8.6, 3.2) as figure:
        set_title(figure, "What it costs to turn a trained plane (five models each)")
        for run, axis in zip(runs, figure.subplots(1, len(runs), sharey=True)):
            for place, member in enumerate(run.members):
                model = run.model(member.name)
                losses = loss_along_rotation(model, images, ANGLES)
                words = f"seed {member.seed}"
                if not model.discrete:
                    words += f", σ ratio {np.median(ratio_of_deviations(model, images)):.2f}"
                axis.plot(ANGLES, losses - losses[0], color=COLORS[place % len(COLORS)], linewidth=1.2, label=words)
                print(f"{run.config.model} {words}: {losses[0]:.2f} nats, at 90 degrees {losses[30] - losses[0]:+.3f}, "
                      f"mean {np.mean(losses - losses[0]):+.3f}, most {np.max(losses - losses[0]):+.3f}")  # fmt: skip
            for quarter in (90, 180):
                axis.axvline(quarter, color=FAINT, linewidth=0.6, zorder=0)
            axis.set(xlabel="angle in degrees", xticks=range(0, 181, 45), title=run.config.method.title)
            axis.legend(fontsize=7)
        figure.axes[0].set_ylabel("change of the loss in nats")


def draw_lattice(path: Path) -> None:
    """An image of the MPI3D twin, its eight neighbours in two factors, and how different their pixels are."""
    dataset = datasets.load(TWIN)
    assert dataset.space is not None
    columns = [dataset.space.names.index(name) for name in FACTORS]
    rows = []
    for down in (-STEP, 0, STEP):
        for right in (-STEP, 0, STEP):
            factors = np.asarray(MIDDLE)
            factors[columns] += (right, down)
            rows.append(factors)
    images = dataset.observe(np.asarray(rows), seed=0)
    distances = ((images - images[4]) ** 2).sum(axis=(1, 2, 3))
    nearest = set(np.argsort(distances)[1:5].tolist())
    with picture(path, 4.6, 5.2) as figure:
        set_title(figure, "Squared difference to the middle image\n(MPI3D twin)")
        for place, (axis, image) in enumerate(zip(figure.subplots(3, 3).flat, images)):
            axis.imshow(image)
            axis.set_xticks([])
            axis.set_yticks([])
            text = "the image" if place == 4 else f"{distances[place]:.1f}" + (" *" if place in nearest else "")
            axis.set_title(text, fontsize=9, fontweight="bold" if place in nearest else "normal")
        figure.supxlabel(f"{FACTORS[0].replace('_', ' ')} →   (* the four nearest)")
        figure.supylabel(f"← {FACTORS[1].replace('_', ' ')}")


def draw_course(path: Path) -> None:
    """Reconstruction, KL and certainty through training, from the histories that a committed study keeps."""
    drawing = FIGURES["section-3-2"].make(Cells(outcome(STUDY)))
    assert isinstance(drawing, Drawing), drawing
    drawing.draw(path)


def main() -> None:
    *runs, folder = map(Path, sys.argv[1:])
    draw_examples(folder / "theory_support.png")
    draw_rotation([fg.Run.open(path) for path in runs], folder / "theory_rotation.png")
    draw_lattice(folder / "theory_neighbours.png")
    draw_course(folder / "theory_one_hot.png")


if __name__ == "__main__":
    main()
