"""Make the trained models that come with the library again, into factorgrid/pretrained/shipped/.

    python studies/pretrained.py NAME ...

Trains what is not trained yet below runs/pretrained (a run that was stopped goes on), scores it with the published
settings, and writes each model as 16-bit safetensors with a card. On two idle cores of an AMD EPYC the two Circles
groups take about 6 minutes together, those of sprites some 10 to 20 each.
A model of several seeds is the best of them by the score named below: chosen, so no estimate of its method.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import factorgrid as fg
from factorgrid import demo
from factorgrid.pretrained.shipped import FOLDER

RUNS = Path("runs/pretrained")
NUM_IMAGES = 256  # by which 16 bits are compared with 32
CIRCLES = {
    "data": "circles",
    "seeds": demo.NUM_SEEDS,
    "steps": demo.STEPS,
    "architecture": "mlp",
    "num_latents": 2,
    "learning_rate": demo.LEARNING_RATE,
    "image_size": demo.IMAGE_SIZE,
}
ABOUT_CIRCLES = (
    "The best by MIG of the five seeds that `factorgrid demo` trains: a small model for a first look, with dense "
    "layers, 32 × 32 images and 8,000 steps."
)
SPRITES = {"seeds": 1, "learning_rate": 5e-4}
ABOUT_SPRITES = (
    "The paper's networks, one seed, five times the paper's learning rate and far fewer steps than its 300,000."
)


@dataclass(frozen=True)
class Wanted:
    """A group to train, the score that chooses its member, and the card's first paragraph."""

    training: dict[str, Any]
    note: str
    metrics: tuple[str, ...] = ("mig", "modularity", "sap", "factor_vae_score", "st_gap")
    best: str = "mig"
    options: dict[str, Any] = field(default_factory=dict)


WANTED = {
    "vae-circles": Wanted({**CIRCLES, "model": "vae"}, ABOUT_CIRCLES, ("mig", "modularity", "sap", "factor_vae_score")),
    "dvae-circles": Wanted({**CIRCLES, "model": "dvae"}, ABOUT_CIRCLES),
    "masked-dvae-circles": Wanted(
        {**CIRCLES, "model": "dvae", "seeds": 1, "labels": 1_000, "masked": True},
        "Masked attention and 1,000 labelled images: each latent dimension has as many categories as its factor has "
        "values. One seed; otherwise as the D-VAE of `factorgrid demo`.",
        ("mig", "modularity", "sap", "factor_vae_score", "st_gap", "validation"),
    ),
    "dvae-dsprites-twin": Wanted(
        {"data": "dsprites_twin", "model": "dvae", "steps": 10_000, **SPRITES},
        f"The rendered twin of dSprites. {ABOUT_SPRITES}",
    ),
    "factor-dvae-dsprites-twin": Wanted(
        {"data": "dsprites_twin", "model": "factor_dvae", "steps": 10_000, **SPRITES},
        f"The rendered twin of dSprites. {ABOUT_SPRITES}",
    ),
    "masked-dvae-color-dsprites-twin": Wanted(
        {"data": "color_dsprites_twin", "model": "dvae", "labels": 1_000, "masked": True, "steps": 4_000, **SPRITES},
        "Masked attention and 1,000 labelled images of the rendered twin of Color-dSprites: each latent dimension of a "
        f"factor has as many categories as its factor has values. {ABOUT_SPRITES}",
        ("mig", "modularity", "sap", "factor_vae_score", "st_gap", "validation"),
    ),
}


def make(name: str, runs: Path = RUNS) -> Path:
    """Train, score and write one model."""
    wanted = WANTED[name]
    run = fg.train(out=runs / name, **wanted.training)
    if not (run.path / "scores.parquet").exists() or "factor_vae_score" not in set(run.scores["metric"]):
        fg.evaluate(run, metrics=wanted.metrics)
    model = run.best(wanted.best)
    folder = FOLDER / name
    model.save_pretrained(folder, licence="apache-2.0", note=f"{wanted.note} {compared(model, name)}")
    return folder


def compared(model: fg.TrainedModel, name: str) -> str:
    """What 16 bits change, in words; measured on the folder once it is written."""
    draft = model.save_pretrained(RUNS / f"{name}-16")
    small = fg.from_pretrained(draft)
    images, _ = model.run.dataset().draw(NUM_IMAGES, seed=0)
    codes = model.categorize(images) if model.discrete else model.encode(images)
    moved = 255 * np.abs(small.decode(codes) - model.decode(codes)).max()
    said = f"With 16-bit weights no pixel of {NUM_IMAGES} decoded images moves by more than {moved:.2g}/255"
    if not model.discrete:
        return f"{said}."
    return f"{said}, and {(small.categorize(images) == codes).mean():.1%} of the categories are the same."


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        print(make(chosen))
