"""Whatever codes and factors come as, to NumPy arrays: NumPy, JAX, PyTorch, pandas, lists.

Tensors are detached and brought to the host; the half precisions become float32. Factors become labels, integers
from 0 up, a column each:

* integers and booleans are categories. -1 is "unknown", unless the column has other negative values or is -1 and 1
  alone; then its negative numbers are values like any other;
* strings, objects and pandas categories are categories, in sorted (or the category's own) order; None, NaN and ""
  are unknown;
* floating-point numbers are categories if they have at most 20 values, or at most 100 that are all whole; otherwise
  the factor is continuous and is cut into 20 equal-width bins over its range. NaN is unknown.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped
from numpy import ndarray

from factorgrid.errors import Error, first_line

UNKNOWN = -1
MAX_VALUES = 20  # of floating-point numbers that are categories
MAX_WHOLE_VALUES = 100  # likewise, if they are whole
MAX_WHOLE = 2**53  # beyond, not every whole number is a floating-point number
NUM_BINS = 20  # of a continuous factor

Column = tuple[Shaped[ndarray, " sample"], Bool[ndarray, " sample"]]  # values, and which of them are known


def as_array(values: Any) -> ndarray:
    """The values on the host, without their gradients, in a type that NumPy itself has."""
    if hasattr(values, "detach") and hasattr(values, "cpu"):  # a PyTorch tensor, which need not be importable here
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):
            values = values.float()
        values = values.numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise Error(f"not an array: {first_line(error)}") from error
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def column_names(values: Any, kind: str) -> list[str]:
    """The columns' names of a DataFrame; "latent 0", "latent 1", ... of anything else."""
    if is_frame(values):
        return [str(name) for name in values.columns]
    return [f"{kind} {i}" for i in range(np.shape(values)[1])]


def is_frame(values: Any) -> bool:
    """Whether these are a pandas DataFrame, which need not be imported to tell."""
    return hasattr(values, "columns") and hasattr(values, "iloc")


def frame_as_numbers(frame: Any, name: str) -> ndarray:
    """A DataFrame of numbers as an array; what pandas calls missing becomes NaN.

    Raises:
        Error: a column that is not of numbers.
    """
    for label, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "O") not in "iubf":
            raise Error(f"{name} must be numbers, but column '{label}' is of type {dtype}")
    array = np.asarray(frame)
    return array if array.dtype.kind in "iubf" else frame.to_numpy(np.float64, na_value=np.nan)


def as_labels(factors: Any, name: str) -> Int[ndarray, "sample factor"]:
    """Factors of any kind as labels from 0 up, `UNKNOWN` where a value is not known.

    Raises:
        Error: not two-dimensional, an infinite value, or a type of which no categories can be made.
    """
    columns = frame_columns(factors) if is_frame(factors) else array_columns(as_array(factors), name)
    labels = [labels_of(*column, f"{name}, column {j}") for j, column in enumerate(columns)]
    return np.stack(labels, axis=1) if labels else np.empty((0, 0), np.int64)


def as_numbers(factors: Any, name: str) -> ndarray:
    """Numeric factors as float64 [sample, factor], NaN where a value is not known.

    Raises:
        Error: not two-dimensional, an infinite value, or factors that are not numbers.
    """
    columns = frame_columns(factors) if is_frame(factors) else array_columns(as_array(factors), name)
    numbers = []
    for j, (values, known) in enumerate(columns):
        if values.dtype.kind not in "iubf":
            raise Error(f"{name}, column {j}, must be numbers for a correlation, got {values.dtype}")
        if values.dtype.kind == "i":
            known = known & (shifted(values) != UNKNOWN)
        numbers.append(np.where(known, finite(values.astype(np.float64), f"{name}, column {j}"), np.nan))
    return np.stack(numbers, axis=1)


def frame_columns(frame: Any) -> list[Column]:
    """The columns of a DataFrame; categories as their numbers."""
    columns = []
    for j in range(frame.shape[1]):
        series = frame.iloc[:, j]
        known = series.notna().to_numpy()
        if hasattr(series, "cat"):
            # a category's number is no longer a value of its own: the type says what it is
            columns.append((series.cat.codes.to_numpy().astype(np.int64), known))
        else:
            values = series.to_numpy()
            if values.dtype.kind == "O" and getattr(series.dtype, "kind", "O") in "iubf":
                values = series.to_numpy(np.float64, na_value=np.nan)
            columns.append((values, known))
    return columns


