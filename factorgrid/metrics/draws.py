"""The draw step of every metric: from a source of codes to the keyword arguments of its compute step."""

from typing import Any

import numpy as np

from factorgrid.metrics.beta_vae_score import draw_distances
from factorgrid.metrics.factor_vae_score import draw_variances
from factorgrid.metrics.metric import Sample
from factorgrid.metrics.sampling import Counts, Source


def codes(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return {"codes": source.points(rng, counts.num_train)[0]}


def codes_and_bins(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**codes(source, rng, counts), "num_bins": counts.num_bins}


def points(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return dict(zip(("codes", "factors"), source.points(rng, counts.num_train)))


def points_and_bins(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**points(source, rng, counts), "num_bins": counts.num_bins}


def seeded_points(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**points(source, rng, counts), "seed": int(rng.integers(2**31))}


def split(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return _named(source.split(rng, counts.num_train, counts.num_test))


def seeded_split(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**split(source, rng, counts), "seed": int(rng.integers(2**31))}


def distances(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    drawn = draw_distances(source, rng, counts.batch_size, counts.num_train, counts.num_test)
    return dict(zip(("train", "labels", "test", "labels_test"), drawn))


def variances(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    drawn = draw_variances(
        source, rng, counts.batch_size, counts.num_train, counts.num_test, counts.num_variance_estimate
    )
    return dict(zip(("overall", "train", "labels", "test", "labels_test"), drawn))


def downstream_splits(source: Source, rng: np.random.Generator, counts: Counts) -> Sample:
    """Fresh training and test codes for every size; sizes that a given sample cannot serve are left out."""
    splits = {}
    for size in counts.downstream_sizes:
        drawn = source.labelled(rng, size, counts.num_test)
        if drawn is not None:
            splits[size] = _named(drawn)
    return {"splits": splits, "seed": int(rng.integers(2**31))}


def _named(arrays: tuple[Any, ...]) -> Sample:
    return dict(zip(("codes_train", "factors_train", "codes_test", "factors_test"), arrays))
