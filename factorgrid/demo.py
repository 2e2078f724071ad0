"""The demonstration: VAE and D-VAE on Circles, the same seeds and networks, and how their latents differ.

What is fair about it: both models have the same encoder and decoder (three dense layers each way), batch size, learning
rate, number of steps, data stream and seeds; they differ in the latent alone. It is small (32 x 32 images, two
latent dimensions) so that two cores finish it in minutes; it shows the effect, it does not measure it.
"""

from pathlib import Path

import numpy as np
from rich.console import Console

from factorgrid import api, report
from factorgrid.evaluation import evaluate
from factorgrid.explorer import live_planes
from factorgrid.terminal import counting_progress
from factorgrid.training import Run

NUM_SEEDS = 5
STEPS = 8_000
IMAGE_SIZE = 32
LEARNING_RATE = 5e-4
MODELS = ("vae", "dvae")


def demo(out: Path, *, steps: int = STEPS, seeds: int = NUM_SEEDS, console: Console | None = None) -> dict[str, float]:
    """Train, score and draw both groups into `out`; returns the median MIG of each model."""
    console = console or Console()
    console.print(
        f"[bold]factorgrid demo[/bold]: {seeds} VAEs and {seeds} D-VAEs on Circles ({IMAGE_SIZE} x {IMAGE_SIZE} "
        f"images of one disc; factors: its x and y), 2 latents, {steps:,} steps each"
    )
    runs = {model: _train(model, out, steps, seeds) for model in MODELS}
    medians = {model: _score(run, console) for model, run in runs.items()}
    pictures = [report.compare_planes([runs[model] for model in MODELS], out / "latent_planes.png")]
    pictures += report.traverse(runs["dvae"], out=out / "dvae_figures")
    whole = out / "latent_planes_whole.png"
    pictures.append(report.compare_planes([runs[model] for model in MODELS], whole, show_data=False, whole=True))
    page = live_planes([runs[model] for model in MODELS], out / "live_planes.html")
    console.print("\nMedian MIG over seeds (how well each factor sits in one latent dimension; higher is better):")
    for model, median in medians.items():
        console.print(f"  {model:5} {median:.3f}")
    console.print("\nPictures (begin with the first: the two latent planes side by side):")
    for picture in pictures:
        console.print(f"  {picture}", soft_wrap=True, highlight=False)
    console.print(f"\nRuns: {', '.join(str(run.path) for run in runs.values())}", soft_wrap=True, highlight=False)
    console.print(
        f"\nMove the disc yourself, and watch its code in both planes: open {page} in a browser",
        soft_wrap=True,
        highlight=False,
    )
    return medians


def _train(model: str, out: Path, steps: int, seeds: int) -> Run:
    return api.train(
        data="circles",
        model=model,
        seeds=seeds,
        steps=steps,
        out=out / model,
        architecture="mlp",
        num_latents=2,
        learning_rate=LEARNING_RATE,
        data_options={"image_size": IMAGE_SIZE},
    )


def _score(run: Run, console: Console) -> float:
    with counting_progress("scoring") as progress:
        scores = evaluate(run, progress=progress)
    report.print_scores(scores, console, title=f"{run.config.model} on {run.config.data}")
    return float(np.median(scores["mig"]))