def array_columns(array: ndarray, name: str) -> list[Column]:
    """The columns of an array."""
    if array.ndim != 2 or array.shape[1] == 0:
        raise Error(f"{name} must have shape [sample, factor], got {list(array.shape)}")
    if array.dtype.kind == "O":
        known = np.array([[is_known(value) for value in row] for row in array]).reshape(array.shape)
        return [(objects(array[:, j], known[:, j]), known[:, j]) for j in range(array.shape[1])]
    return [(array[:, j], np.ones(len(array), bool)) for j in range(array.shape[1])]


def is_known(value: Any) -> bool:
    """Whether an object is none of None, NaN, and pandas' NA, which cannot be compared."""
    return value is not None and str(value) not in ("nan", "NaT", "<NA>")


def objects(values: ndarray, known: Bool[ndarray, " sample"]) -> ndarray:
    """Numbers among objects as numbers, anything else as text."""
    if all(isinstance(value, int | float | np.number) for value in values[known]):
        return np.where(known, values, np.nan).astype(np.float64)
    return np.where(known, values.astype(str), "")


def labels_of(values: ndarray, known: Bool[ndarray, " sample"], name: str) -> Int[ndarray, " sample"]:
    """The labels of one column.

    >>> labels_of(np.array([3, -1, 5]), np.array([True, True, True]), "factors").tolist()
    [3, -1, 5]
    >>> labels_of(np.array(["b", "", "a"]), np.array([True, True, True]), "factors").tolist()
    [1, -1, 0]
    """
    kind = values.dtype.kind
    if kind == "O":
        values = objects(values, known)
        kind = values.dtype.kind
    if kind in "US":
        known = known & (values != values.dtype.type())
        labels = np.unique(values, return_inverse=True)[1]
        # empty text comes first, where there is any
        labels = labels - labels[known].min() if known.any() else labels
    elif kind in "iub":
        if kind != "b" and len(values) and max(int(values.max()), -int(values.min())) > MAX_WHOLE:
            values = np.unique(values, return_inverse=True)[1]  # differences of such numbers may overflow
        labels = shifted(values.astype(np.int64))
    elif kind == "f":
        values = finite(values.astype(np.float64), name)
        known = known & ~np.isnan(values)
        labels = np.zeros(len(values), np.int64)
        labels[known] = labels_of_numbers(values[known])
    else:
        raise Error(f"{name}, must be integers, numbers, text or categories, got {values.dtype}")
    return np.where(known, labels, UNKNOWN).astype(np.int64)


def shifted(values: Int[ndarray, " sample"]) -> Int[ndarray, " sample"]:
    """Integers without negative values but `UNKNOWN`."""
    if not len(values) or values.min() >= 0:
        return values
    unknown_only = values.min() == UNKNOWN and set(np.unique(values).tolist()) != {-1, 1}
    return values if unknown_only else values - values.min()


def finite(values: ndarray, name: str) -> ndarray:
    """The same values, or an Error if one is infinite; NaN, which is unknown, may be there."""
    if np.isinf(values).any():
        raise Error(f"{name}, holds {np.count_nonzero(np.isinf(values))} infinite values; NaN is for unknown ones")
    return values


def labels_of_numbers(values: ndarray) -> Int[ndarray, " sample"]:
    """Categories, or bins of a continuous factor, of known numbers."""
    distinct, labels = np.unique(values, return_inverse=True)
    whole = bool((distinct == np.round(distinct)).all())
    if whole and len(distinct) <= MAX_WHOLE_VALUES and np.abs(distinct).max(initial=0) < MAX_WHOLE:
        return (values - min(distinct.min(initial=0), 0)).astype(np.int64)
    if len(distinct) <= MAX_VALUES:
        return labels
    span = distinct[-1] - distinct[0]
    return np.minimum((values - distinct[0]) / span * NUM_BINS, NUM_BINS - 1).astype(np.int64)
