"""What a page says about each latent dimension: its use, its KL, and what it knows about each factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from factorgrid.datasets import Dataset
from factorgrid.latents.abilities import Divergent
from factorgrid.metrics.mutual_information import code_factor_information, entropy
from factorgrid.models.trained import TrainedModel

NUM_PROBES = 4096
BATCH = 512  # images held at once
NUM_BINS = 20  # as for MIG


@dataclass(frozen=True)
class Facts:
    """One model's view of images drawn from its data.

    Attributes:
        codes: what metrics see.
        categories: the most probable ones; None for models without.
        kl: mean KL of each dimension, in nats; None for models without a prior.
        information: mutual information of each code (in 20 equal bins) with each factor, as a share of the factor's
            entropy, in [0, 1]; no columns for data without factors.
    """

    codes: Float[ndarray, "image latent"]
    categories: Int[ndarray, "image latent"] | None
    kl: Float[ndarray, " latent"] | None
    information: Float[ndarray, "latent factor"]


def gather(models: Sequence[TrainedModel], dataset: Dataset, *, num: int, seed: int) -> tuple[Facts, ...]:
    """The facts of several models, all about the same `num` images."""
    codes: list[list[ndarray]] = [[] for _ in models]
    categories: list[list[ndarray]] = [[] for _ in models]
    kl: list[list[ndarray]] = [[] for _ in models]
    labels = []
    for start in range(0, num, BATCH):
        images, factors = dataset.draw(BATCH, seed + start)  # always as many, so that it is compiled once
        kept = min(BATCH, num - start)
        labels.append(factors[:kept])
        for i, model in enumerate(models):
            codes[i].append(model.encode(images)[:kept])
            if model.can(Divergent):
                kl[i].append(model.kl(images)[:kept])
            if model.discrete:
                categories[i].append(model.categorize(images)[:kept])
    known = np.concatenate(labels)
    return tuple(
        Facts(
            joined := np.concatenate(codes[i]),
            np.concatenate(categories[i]) if categories[i] else None,
            np.concatenate(kl[i]).mean(axis=0) if kl[i] else None,
            shared_information(joined, known),
        )
        for i in range(len(models))
    )


def shared_information(
    codes: Float[ndarray, "image latent"], factors: Int[ndarray, "image factor"]
) -> Float[ndarray, "latent factor"]:
    """Mutual information over the factor's entropy; 0 where too few labels are known (-1 is unknown)."""
    result = np.zeros((codes.shape[1], factors.shape[1]))
    for column in range(factors.shape[1]):
        rows = factors[:, column] >= 0
        labels = factors[rows, column : column + 1]
        if rows.sum() > NUM_BINS and len(np.unique(labels)) > 1:
            information = code_factor_information(codes[rows], labels, NUM_BINS)
            result[:, column] = information[:, 0] / entropy(labels)
    return np.minimum(result, 1.0)


def correlation(
    left: Float[ndarray, "image left"], right: Float[ndarray, "image right"]
) -> Float[ndarray, "left right"]:
    """Of every latent of one model with every latent of another; 0 where one never changes."""
    return _standard(left).T @ _standard(right) / len(left)


def _standard(codes: Float[ndarray, "image latent"]) -> Float[ndarray, "image latent"]:
    centred = codes - codes.mean(axis=0)
    scale = centred.std(axis=0)
    return centred / np.where(scale > 1e-9, scale, np.inf)
