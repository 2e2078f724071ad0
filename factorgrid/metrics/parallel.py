"""Parts of a metric's computation that can run in other processes, and how they are run."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import joblib
from numpy import ndarray
from threadpoolctl import ThreadpoolController

# a module-level function and its keyword arguments, both of which can be sent to another process
Part = tuple[Callable[..., Any], dict[str, Any]]


def factor_parts(function: Callable[..., Any], split: tuple[ndarray, ...], **settings: Any) -> list[Part]:
    """A part for each factor of a split (training codes, factors, test codes, factors), with the same settings.

    It gets the rows in which the factor is known.
    """
    parts: list[Part] = []
    for j in range(split[1].shape[1]):
        train, labels = known_rows(split[0], split[1][:, j])
        test, labels_test = known_rows(split[2], split[3][:, j])
        rows = {"train": train, "labels": labels, "test": test, "labels_test": labels_test}
        parts.append((function, {**rows, **settings}))
    return parts


def known_rows(codes: ndarray, labels: ndarray) -> tuple[ndarray, ndarray]:
    """Codes and labels of the samples whose label is known; where all are, the arrays themselves."""
    known = labels.reshape(len(labels), -1).min(axis=1, initial=0) >= 0
    return (codes, labels) if known.all() else (codes[known], labels[known])


def run_part(part: Part) -> Any:
    function, arguments = part
    return function(**arguments)


def run_parts(parts: list[Part], *, jobs: int = 1, done: Callable[[int], None] | None = None) -> list[Any]:
    """Results of all parts, in their order; `done` is called with the position of each part that finished.

    With one job everything runs in this process, otherwise in `jobs` processes. Either way on one thread each: the
    many small products of a classifier's fit get slower, not faster, when they are shared among threads.
    """
    results: list[Any] = [None] * len(parts)
    if not parts:
        return results
    if jobs == 1 or len(parts) < 2:
        with one_thread():
            for i, part in enumerate(parts):
                results[i] = run_part(part)
                if done is not None:
                    done(i)
        return results
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        runner = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        for i, result in runner(joblib.delayed(numbered)(i, part) for i, part in enumerate(parts)):
            results[i] = result
            if done is not None:
                done(i)
    return results


def one_thread() -> AbstractContextManager[Any]:
    """A context in which the linear algebra of this process stays on one thread."""
    return controller().limit(limits=1)


@functools.cache
def controller() -> ThreadpoolController:
    """Looks the loaded libraries up, once: that takes longer than some metrics."""
    return ThreadpoolController()


def numbered(position: int, part: Part) -> tuple[int, Any]:
    return position, run_part(part)
