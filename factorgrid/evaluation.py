"""Scoring a run: metrics of its members' codes and selectors of its members, into `scores.parquet`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from factorgrid import metrics as metric_room
from factorgrid import results
from factorgrid.datasets import Dataset
from factorgrid.datasets.table import HostTable, Table
from factorgrid.encoding import encode, encode_labelled
from factorgrid.errors import Error, check_whole
from factorgrid.metrics import METRICS, PUBLISHED, QUICK, Counts
from factorgrid.metrics import evaluate as evaluate_metrics
from factorgrid.metrics.lookup import spelled
from factorgrid.selectors import SELECTORS, Members
from factorgrid.training import Run

DEFAULT = ("mig", "st_gap")
QUICK_GAP_BATCHES = 20
KNOWN = (*METRICS, *SELECTORS, "six", "all")
# (steps done, steps known of, what is being done)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Settings:
    """How scores are measured.

    Attributes:
        seed: of every metric's own stream of draws.
        counts: how many samples the metrics draw.
        gap_batches: batches of the straight-through gap.
        jobs: threads, and processes for slow metrics; all cores if None.
    """

    seed: int = 0
    counts: Counts = PUBLISHED
    gap_batches: int = 1000
    jobs: int | None = None

    def __post_init__(self) -> None:
        check_whole(self.seed, "seed")  # before minutes of scoring, not after
        check_whole(self.gap_batches, "gap_batches", least=1)
        if self.jobs is not None:
            check_whole(self.jobs, "jobs", least=1)


def evaluate(
    run: Run | str | Path,
    metrics: str | Iterable[str] = DEFAULT,
    *,
    seed: int = 0,
    counts: Counts = PUBLISHED,
    gap_batches: int = 1000,
    quick: bool = False,
    jobs: int | None = None,
    dataset: Dataset | None = None,
    strict: bool | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score every member of a run, add the scores to its `scores.parquet`, and return them.

    Args:
        run: a trained run, or its folder.
        metrics: names of `METRICS` and `SELECTORS`, or "six" (the paper's metrics) or "all".
        seed: of every metric's own stream of draws.
        counts: how many samples the metrics draw; the published numbers by default.
        gap_batches: batches of the straight-through gap; 1000 as published.
        quick: a first look, whatever the two before say: the counts `QUICK`, and 20 batches of the gap.
        jobs: threads, and processes for slow metrics; all cores by default.
        dataset: instead of loading the run's own.
        strict: whether a name that does not apply (a straight-through gap of a Gaussian model, metrics of a data set
            without factors) is an error, or is left out. By default it is an error unless "all" was asked for.
        progress: called as (steps done, steps known of, what is being done).

    Returns:
        A row per member: its name, seed, hyperparameters and the asked scores.

    Raises:
        Error: an unknown name, a run that is not trained, or scores that do not apply.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    asked = tuple(spelled(metrics, KNOWN))
    strict = (asked != DEFAULT and "all" not in asked) if strict is None else strict
    settings = Settings(seed, QUICK if quick else counts, QUICK_GAP_BATCHES if quick else gap_batches, jobs)
    found = measure(run, asked, settings, dataset=dataset, strict=strict, progress=progress)
    if found.empty:
        raise Error(f"none of the scores {', '.join(asked)} applies to run {run.path}")
    return table(run, found)


def measure(
    run: Run,
    metrics: Iterable[str],
    settings: Settings,
    *,
    dataset: Dataset | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """The scores of this call alone, as a tidy table (`results.COLUMNS`); they are added to `scores.parquet` too.

    A member that has diverged is not what was asked for: its scores are NaN. The table is empty if nothing applies.

    Raises:
        Error: see `evaluate`.
    """
    names, selectors = split_names(metrics)
    dataset = run.dataset() if dataset is None else dataset
    selectors = [name for name in selectors if _applies(run, name, strict=strict)]
    if dataset.space is None and names:
        if strict:
            raise Error(f"'{names[0]}' needs ground-truth factors, and data set '{run.config.data}' has none")
        names = []
    if not names and not selectors:
        return results.to_frame([])
    results.check(run.path / "scores.parquet")  # before hours of scoring, not after
    members = Members(run, dataset)
    found = _selector_rows(members, selectors, settings, progress)
    found += _metric_rows(members, names, settings, progress)
    lost = members.diverged
    found = [replace(row, value=math.nan) if row.member in lost else row for row in found]
    results.add(run.path / "scores.parquet", found)
    return results.to_frame(found)


def split_names(metrics: str | Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of metrics and of selectors, groups expanded; spelled as `metrics.metric_names` allows.

    Raises:
        Error: a name in neither table.
    """
    asked = spelled(metrics, KNOWN)
    others = [name for name in asked if name not in SELECTORS]
    names = metric_room.metric_names(others) if others else []
    selectors = list(SELECTORS) if "all" in asked else [name for name in asked if name in SELECTORS]
    return names, selectors


