"""Scores of one code, or of many members at once, by the names in the table."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike

from factorgrid.errors import Error, unknown_name
from factorgrid.metrics.checks import as_codes, as_factors
from factorgrid.metrics.metric import Metric
from factorgrid.metrics.parallel import Part, one_thread, run_part, run_parts
from factorgrid.metrics.sampling import Counts, GridSource, SampleSource, Source, stream
from factorgrid.representation import Representation

Progress = Callable[[int, int, str], None]  # (steps done, steps in all so far known, what was just done)
COSTS = ("instant", "seconds", "minutes")


def score_with(
    table: Mapping[str, Metric],
    codes: ArrayLike,
    factors: ArrayLike,
    names: Sequence[str],
    *,
    seed: int,
    counts: Counts,
    jobs: int | None,
) -> dict[str, float]:
    """See `factorgrid.metrics.score`."""
    values = as_codes(codes)
    source = SampleSource(values, as_factors(factors, len(values)))
    return scores_of(table, [source], names, seed=seed, counts=counts, jobs=jobs, progress=None)[0]


def evaluate_with(
    table: Mapping[str, Metric],
    representations: Iterable[Representation],
    names: Sequence[str],
    *,
    seed: int,
    counts: Counts,
    jobs: int | None,
    progress: Progress | None,
) -> list[dict[str, float]]:
    """See `factorgrid.metrics.evaluate`."""
    sources = [GridSource(representation) for representation in representations]
    return scores_of(table, sources, names, seed=seed, counts=counts, jobs=jobs, progress=progress)


def scores_of(
    table: Mapping[str, Metric],
    sources: Sequence[Source],
    names: Sequence[str],
    *,
    seed: int,
    counts: Counts,
    jobs: int | None,
    progress: Progress | None,
) -> list[dict[str, float]]:
    """Scores of every source. Threads of this process draw the samples, and compute the instant metrics at once;
    the others are then computed in processes of their own."""
    if jobs is not None and jobs < 1:
        raise Error(f"jobs must be at least 1, got {jobs}")
    num_jobs = joblib.cpu_count() if jobs is None else jobs
    work = Work(progress, total=len(sources) * len(names))

    order = [(i, name) for i in range(len(sources)) for name in names]
    errors: dict[tuple[int, str], Error] = {}

    def draw(i: int, name: str) -> None:
        if errors:  # the others stop, too
            return
        try:
            sample = table[name].draw(sources[i], stream(seed, name), counts)
            work.add((i, name), table[name].split(sample), here=table[name].cost == "instant")
        except Error as error:
            errors[i, name] = error

    with one_thread():
        joblib.Parallel(n_jobs=num_jobs, backend="threading")(joblib.delayed(draw)(*owner) for owner in order)
    for i, name in order:
        if (i, name) in errors:
            raise Error(f"member {i}, {name}: {errors[i, name]}" if len(sources) > 1 else f"{name}: {errors[i, name]}")
    work.run(num_jobs, {name: COSTS.index(table[name].cost) for name in names})
    return [
        {key: value for name in names for key, value in table[name].finish(work.results[i, name]).items()}
        for i in range(len(sources))
    ]


class Work:
    """Parts of many computations, with their results and how many are done."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.results: dict[tuple[int, str], list[Any]] = {}
        self._waiting: list[tuple[tuple[int, str], int, Part]] = []
        self._progress, self._done, self._total = progress, 0, total
        self._lock = threading.Lock()

    def add(self, owner: tuple[int, str], parts: list[Part], *, here: bool) -> None:
        """Take the parts of one member's metric: compute them at once, or keep them for `run`. Any thread may."""
        results = [run_part(part) if here else None for part in parts]
        with self._lock:
            self.results[owner] = results
            if not here:
                self._waiting += [(owner, position, part) for position, part in enumerate(parts)]
                self._total += len(parts)
            self._step(owner, "computed" if here else "drawn")

    def run(self, jobs: int, rank: Mapping[str, int]) -> None:
        """Compute what is waiting, the longest first, so that no core is left with a long one at the end."""
        waiting = sorted(self._waiting, key=lambda item: (rank[item[0][1]], num_values(item[2])), reverse=True)
        results = run_parts(
            [part for _, _, part in waiting],
            jobs=jobs,
            done=lambda position: self._step(waiting[position][0], "computed"),
        )
        for (owner, position, _), result in zip(waiting, results):
            self.results[owner][position] = result

    def _step(self, owner: tuple[int, str], what: str) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total, f"member {owner[0]}: {owner[1]} {what}")


def num_values(part: Part) -> int:
    """How many values the factor of a part has: the time to fit a classifier grows with it."""
    labels = part[1].get("labels")
    return 0 if labels is None else len(np.unique(labels)) * len(labels)


def expand(table: Mapping[str, Metric], groups: Mapping[str, Sequence[str]], metrics: str | Iterable[str]) -> list[str]:
    """Metric names for names and group names, each once, in the order of first mention.

    Raises:
        Error: a name that is neither, or no name at all.
    """
    asked = [metrics] if isinstance(metrics, str) else list(metrics)
    if not asked:
        raise Error(f"no metric given. Known: {', '.join([*groups, *table])}")
    names: list[str] = []
    for name in asked:
        if name not in groups and name not in table:
            raise unknown_name("metric", name, [*groups, *table])
        names += groups.get(name, [name])
    return list(dict.fromkeys(names))


def settings_of(metric: Metric, counts: Counts, seed: int) -> dict[str, Any]:
    """What a score depends on besides the codes: seed, sample counts, options."""
    values = asdict(counts)
    return {"seed": seed, **{name: values[name] for name in metric.counts}, **dict(metric.options)}
