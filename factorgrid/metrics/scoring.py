"""Scores of one code, or of many members at once, by the names in the table."""

import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike

from factorgrid.errors import Error, check_whole
from factorgrid.metrics.checks import as_codes, as_factors
from factorgrid.metrics.lookup import Options, chosen
from factorgrid.metrics.metric import Metric
from factorgrid.metrics.parallel import Part, one_thread, run_part, run_parts
from factorgrid.metrics.sampling import PUBLISHED, QUICK, Counts, GivenSampler, GridSampler, Sampler, stream
from factorgrid.representation import Representation

Progress = Callable[[int, int, str], None]  # (steps done, steps in all so far known, what was just done)
COSTS = ("instant", "seconds", "minutes")


def score(
    codes: ArrayLike,
    factors: ArrayLike,
    metrics: str | Iterable[str] = "six",
    seed: int = 0,
    *,
    counts: Counts = PUBLISHED,
    quick: bool = False,
    options: Options | None = None,
    jobs: int | None = 1,
) -> dict[str, float]:
    """Scores of any codes with known factors; the grid of factors may be incomplete.

    Metrics that need one sample use the given codes (at most 10,000 of them, chosen at random); those that train
    a classifier split them at random, in the published proportion of 2 to 1 (at most 10,000 and 5,000). The
    BetaVAE and FactorVAE scores draw pairs and groups that agree in a factor from the given codes, with
    replacement. Downstream sizes for which there are not enough codes are left out.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        metrics: names from `METRICS`, "six" (the paper's) or "all".
        seed: decides every draw.
        counts: how many samples to draw at most.
        quick: the counts of a first look, `QUICK`, whatever `counts` says.
        options: for metrics that shall have other options than those of the table: {"sap": {"solver": "sklearn"}}.
        jobs: threads, and processes for the slow metrics; None for all cores.

    Returns:
        Result key -> value. Factors with one value only are dropped, with one warning.

    Raises:
        Error: bad shapes or types, NaN codes, fewer samples than bins, no factor with two values, an unknown
            metric or option, or factors of which no two codes share a value.

    >>> import numpy as np
    >>> grid = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)
    >>> score(grid.astype(float), grid, ("mig", "modularity"))
    {'mig': 1.0, 'modularity': 1.0}
    """
    table = chosen(metrics, options)
    values = as_codes(codes)
    sampler = GivenSampler(values, as_factors(factors, len(values)))
    return scores_of(table, [sampler], seed=seed, counts=QUICK if quick else counts, jobs=jobs)[0]


def evaluate(
    representations: Iterable[Representation],
    metrics: str | Iterable[str] = "six",
    *,
    seed: int = 0,
    counts: Counts = PUBLISHED,
    quick: bool = False,
    options: Options | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    names: Sequence[str] | None = None,
) -> list[dict[str, float]]:
    """Scores of many members. Threads of this process draw the codes, so that encoders and `progress` are called from
    several at once; the slow metrics are computed in other processes.

    All members are scored on the same factor draws. What a score depends on is told by `metric_settings`.

    Args:
        representations: one Representation per member.
        metrics: names from `METRICS`, "six" (the paper's) or "all".
        seed: decides every draw.
        counts: the published sample counts, or others.
        quick: the counts of a first look, `QUICK`, whatever `counts` says.
        options: for metrics that shall have other options than those of the table: {"sap": {"solver": "sklearn"}}.
        jobs: threads, and processes for slow metrics; None for one per core, 1 to stay in this process. Changes no
            number.
        progress: called as (steps done, steps known of, what was done) after every step; the number of steps
            known of grows while codes are drawn.
        names: of the members, as progress and errors name them; by default "member 0", "member 1", ...

    Returns:
        For each member, result key -> value.

    Raises:
        Error: an unknown metric or option, NaN codes (naming the member), jobs below 1.
    """
    table = chosen(metrics, options)
    samplers = [GridSampler(representation) for representation in representations]
    used = QUICK if quick else counts
    return scores_of(table, samplers, seed=seed, counts=used, jobs=jobs, progress=progress, names=names)


def scores_of(
    table: Mapping[str, Metric],
    samplers: Sequence[Sampler],
    *,
    seed: int,
    counts: Counts,
    jobs: int | None,
    progress: Progress | None = None,
    names: Sequence[str] | None = None,
) -> list[dict[str, float]]:
    """Scores of all metrics of the table on every sampler. Threads of this process draw the samples, and compute the
    instant metrics at once; the others are then computed in processes of their own."""
    num_jobs = joblib.cpu_count() if jobs is None else check_whole(jobs, "jobs", least=1)
    names = [f"member {i}" for i in range(len(samplers))] if names is None else names
    work = Work(progress, names, total=len(samplers) * len(table))

    order = [(i, name) for i in range(len(samplers)) for name in table]
    errors: dict[tuple[int, str], Error] = {}

    def draw(i: int, name: str) -> None:
        if errors:  # the others stop, too
            return
        try:
            sample = table[name].draw(samplers[i], stream(seed, name), counts)
            parts = [] if sample is None else table[name].split(sample)
            work.add((i, name), parts, here=table[name].cost == "instant")
        except Error as error:
            errors[i, name] = error

    with one_thread():
        joblib.Parallel(n_jobs=num_jobs, backend="threading")(joblib.delayed(draw)(*owner) for owner in order)
    for i, name in order:
        if (i, name) in errors:
            raise Error(f"{names[i]}, {name}: {errors[i, name]}" if len(samplers) > 1 else f"{name}: {errors[i, name]}")
    if left_out := [name for name in table if not all(work.results[i, name] for i in range(len(samplers)))]:
        warnings.warn(
            f"left out {', '.join(left_out)}: too few codes, or no two that differ in one factor alone", stacklevel=3
        )
    work.run(num_jobs, {name: COSTS.index(metric.cost) for name, metric in table.items()})
    return [
        {
            key: value
            for name in table
            if work.results[i, name]
            for key, value in table[name].finish(work.results[i, name]).items()
        }
        for i in range(len(samplers))
    ]


class Work:
    """Parts of many computations, with their results and how many are done."""

    def __init__(self, progress: Progress | None, names: Sequence[str], total: int) -> None:
        self._names = names
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
            self._progress(self._done, self._total, f"{self._names[owner[0]]}: {owner[1]} {what}")


def num_values(part: Part) -> int:
    """How many values the factor of a part has: the time to fit a classifier grows with it."""
    labels = part[1].get("labels")
    return 0 if labels is None else len(np.unique(labels)) * len(labels)
