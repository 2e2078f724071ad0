"""Everything that a page needs of one member: its networks, and for each latent what there is to choose and to know."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.explorer.facts import Facts
from factorgrid.explorer.network import Grid, decoder_layers, encoder_layers, grid_of, half_precision
from factorgrid.explorer.page import Precision, network_data, short
from factorgrid.metrics.mutual_information import entropy
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import decoder_note, run_title, scores_of
from factorgrid.training import Run

PIXEL_TOLERANCE = 1.5 / 255  # of half precision: pictures stay equal to the eye
CODE_TOLERANCE = 0.01  # of half precision, in standard deviations of a Gaussian code
LEAST_AGREEMENT = 0.99  # of half precision: categories that stay the same
NUM_BARS = 48  # of the histogram of a continuous latent
IDLE_KL, IDLE_SPREAD = 0.02, 0.01  # latents below it say next to nothing (entropies of categories: nats, as KL)
LEAST_RANGE = 0.1  # of the slider of a collapsed latent


@dataclass(frozen=True)
class Shown:
    """A member that a page shows."""

    run: Run
    name: str
    model: TrainedModel


def member_data(
    shown: Shown,
    facts: Facts,
    images: Float[ndarray, "stored height width channel"],
    probes: Float[ndarray, "probe height width channel"],
) -> dict[str, Any]:
    """A member as JSON.

    Args:
        shown: which.
        facts: about many images.
        images: those that one can start from.
        probes: others that decide whether half precision is enough.
    """
    model, grid = shown.model, grid_of(shown.model)
    codes = model.encode(images) if grid is None else model.categorize(images)
    described = model_data(shown, images, probes)
    known = [_facts_data(facts, grid, latent) for latent in range(model.num_latents)]
    return {
        **described,
        "latents": [{**latent, **fact} for latent, fact in zip(described["latents"], known)],
        "codes": codes.tolist() if grid is not None else [short(code) for code in codes],
    }


def model_data(
    shown: Shown,
    images: Float[ndarray, "stored height width channel"],
    probes: Float[ndarray, "probe height width channel"],
) -> dict[str, Any]:
    """What network.js needs to compute a member, and what it is called; arguments as of `member_data`."""
    model, grid, shape = shown.model, grid_of(shown.model), images.shape[1:]
    title = run_title(shown.run)
    return {
        "run": title,
        "method": title.split(" on ")[0],
        "path": str(shown.run.path),
        "name": shown.name,
        "scores": _scores(shown),
        "discrete": grid is not None,
        "latents": [grid_data(grid, latent) for latent in range(model.num_latents)],
        "encoder": network_data(encoder_layers(model, shape), _encoder_precision(model, images, probes)),
        "decoder": network_data(decoder_layers(model, shape), _decoder_precision(model, probes)),
    }


def _scores(shown: Shown) -> str:
    """Such as "MIG 42.1%, straight-through gap 0.31 nats, refined decoder (mlp)"; empty if there is nothing to say."""
    mig = scores_of(shown.run, "mig").get(shown.name)
    gap = scores_of(shown.run, "st_gap_loss").get(shown.name)
    return ", ".join(
        ([] if mig is None else [f"MIG {mig:.1%}"])
        + ([] if gap is None else [f"straight-through gap {gap:.3g} nats"])
        + ([decoder_note(shown.model).removeprefix(", ")] if shown.model.refined else [])
    )


def grid_data(grid: Grid | None, latent: int) -> dict[str, Any]:
    """What network.js needs to know of a latent dimension."""
    if grid is None:
        return {}
    known = {"positions": short(grid.positions[latent]), "active": grid.active[latent].astype(int).tolist()}
    if grid.vectors is not None:
        return {**known, "vectors": [short(vector) for vector in grid.vectors[latent]]}
    return known if grid.thresholds is None else {**known, "thresholds": short(grid.thresholds[latent])}


def _facts_data(facts: Facts, grid: Grid | None, latent: int) -> dict[str, Any]:
    codes = facts.codes[:, latent]
    kl = None if facts.kl is None else round(float(facts.kl[latent]), 4)
    if facts.categories is not None:  # a latent that always takes one category has the greatest KL of all
        used, least = float(entropy(facts.categories[:, [latent]])[0]), IDLE_KL
    elif kl is not None:
        used, least = kl, IDLE_KL
    else:
        used, least = float(codes.std()), IDLE_SPREAD
    known = {"kl": kl, "rank": used, "idle": used < least, "information": short(facts.information[latent], 3)}
    # where the slider of another member beside this one should begin and end
    low, high = np.quantile(codes, [0.01, 0.99]).tolist()
    if grid is None:
        middle, half = float(codes.max() + codes.min()) / 2, float(codes.max() - codes.min()) / 2
        half = max(half, LEAST_RANGE / 2)
        counts, _ = np.histogram(codes, NUM_BARS, (middle - half, middle + half))
        return {**known, "low": low, "high": high, "ends": [middle - half, middle + half], "use": _shares(counts)}
    assert facts.categories is not None
    positions = grid.positions[latent]
    counts = np.bincount(facts.categories[:, latent], minlength=len(positions))
    used = positions[counts > 0]
    return {**known, "low": float(used.min()), "high": float(used.max()), "use": _shares(counts)}


def _shares(counts: ndarray) -> list[float]:
    return short(counts / counts.sum(), 4)


def _decoder_precision(model: TrainedModel, probes: ndarray) -> Precision:
    codes = model.categorize(probes) if model.discrete else model.encode(probes)
    difference = np.abs(half_precision(model).decode(codes) - model.decode(codes)).max()
    return "half" if difference <= PIXEL_TOLERANCE else "single"


def _encoder_precision(model: TrainedModel, images: ndarray, probes: ndarray) -> Precision:
    """Half if the stored images keep their categories and nearly all others do; or if means hardly move."""
    rounded = half_precision(model)
    if model.discrete:
        kept = np.array_equal(rounded.categorize(images), model.categorize(images))
        agreement = (rounded.categorize(probes) == model.categorize(probes)).mean()
        return "half" if kept and agreement >= LEAST_AGREEMENT else "single"
    codes = model.encode(probes)
    moved = np.abs(rounded.encode(probes) - codes) / np.maximum(codes.std(axis=0), CODE_TOLERANCE)
    return "half" if moved.max() <= CODE_TOLERANCE else "single"
