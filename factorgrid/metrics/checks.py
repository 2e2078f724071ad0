"""The door of the metrics: what codes and factors must look like, and one clear line for each way they do not.

Inside, every metric trusts what these functions return: finite floating-point codes [sample, latent], integer
factors [sample, factor] of the same length, every factor with at least two values.
"""

import warnings
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.errors import Error


def as_codes(codes: ArrayLike, name: str = "codes") -> Float[ndarray, "sample latent"]:
    """Codes as a floating-point array [sample, latent]; float32 stays float32, integers become float64.

    Raises:
        Error: not two-dimensional, empty, not numeric, or with NaN or infinite values.
    """
    array = np.asarray(codes)
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
    """Factors as an int64 array [sample, factor] of `num_samples` rows.

    Raises:
        Error: not two-dimensional, not of an integer type, or not as many rows as there are codes.
    """
    array = np.asarray(factors)
    if array.ndim != 2 or array.shape[1] == 0:
        raise Error(f"{name} must have shape [sample, factor], got {list(array.shape)}")
    if array.dtype.kind not in "iub":
        raise Error(f"{name} must be integers, got {array.dtype}; convert whole numbers with .astype(int), bin others")
    if len(array) != num_samples:
        raise Error(f"{num_samples} codes but {len(array)} rows of {name}; there must be one row per code")
    return array.astype(np.int64)


def varying(factors: Int[ndarray, "sample factor"]) -> Bool[ndarray, " factor"]:
    """Which factors take more than one value; warns once about the others.

    Raises:
        Error: none does.
    """
    keep = (factors != factors[:1]).any(axis=0)
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
    labels = as_factors(factors_train, len(train), "factors_train")
    labels_test = as_factors(factors_test, len(test), "factors_test")
    if train.shape[1] != test.shape[1]:
        raise Error(f"codes_train have {train.shape[1]} latents but codes_test {test.shape[1]}")
    if labels.shape[1] != labels_test.shape[1]:
        raise Error(f"factors_train have {labels.shape[1]} factors but factors_test {labels_test.shape[1]}")
    keep = varying(labels)
    return train, labels[:, keep], test, labels_test[:, keep]


def check_bins(num_samples: int, num_bins: int) -> None:
    """Raise an Error when a histogram of `num_bins` bins cannot be made of so few samples."""
    if num_bins < 2:
        raise Error(f"num_bins must be at least 2, got {num_bins}")
    if num_samples < num_bins:
        raise Error(f"{num_samples} samples are fewer than the {num_bins} bins; pass more samples or lower num_bins")


def check_counts(**counts: Any) -> None:
    """Raise an Error when a number of samples is below 1 or not whole."""
    for name, value in counts.items():
        if not isinstance(value, int | np.integer) or value < 1:
            raise Error(f"{name} must be a whole number of at least 1, got {value!r}")