def directions() -> dict[str, bool]:
    """For every value that a metric or selector yields: whether higher is better."""
    found = {key: metric.higher_is_better for metric in METRICS.values() for key in metric.keys}
    return found | {key: selector.higher_is_better for selector in SELECTORS.values() for key in selector.keys}


def table(run: Run, scores: pd.DataFrame) -> pd.DataFrame:
    """A row per member, in the run's order: name, seed, hyperparameters, and a column for each score."""
    described = pd.DataFrame([{"member": m.name, "seed": m.seed, **m.hyperparameters} for m in run.members])
    spread = results.wide(scores, metric_room.published_settings()).drop(columns="run")
    return described.merge(spread, on="member", how="left")


def _applies(run: Run, selector: str, *, strict: bool) -> bool:
    lacks = SELECTORS[selector].lacks(run)
    if strict and lacks:
        raise Error(f"'{selector}' needs {lacks}, which run {run.path} does not have")
    return not lacks


def _selector_rows(
    members: Members, selectors: list[str], settings: Settings, progress: Progress | None
) -> list[results.Result]:
    run = members.run
    rows: list[results.Result] = []
    for name in selectors:

        def report(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(done, total, name)

        values, measured = SELECTORS[name].score(members, settings.gap_batches, report)
        known = {"higher_is_better": SELECTORS[name].higher_is_better, **measured}
        for index, member in enumerate(run.members):
            scores = {key: float(column[index]) for key, column in values.items()}
            rows += results.rows(run.config.identity, member.name, scores, dict.fromkeys(scores, known))
    return rows


def _metric_rows(
    members: Members, names: list[str], settings: Settings, progress: Progress | None
) -> list[results.Result]:
    if not names:
        return []
    run = members.run
    measured = metric_room.metric_settings(names, seed=settings.seed, counts=settings.counts)
    rows: list[results.Result] = []
    for member, values in zip(run.members, _scores(members, names, settings, progress)):
        known = {
            key: {"higher_is_better": metric_room.higher_is_better(key), **measured[metric_room.metric_of(key)]}
            for key in values
        }
        rows += results.rows(run.config.identity, member.name, values, known)
    return rows


def _scores(
    members: Members, names: list[str], settings: Settings, progress: Progress | None
) -> list[dict[str, float]]:
    dataset, models, seed, counts = members.dataset, members.models, settings.seed, settings.counts
    if not isinstance(dataset, Table | HostTable) or dataset.layout.index.complete:
        representations = [encode(model, dataset) for model in models]
        return evaluate_metrics(representations, names, seed=seed, counts=counts, jobs=settings.jobs, progress=progress)
    scores = []
    for index, model in enumerate(models):
        codes, factors = encode_labelled(model, dataset, seed=seed, limit=counts.num_train + counts.num_test)
        scores.append(metric_room.score(codes, factors, names, seed, counts=counts, jobs=settings.jobs))
        if progress is not None:
            progress(index + 1, len(models), members.run.members[index].name)
    return scores
