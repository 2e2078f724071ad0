"""Figure 2 of the paper: which latents a Gumbel-softmax of given category probabilities yields on the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.latents.categorical import grid
from factorgrid.report.style import COLORS, FAINT, picture

NUM_SAMPLES = 200_000
BATCH = 20_000
NUM_BINS = 120

# (b) is (a) with two probabilities swapped, so that its mass is adjacent: the same KL to the uniform prior. All other
# probabilities are 0, so that what Proposition 1 says of the support can be seen.
DISTANT = (0.0, 0.0, 0.52, 0.0, 0.0, 0.0, 0.48, 0.0, 0.0, 0.0)
ADJACENT = (0.0, 0.0, 0.52, 0.48, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
ONE_HOT = (0.0, 0.0, 0.0, 0.98, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0)
EXAMPLES = (
    ("(a) two distant categories", DISTANT),
    ("(b) the same, but adjacent", ADJACENT),
    ("(c) nearly one category", ONE_HOT),
)


@dataclass(frozen=True)
class LatentDensity:
    """A histogram of sampled latents.

    Attributes:
        edges: of the bins, over [-1, 1].
        density: in each bin; integrates to 1.
        std: standard deviation of the samples.
    """

    edges: Float[ndarray, " edge"]
    density: Float[ndarray, " bin"]
    std: float


def sample_latents(
    probabilities: Sequence[float] | Float[ndarray, " category"],
    *,
    num: int = NUM_SAMPLES,
    noise_scale: float = 1.0,
    temperature: float = 1.0,
    seed: int = 0,
) -> Float[ndarray, " sample"]:
    """Latents in [-1, 1] of a Gumbel-softmax variable (Eqs. 2 and 3 of the paper).

    Args:
        probabilities: of the categories; a category of probability 0 takes no part.
        num: how many samples.
        noise_scale, temperature: of the relaxation.
        seed: of the noise.

    Raises:
        Error: probabilities that are negative, or do not add up to 1.
    """
    weights = np.asarray(probabilities, np.float64)
    if (weights < 0).any() or not np.isclose(weights.sum(), 1):
        raise Error(f"probabilities must not be negative and add up to 1, got a sum of {weights.sum():g}")
    rng, positions = np.random.default_rng(seed), grid(len(weights)).astype(np.float64)[weights > 0]
    weights = weights[weights > 0]
    parts = []
    for start in range(0, num, BATCH):
        noise = rng.gumbel(size=(min(BATCH, num - start), len(weights)))
        noisy = (np.log(weights) + noise_scale * noise) / temperature
        choice = np.exp(noisy - noisy.max(axis=1, keepdims=True))
        parts.append(choice @ positions / choice.sum(axis=1))
    return np.concatenate(parts)


def latent_density(latents: Float[ndarray, " sample"], *, num_bins: int = NUM_BINS) -> LatentDensity:
    """The histogram of latents over [-1, 1]."""
    density, edges = np.histogram(latents, num_bins, range=(-1.0, 1.0), density=True)
    return LatentDensity(edges, density, float(latents.std()))


def kl_to_uniform(probabilities: Sequence[float] | Float[ndarray, " category"]) -> float:
    """In nats; the same for every order of the probabilities.

    >>> round(kl_to_uniform([0.5, 0.5]), 3)
    0.0
    """
    weights = np.asarray(probabilities, np.float64)
    some = weights[weights > 0]
    return float(np.sum(some * np.log(some * len(weights))))


def support(probabilities: Sequence[float] | Float[ndarray, " category"]) -> tuple[float, float]:
    """The smallest interval that holds every latent: between the outermost categories that are not 0 (Proposition 1).

    >>> support([0.0, 0.5, 0.5, 0.0, 0.0])
    (-0.5, 0.0)
    """
    used = grid(len(probabilities))[np.asarray(probabilities) > 0]
    return float(used.min()), float(used.max())


def draw_examples(path: Path, *, num: int = NUM_SAMPLES) -> Path:
    """Probabilities on the grid above, the density of the latent below, for the three examples."""
    with picture(path, 9.6, 3.6) as figure:
        axes = figure.subplots(2, len(EXAMPLES), sharex=True, sharey="row", height_ratios=[1, 1.25])
        for (title, probabilities), top, bottom in zip(EXAMPLES, *axes):
            found = latent_density(sample_latents(probabilities, num=num))
            positions = grid(len(probabilities))
            top.bar(positions, probabilities, 0.12, color=COLORS[0])
            top.set_title(f"{title}\nKL {kl_to_uniform(probabilities):.2f} nats")
            bottom.stairs(found.density.clip(max=_CUT), found.edges, fill=True, color=COLORS[0], alpha=0.35)
            bottom.stairs(found.density.clip(max=_CUT), found.edges, color=COLORS[0], linewidth=1)
            bottom.axvspan(*support(probabilities), color=COLORS[1], alpha=0.18, linewidth=0, zorder=-1)
            for position in positions:
                bottom.axvline(position, color=FAINT, linewidth=0.4, zorder=0)
            bottom.text(
                0.98, 0.93, f"std {found.std:.2f}", transform=bottom.transAxes, ha="right", va="top", fontsize=8
            )
            bottom.set(xlabel="latent", xlim=(-1.1, 1.1), ylim=(0, _CUT))
            for axis in (top, bottom):
                axis.spines[["top", "right"]].set_visible(False)
        axes[0, 0].set_ylabel("probability")
        axes[1, 0].set_ylabel("density")
    return path


_CUT = 4.0  # of the density: the peak of the nearly one-hot example would flatten the others
