"""What reconstructions and traversals show, as arrays: images decoded while one latent dimension takes its values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray

from factorgrid.latents.abilities import Divergent
from factorgrid.metrics.mutual_information import entropy
from factorgrid.models.trained import TrainedModel, as_floats

NUM_COLUMNS = 11
GAUSSIAN_RANGE = 2.0
USE_IMAGES = 2048  # enough to tell used columns from unused ones


@dataclass(frozen=True)
class Reconstructions:
    """Images and what the decoder makes of their codes, all in [0, 1].

    Attributes:
        images: the input.
        decoded: from the deterministic codes that metrics see.
        rounded: from the most probable category of each dimension; None for Gaussian models. How far this is from
            `decoded` is what the straight-through gap measures. None for a refined decoder, whose `decoded` it is.
        own: of a refined model, what its own decoder makes of the same codes, if it was asked for.
    """

    images: Float[ndarray, "base height width channel"]
    decoded: Float[ndarray, "base height width channel"]
    rounded: Float[ndarray, "base height width channel"] | None
    own: Float[ndarray, "base height width channel"] | None = None


@dataclass(frozen=True)
class TraversalRow:
    """One latent dimension taking its values, once for each base image.

    Attributes:
        latent: which dimension.
        kl: its mean KL in nats, or what `measure` says.
        values: where along the dimension: grid positions in [-1, 1], or -2..2 for Gaussian models.
        categories: the same as categories; None for Gaussian models.
        own: the column that is nearest to each base image's own code.
        images: decoded, in [0, 1].
        measure: "KL"; "variance" of the codes where the latent has no prior.
        use: how many of the data's images have their own code nearest to each column, as shares of all; None where
            that was not looked at. A column without any shows what no datum looks like.
    """

    latent: int
    kl: float
    values: Float[ndarray, " column"]
    categories: Int[ndarray, " column"] | None
    own: Int[ndarray, " base"]
    images: Float[ndarray, "base column height width channel"]
    measure: str = "KL"
    use: Float[ndarray, " column"] | None = None


def reconstructions(
    model: TrainedModel, images: Shaped[ndarray, "base height width channel"], own: TrainedModel | None = None
) -> Reconstructions:
    """What the model makes of images (uint8, or floats in [0, 1]).

    Args:
        model, images: any.
        own: of a refined model, the same with its own decoder, to be shown beside it.
    """
    codes = model.categorize(images) if model.discrete else model.encode(images)
    rounded = model.decode(codes) if model.discrete and not model.refined else None
    before = None if own is None else own.decode(codes)
    return Reconstructions(as_floats(images), model.reconstruct(images), rounded, before)


def latent_traversals(
    model: TrainedModel,
    images: Shaped[ndarray, "base height width channel"],
    *,
    kl: Float[ndarray, " latent"] | None = None,
    latents: Sequence[int] | None = None,
    num_columns: int = NUM_COLUMNS,
    data: Shaped[ndarray, "image height width channel"] | None = None,
) -> tuple[TraversalRow, ...]:
    """Every latent dimension varied alone; the other dimensions of a base image stay at its hard codes, or means.

    Args:
        model: any trained model.
        images: the base images.
        kl: mean KL of each dimension; by default that of the base images.
        latents: which dimensions, in which order; by default all of them, the most used first: by the entropy of their
            categories if `data` are given (a dimension that always takes one has the largest KL), else by KL.
        num_columns: how many equidistant values; dimensions of which some categories are masked take all the others.
        data: many images, by which the use of each column is counted; not counted if None.
    """
    kl = model.usage(images) if kl is None else kl
    own_codes = model.categorize if model.discrete else model.encode
    base, known = own_codes(images), None if data is None else own_codes(data)
    used = entropy(known) if model.discrete and known is not None else kl
    latents = np.argsort(-used, kind="stable").tolist() if latents is None else list(latents)
    columns = [traversal_values(model, latent, num_columns, base if known is None else known) for latent in latents]
    codes = [_varied(base, latent, values) for latent, values in zip(latents, columns)]
    # one call, so that rows of different lengths do not compile the decoder again and again
    decoded = model.decode(np.concatenate(codes))
    rows, start = [], 0
    for latent, values in zip(latents, columns):
        stop = start + len(images) * len(values)
        block = decoded[start:stop].reshape(len(images), len(values), *decoded.shape[1:])
        own = _nearest(values, base[:, latent])
        use = None if known is None else column_use(values, known[:, latent])
        positions, categories = (model.position_table[latent, values], values) if model.discrete else (values, None)
        rows.append(TraversalRow(latent, float(kl[latent]), positions, categories, own, block, model.measure, use))
        start = stop
    return tuple(rows)


def traversal_values(
    model: TrainedModel, latent: int, num_columns: int, codes: Shaped[ndarray, "image latent"]
) -> Shaped[ndarray, " column"]:
    """What a dimension is set to: categories (int32) of discrete models, -2..2 (float32) of Gaussian ones, the range of
    given codes, but for the outermost 1 % of either side, where the latent has no prior.

    Of a masked dimension, every active category; else `num_columns` equidistant ones, both ends included.
    """
    if not model.discrete:
        low, high = -GAUSSIAN_RANGE, GAUSSIAN_RANGE
        if not model.can(Divergent):
            low, high = np.quantile(codes[:, latent], [0.01, 0.99]).tolist()
        return np.linspace(low, high, num_columns, dtype=np.float32)
    active, num_categories = model.active_categories[latent], model.position_table.shape[1]
    if len(active) < num_categories:
        return np.asarray(active, np.int32)
    return np.linspace(0, num_categories - 1, min(num_columns, num_categories)).round().astype(np.int32)


def column_use(values: Shaped[ndarray, " column"], codes: Shaped[ndarray, " image"]) -> Float[ndarray, " column"]:
    """The share of codes that are nearest to each value; 0 where there is none.

    >>> column_use(np.asarray([0, 21, 42, 63]), np.asarray([40, 45, 45, 63])).tolist()
    [0.0, 0.0, 0.75, 0.25]
    """
    return np.bincount(_nearest(values, codes), minlength=len(values)) / len(codes)


def _nearest(values: Shaped[ndarray, " column"], codes: Shaped[ndarray, " image"]) -> Int[ndarray, " image"]:
    return np.abs(values[None, :] - codes[:, None]).argmin(axis=1)


def _varied(
    base: Shaped[ndarray, "base latent"], latent: int, values: Shaped[ndarray, " column"]
) -> Shaped[ndarray, "row latent"]:
    """Each base repeated with `values` at one dimension; base by base."""
    codes = np.repeat(base, len(values), axis=0)
    codes[:, latent] = np.tile(values, len(base))
    return codes
