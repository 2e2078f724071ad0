"""The door of the metrics: what codes and factors must look like, and one clear line for each way they do not.

Inside, every metric trusts what these functions return: finite floating-point codes [sample, latent], integer
factors [sample, factor] of the same length, every factor with at least two values; -1 where one is unknown.
"""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import Error, check_whole
from factorgrid.metrics.inputs import as_array, as_labels, frame_as_numbers, is_frame

MAX_BINS = 10_000
MAX_COUNT = 10_000_000


def as_codes(codes: ArrayLike, name: str = "codes") -> Float[ndarray, "sample latent"]:
    """Codes as a floating-point array [sample, latent]; float32 stays float32, integers become float64.

    One-hot codes [sample, latent, category] become the number of their category.

    Raises:
        Error: another shape, empty, not numeric, or with NaN or infinite values.
    """
    array = frame_as_numbers(codes, name) if is_frame(codes) else as_array(codes)
    if array.ndim == 3 and array.size and is_one_hot(array):
        array = array.argmax(axis=2)
    elif array.ndim == 3:
        raise Error(
            f"{name} must have one number per latent, got vectors {list(array.shape)}; pass one-hot codes, the numbers "
            "of their categories, or every dimension as a latent of its own: codes.reshape(len(codes), -1)"
        )
    if array.ndim != 2 or 0 in array.shape:
        raise Error(f"{name} must have shape [sample, latent] with at least one of each, got {list(array.shape)}")
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    elif array.dtype.kind != "f":
        raise Error(f"{name} must be floating-point numbers, got {array.dtype}")
    elif array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    finite = np.isfinite(array)
    if not finite.all():
        columns = ", ".join(map(str, np.flatnonzero(~finite.all(axis=0))))
        raise Error(
            f"{name} hold {np.count_nonzero(~finite)} NaN or infinite values (latents {columns}, counted from 0); "
            "did the training of this model diverge?"
        )
    return array


def as_factors(factors: ArrayLike, num_samples: int, name: str = "factors") -> Int[ndarray, "sample factor"]:
    """Factors as an int64 array [sample, factor] of `num_samples` rows, -1 where one is unknown; see `inputs`.

    Raises:
        Error: see `inputs.as_labels`; or not as many rows as there are codes.
    """
    labels = as_labels(factors, name)
    if len(labels) != num_samples:
        raise Error(f"{num_samples} codes but {len(labels)} rows of {name}; there must be one row per code")
    return labels


def is_one_hot(codes: Shaped[ndarray, "sample latent category"]) -> bool:
    """Whether every latent of every sample has a single one among zeros."""
    return bool(((codes == 0) | (codes == 1)).all() and (codes.sum(axis=2) == 1).all())


def varying(factors: Int[ndarray, "sample factor"]) -> Bool[ndarray, " factor"]:
    """Which factors take more than one known value; warns once about the others.

    Raises:
        Error: none does.
    """
    # the greatest known value, and the least, for which unknown ones are put out of the way
    most, least = factors.max(axis=0), np.where(factors < 0, np.iinfo(np.int64).max, factors).min(axis=0)
    keep = least < most
    if not keep.any():
        raise Error("every factor has one value only, so there is nothing to disentangle; pass varied samples")
    if not keep.all():
        columns = ", ".join(map(str, np.flatnonzero(~keep)))
        warnings.warn(f"dropped factors with one value only: {columns} (counted from 0)", stacklevel=4)
    return keep


def as_pair(
    codes: ArrayLike, factors: ArrayLike
) -> tuple[Float[ndarray, "sample latent"], Int[ndarray, "sample factor"]]:
    """Checked codes and factors; one-valued factors are dropped with a warning.

    Raises:
        Error: see `as_codes`, `as_factors` and `varying`.
    """
    checked = as_codes(codes)
    labels = as_factors(factors, len(checked))
    return checked, labels[:, varying(labels)]


def as_split(
    codes_train: ArrayLike, factors_train: ArrayLike, codes_test: ArrayLike, factors_test: ArrayLike
) -> tuple[
    Float[ndarray, "train latent"],
    Int[ndarray, "train factor"],
    Float[ndarray, "test latent"],
    Int[ndarray, "test factor"],
]:
    """Checked training and test codes and factors; factors with one value in training are dropped from both.

    Raises:
        Error: see `as_codes`, `as_factors` and `varying`; or training and test differ in latents or factors.
    """
    train, test = as_codes(codes_train, "codes_train"), as_codes(codes_test, "codes_test")
    if train.shape[1] != test.shape[1]:
        raise Error(f"codes_train have {train.shape[1]} latents but codes_test {test.shape[1]}")
    labels, labels_test = labels_of_split(factors_train, factors_test)
    for rows, codes, name in ((labels, train, "factors_train"), (labels_test, test, "factors_test")):
        if len(rows) != len(codes):
            raise Error(f"{len(codes)} codes but {len(rows)} rows of {name}; there must be one row per code")
    lost = (labels_test < 0).all(axis=0)
    if lost.any():
        raise Error(f"factors_test hold no known value of factor {int(lost.argmax())}, so it cannot be tested")
    keep = varying(labels)
    return train, labels[:, keep], test, labels_test[:, keep]


def labels_of_split(
    factors_train: Any, factors_test: Any
) -> tuple[Int[ndarray, "train factor"], Int[ndarray, "test factor"]]:
    """Labels of both, in one numbering: text, small numbers and bins mean the same on both sides.

    Raises:
        Error: see `inputs.as_labels`; or they differ in factors.
    """
    if is_frame(factors_train) and is_frame(factors_test):
        from pandas import concat  # slow to import, and there already

        sizes = factors_train.shape[1], factors_test.shape[1]
        both = concat([factors_train.set_axis(range(sizes[0]), axis=1), factors_test.set_axis(range(sizes[1]), axis=1)])
    else:
        train, test = as_array(factors_train), as_array(factors_test)
        for array, name in ((train, "factors_train"), (test, "factors_test")):
            if array.ndim != 2:
                raise Error(f"{name} must have shape [sample, factor], got {list(array.shape)}")
        sizes = train.shape[1], test.shape[1]
        both = np.concatenate([train, test]) if sizes[0] == sizes[1] else train
    if sizes[0] != sizes[1]:
        raise Error(f"factors_train have {sizes[0]} factors but factors_test {sizes[1]}")
    labels = as_labels(both, "factors_train")
    return labels[: len(factors_train)], labels[len(factors_train) :]


def check_bins(num_samples: int, num_bins: int) -> None:
    """Raise an Error when a histogram of `num_bins` bins cannot be made of so few samples."""
    check_whole(num_bins, "num_bins", least=2, most=MAX_BINS)
    if num_samples < num_bins:
        raise Error(f"{num_samples} samples are fewer than the {num_bins} bins; pass more samples or lower num_bins")


def check_counts(**counts: Any) -> None:
    """Raise an Error when a number of samples is not whole, below 1, or more than can be meant."""
    for name, value in counts.items():
        check_whole(value, name, least=1, most=MAX_COUNT)
