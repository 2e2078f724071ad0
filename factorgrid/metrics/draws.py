"""The draw step of every metric: from a sampler of codes to the keyword arguments of its compute step."""

from typing import Any

import numpy as np

from factorgrid.metrics.definitions.beta_vae_score import draw_distances
from factorgrid.metrics.definitions.factor_vae_score import draw_variances
from factorgrid.metrics.definitions.omes import draw_associations
from factorgrid.metrics.definitions.z_max_variance import draw_changes
from factorgrid.metrics.metric import Sample
from factorgrid.metrics.sampling import Counts, Sampler


def codes(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return {"codes": sampler.points(rng, counts.num_train)[0]}


def codes_and_bins(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**codes(sampler, rng, counts), "num_bins": counts.num_bins}


def points(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return dict(zip(("codes", "factors"), sampler.points(rng, counts.num_train)))


def points_and_bins(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**points(sampler, rng, counts), "num_bins": counts.num_bins}


def seeded_points(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**points(sampler, rng, counts), "seed": int(rng.integers(2**31))}


def split(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return _named(sampler.split(rng, counts.num_train, counts.num_test))


def seeded_split(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    return {**split(sampler, rng, counts), "seed": int(rng.integers(2**31))}


def distances(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    drawn = draw_distances(sampler, rng, counts.batch_size, counts.num_train, counts.num_test)
    return dict(zip(("train", "labels", "test", "labels_test"), drawn))


def variances(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    drawn = draw_variances(
        sampler, rng, counts.batch_size, counts.num_train, counts.num_test, counts.num_variance_estimate
    )
    return dict(zip(("overall", "train", "labels", "test", "labels_test"), drawn))


def changes(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample | None:
    """None if no two codes differ in one factor alone."""
    drawn = draw_changes(
        sampler, rng, counts.batch_size, counts.num_train, counts.num_test, counts.num_variance_estimate
    )
    names = ("overall", "train", "labels", "test", "labels_test")
    return None if drawn is None else dict(zip(names, drawn))


def associations(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample | None:
    """None if no two codes differ in one factor alone."""
    drawn = draw_associations(sampler, rng, counts.num_train, counts.num_variance_estimate)
    return None if drawn is None else dict(zip(("association", "overall"), drawn))


def downstream_splits(sampler: Sampler, rng: np.random.Generator, counts: Counts) -> Sample:
    """Fresh training and test codes for every size; sizes that a given sample cannot serve are left out."""
    splits = {}
    for size in counts.downstream_sizes:
        drawn = sampler.labelled(rng, size, counts.num_test)
        if drawn is not None:
            splits[size] = _named(drawn)
    return {"splits": splits, "seed": int(rng.integers(2**31))}


def _named(arrays: tuple[Any, ...]) -> Sample:
    return dict(zip(("codes_train", "factors_train", "codes_test", "factors_test"), arrays))
