"""Scoring a run: metrics of its members' codes and selectors of its members, into `scores.parquet`."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from factorgrid import metrics as metric_room
from factorgrid import results
from factorgrid.datasets import Dataset
from factorgrid.datasets.table import HostTable, Table
from factorgrid.encoding import encode_as, encode_labelled
from factorgrid.errors import Error, check_whole
from factorgrid.latents.abilities import IN_WORDS, Discrete
from factorgrid.metrics import METRICS, PUBLISHED, QUICK, Counts
from factorgrid.metrics import evaluate as evaluate_metrics
from factorgrid.metrics.hard import HARD, Codes, by_codes, hard, options_of, recorded, soft
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
    metrics: str | Iterable[str] | None = None,
    *,
    seed: int = 0,
    counts: Counts = PUBLISHED,
    gap_batches: int = 1000,
    quick: bool = False,
    jobs: int | None = None,
    dataset: Dataset | None = None,
    strict: bool | None = None,
    only_missing: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score every member of a run, add the scores to its `scores.parquet`, a few members at a time, and return them.

    Args:
        run: a trained run, or its folder.
        metrics: names of `METRICS` and `SELECTORS`, or "six" (the paper's metrics) or "all"; a metric's name with
            "_hard" behind it is that metric of hard codes, the positions of the categories of a discrete model. By
            default MIG and the straight-through gap.
        seed: of every metric's own stream of draws.
        counts: how many samples the metrics draw; the published numbers by default.
        gap_batches: batches of the straight-through gap; 1000 as published.
        quick: a first look, whatever the two before say: the counts `QUICK`, and 20 batches of the gap.
        jobs: threads, and processes for slow metrics; all cores by default.
        dataset: instead of loading the run's own.
        strict: whether a name that does not apply (a straight-through gap of a Gaussian model, metrics of a data set
            without factors) is an error, or is left out. By default it is an error if it was asked for by its own name.
        only_missing: scores that `scores.parquet` holds with the same settings are taken from there: that goes on
            where a call was interrupted. Of a run whose images or code have changed meanwhile it is no help.
        progress: called as (steps done, steps known of, what is being done).

    Returns:
        A row per member: its name, seed, hyperparameters and the asked scores.

    Raises:
        Error: an unknown name, a run that is not trained, or scores that do not apply.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    asked = tuple(spelled(DEFAULT if metrics is None else metrics, KNOWN, also=HARD))
    strict = (metrics is not None and "all" not in asked) if strict is None else strict
    settings = Settings(seed, QUICK if quick else counts, QUICK_GAP_BATCHES if quick else gap_batches, jobs)
    found = measure(run, asked, settings, dataset=dataset, strict=strict, only_missing=only_missing, progress=progress)
    if found.empty:
        raise Error(f"none of the scores {', '.join(asked)} applies to run {run.path}; "
                    "any model has: --metrics elbo psnr ssim")  # fmt: skip
    return table(run, found)


def learning_curve(run: Run | str | Path, metrics: str | Iterable[str] | None = None, **options: Any) -> pd.DataFrame:
    """Scores of all that was kept on the way (`snapshot_every` of `train`) and of the run itself.

    Args:
        run, metrics, options: as `evaluate` has them.

    Returns:
        The rows of `evaluate` for each of them, with a first column "step".

    Raises:
        Error: nothing was kept on the way; see `evaluate` for others.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    kept = run.snapshots
    if not kept:
        raise Error(f"{run.path} has no snapshots; train with --snapshot-every N to have some")
    options = {"dataset": run.dataset(), **options}
    tables = {step: evaluate(one, metrics, **options) for step, one in {**kept, run.config.steps: run}.items()}
    return pd.concat(tables, names=["step"]).reset_index(level="step").reset_index(drop=True)


def measure(
    run: Run,
    metrics: Iterable[str],
    settings: Settings,
    *,
    dataset: Dataset | None = None,
    strict: bool = False,
    only_missing: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """The asked scores alone, as a tidy table (`results.COLUMNS`); they are added to `scores.parquet`, a few members at
    a time.

    A member that has diverged is not what was asked for: its scores are NaN. The table is empty if nothing applies.

    Args:
        only_missing: scores that `scores.parquet` holds with these settings are taken from there.

    Raises:
        Error: see `evaluate`.
    """
    names, selectors = split_names(metrics)
    names, selectors = ([name for name in some if _applies(run, name, strict=strict)] for some in (names, selectors))
    path = run.path / "scores.parquet"
    results.check(path)  # before hours of scoring, not after
    known = _known_scores(run, names, selectors, settings) if only_missing else []
    lacking = _lacking(run, names, selectors, known)
    if not any(lacking.values()):  # images, which may be gigabytes, are not needed
        return results.to_frame(known)
    dataset = run.dataset() if dataset is None else dataset
    if dataset.space is None and names:
        if strict:
            raise Error(f"'{names[0]}' needs ground-truth factors, and data set '{run.config.data}' has none")
        names = []
    if not names and not selectors:
        return results.to_frame([])
    again = {key for name in selectors if lacking[name] for key in SELECTORS[name].keys}  # for all members at once
    members, found = Members(run, dataset), [row for row in known if row.metric not in again]
    for rows in itertools.chain(
        _selector_rows(members, [name for name in selectors if lacking[name]], settings, progress),
        _metric_rows(members, {name: lacking[name] for name in names}, settings, progress),
    ):
        lost = members.diverged
        scored = [replace(row, value=math.nan) if row.member in lost else row for row in rows]
        results.add(path, scored)
        found += scored
    return results.to_frame(found)


def _known_scores(run: Run, names: list[str], selectors: list[str], settings: Settings) -> list[results.Result]:
    """What `scores.parquet` holds of the asked scores with these settings.

    Raises:
        Error: the file is damaged.
    """
    owners = _owners(names, selectors)
    wanted = {name: json.dumps(values, sort_keys=True) for name, values in _settings_of(names, settings).items()}

    def asked(row: results.Result) -> bool:
        measured = results.settings(row.provenance)
        if owners[row.metric] in wanted:
            return json.dumps(measured, sort_keys=True) == wanted[owners[row.metric]]
        return bool(measured.get("num_batches", settings.gap_batches) == settings.gap_batches)  # all one can ask for

    path = run.path / "scores.parquet"
    return [
        row
        for row in (results.from_frame(results.read(path)) if path.exists() else [])
        if row.run == run.config.identity and row.metric in owners and asked(row)
    ]


def _lacking(run: Run, names: list[str], selectors: list[str], known: Iterable[results.Result]) -> dict[str, list[int]]:
    """Name of a score -> the places of the members that do not have it."""
    owners = _owners(names, selectors)
    have = {(owners[row.metric], row.member) for row in known}
    members = list(enumerate(run.members))
    return {name: [i for i, member in members if (name, member.name) not in have] for name in (*names, *selectors)}


def _owners(names: list[str], selectors: list[str]) -> dict[str, str]:
    """Result key -> the name of the score that it is of."""
    owners = {key: name for name in selectors for key in SELECTORS[name].keys}
    return owners | {hard(key) if name in HARD else key: name for name in names for key in METRICS[soft(name)].keys}


def split_names(metrics: str | Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of metrics, those of hard codes last, and of selectors; groups expanded, spelled as `metric_names` allows.

    Raises:
        Error: a name in neither table.
    """
    asked = spelled(metrics, KNOWN, also=HARD)
    others = [name for name in asked if name not in SELECTORS and name not in HARD]
    names = metric_room.metric_names(others) if others else []
    names += dict.fromkeys(name for name in asked if name in HARD)
    selectors = list(SELECTORS) if "all" in asked else [name for name in asked if name in SELECTORS]
    return names, selectors


def directions() -> dict[str, bool]:
    """For every value that a metric or selector yields: whether higher is better."""
    found = {key: metric.higher_is_better for metric in METRICS.values() for key in metric.keys}
    found |= {hard(key): higher for key, higher in found.items()}
    return found | {key: selector.higher_is_better for selector in SELECTORS.values() for key in selector.keys}


def table(run: Run, scores: pd.DataFrame) -> pd.DataFrame:
    """A row per member, in the run's order: name, seed, hyperparameters, and a column for each score."""
    described = pd.DataFrame([{"member": m.name, "seed": m.seed, **m.hyperparameters} for m in run.members])
    spread = results.wide(scores, metric_room.published_settings()).drop(columns="run")
    return described.merge(spread, on="member", how="left")


def _applies(run: Run, name: str, *, strict: bool) -> bool:
    lacks = SELECTORS[name].lacks(run) if name in SELECTORS else ""
    if name in HARD and not run.config.method.can(Discrete):
        lacks = IN_WORDS[Discrete]
    if strict and lacks:
        raise Error(f"'{name}' needs {lacks}, which run {run.path} does not have")
    return not lacks


def _selector_rows(
    members: Members, selectors: list[str], settings: Settings, progress: Progress | None
) -> Iterator[list[results.Result]]:
    """All members' rows of one selector after the other."""
    run = members.run
    for name in selectors:

        def report(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(done, total, name)

        values, measured = SELECTORS[name].score(members, settings.gap_batches, report)
        known = {"higher_is_better": SELECTORS[name].higher_is_better, **measured}
        rows: list[results.Result] = []
        for index, member in enumerate(run.members):
            scores = {key: float(column[index]) for key, column in values.items()}
            rows += results.rows(run.config.identity, member.name, scores, dict.fromkeys(scores, known))
        yield rows


def _settings_of(names: Iterable[str], settings: Settings) -> dict[str, dict[str, Any]]:
    """For each metric, what its provenance says when it is measured with these settings."""
    found = {}
    for codes, asked in by_codes(names).items():
        options = options_of(codes, asked)
        measured = metric_room.metric_settings(asked, seed=settings.seed, counts=settings.counts, options=options)
        for name, values in measured.items():
            found[hard(name) if codes == "hard" else name] = {**values, **recorded(codes)}
    return found


def _metric_rows(
    members: Members, lacking: dict[str, list[int]], settings: Settings, progress: Progress | None
) -> Iterator[list[results.Result]]:
    """Rows of a few members after the others: all metrics that these members lack."""
    run, measured = members.run, _settings_of(lacking, settings)
    alike: dict[tuple[str, ...], list[int]] = {}  # metrics -> members that lack exactly these
    for index in range(len(run.members)):
        alike.setdefault(tuple(name for name, places in lacking.items() if index in places), []).append(index)
    at_once = 2 * (settings.jobs or joblib.cpu_count())  # enough for every core to have work until a part's end
    parts = [
        (names, places[start : start + at_once])
        for names, places in alike.items()
        for start in range(0, len(places), at_once)
        if names
    ]
    for number, (names, places) in enumerate(parts):

        def report(done: int, total: int, what: str, number: int = number) -> None:
            if progress is not None:
                progress(number * total + done, len(parts) * total, what)

        rows: list[results.Result] = []
        for codes, scores in _scores(members, places, by_codes(names), settings, report).items():
            for index, values in zip(places, scores, strict=True):
                named = {hard(key) if codes == "hard" else key: value for key, value in values.items()}
                known = {
                    key: {"higher_is_better": metric_room.higher_is_better(key), **measured[metric_room.metric_of(key)]}
                    for key in named
                }
                rows += results.rows(run.config.identity, run.members[index].name, named, known)
        yield rows


def _scores(
    members: Members, places: list[int], wanted: dict[Codes, list[str]], settings: Settings, progress: Progress
) -> dict[Codes, list[dict[str, float]]]:
    """For each kind of codes, the scores of the members at those places; each image is encoded once for all kinds."""
    dataset, kinds = members.dataset, tuple(wanted)
    models, titles = [members.models[i] for i in places], [members.run.members[i].name for i in places]
    found: dict[Codes, list[dict[str, float]]] = {}
    if not isinstance(dataset, Table | HostTable) or dataset.layout.index.complete:
        representations = [encode_as(model, dataset, kinds) for model in models]
        for codes, names in wanted.items():
            found[codes] = evaluate_metrics(
                [each[codes] for each in representations], names, seed=settings.seed, counts=settings.counts,
                options=options_of(codes, names), jobs=settings.jobs, progress=progress, names=titles,
            )  # fmt: skip
        return found
    limit = settings.counts.num_train + settings.counts.num_test
    for done, (model, title) in enumerate(zip(models, titles), start=1):
        each, factors = encode_labelled(model, dataset, kinds, seed=settings.seed, limit=limit)
        for codes, names in wanted.items():
            scores = metric_room.score(
                each[codes], factors, names, settings.seed, counts=settings.counts,
                options=options_of(codes, names), jobs=settings.jobs,
            )  # fmt: skip
            found.setdefault(codes, []).append(scores)
        progress(done, len(models), title)
    return found
