"""Scoring a run: metrics of its members' codes and selectors of its members, into `scores.parquet`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid import metrics as metric_room
from factorgrid import results
from factorgrid.datasets import Dataset
from factorgrid.datasets.table import HostTable, Table
from factorgrid.encode import encode, encode_labelled
from factorgrid.errors import Error, unknown_name
from factorgrid.metrics import METRICS, PUBLISHED, Counts
from factorgrid.metrics import evaluate as evaluate_metrics
from factorgrid.selectors import SELECTORS, straight_through_gap, supervised_validation, udr
from factorgrid.training import Run
from factorgrid.training.group import labelled_sets

DEFAULT = ("mig", "st_gap")
UDR_IMAGES = 1000
# (steps done, steps known of, what is being done)
Progress = Callable[[int, int, str], None]


def evaluate(
    run: Run | str | Path,
    metrics: str | Iterable[str] = DEFAULT,
    *,
    seed: int = 0,
    counts: Counts = PUBLISHED,
    gap_batches: int = 1000,
    jobs: int | None = None,
    dataset: Dataset | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score every member of a run, add the scores to its `scores.parquet`, and return them.

    Args:
        run: a trained run, or its folder.
        metrics: names of `METRICS` and `SELECTORS`, or "six" (the paper's metrics) or "all". What does not apply
            (a straight-through gap of a Gaussian model, metrics of a data set without factors) is left out of "all",
            and is an error when named alone.
        seed: of every metric's own stream of draws.
        counts: how many samples the metrics draw; the published numbers by default.
        gap_batches: batches of the straight-through gap; 1000 as published.
        jobs: processes for slow metrics; all cores by default.
        dataset: instead of loading the run's own.
        progress: called as (steps done, steps known of, what is being done).

    Returns:
        A row per member: its name, seed, hyperparameters and the asked scores.

    Raises:
        Error: an unknown name, a run that is not trained, or scores that do not apply.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    names, selectors = split_names(metrics)
    dataset = run.dataset() if dataset is None else dataset
    # of a group of names, what does not apply is left out; of names chosen one by one it is an error
    asked = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    chosen = asked != DEFAULT and "all" not in asked
    selectors = [name for name in selectors if _applies(run, name, chosen=chosen)]
    if dataset.space is None and names:
        if chosen:
            raise Error(f"'{names[0]}' needs ground-truth factors, and data set '{run.config.data}' has none")
        names = []
    if not names and not selectors:
        raise Error("no score applies to this run: it has no factors, and is not discrete")
    found = _selector_rows(run, dataset, selectors, gap_batches, progress)
    found += _metric_rows(run, dataset, names, seed, counts, jobs, progress)
    _store(run, found)
    return table(run, pd.DataFrame(results.to_frame(found)))


def split_names(metrics: str | Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of metrics and of selectors, groups expanded.

    Raises:
        Error: a name in neither table.
    """
    asked = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in asked:
        if name not in METRICS and name not in SELECTORS and name not in ("all", "six"):
            raise unknown_name("metric", name, [*METRICS, *SELECTORS, "six", "all"])
    others = [name for name in asked if name not in SELECTORS]
    names = metric_room.metric_names(others) if others else []
    selectors = list(SELECTORS) if "all" in asked else [name for name in asked if name in SELECTORS]
    return names, selectors


def table(run: Run, scores: pd.DataFrame) -> pd.DataFrame:
    """A row per member, in the run's order: name, seed, hyperparameters, and a column for each score."""
    described = pd.DataFrame([{"member": m.name, "seed": m.seed, **m.hyperparameters} for m in run.members])
    spread = results.wide(scores).drop(columns="run")
    return described.merge(spread, on="member", how="left")


def _applies(run: Run, selector: str, *, chosen: bool) -> bool:
    needs = SELECTORS[selector].needs
    fits = {"categories": run.config.discrete, "labels": run.config.labels >= 10, "seeds": len(run.config.seeds) > 1}
    if chosen and not fits[needs]:
        lacking = "two seeds or more" if needs == "seeds" else needs
        raise Error(f"'{selector}' needs {lacking}, which run {run.path} does not have")
    return fits[needs]


def _selector_rows(
    run: Run, dataset: Dataset, selectors: list[str], gap_batches: int, progress: Progress | None
) -> list[results.Result]:
    rows: list[results.Result] = []
    for name in selectors:
        values, settings = _select(run, dataset, name, gap_batches, progress)
        known = {"higher_is_better": SELECTORS[name].higher_is_better, **settings}
        for index, member in enumerate(run.members):
            scores = {key: float(column[index]) for key, column in values.items()}
            rows += results.rows(run.config.identity, member.name, scores, dict.fromkeys(scores, known))
    return rows


def _select(
    run: Run, dataset: Dataset, name: str, gap_batches: int, progress: Progress | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    state, recipe = run.state(), run.recipe()
    if name == "st_gap":

        def report(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total, "straight-through gap")

        gaps = straight_through_gap(state, recipe, dataset, num_batches=gap_batches, progress=report)
        return gaps, {"num_batches": gap_batches}
    if name == "udr":
        return {"udr": _udr(run, dataset)}, {"num_images": UDR_IMAGES}
    sets = labelled_sets(run.config, dataset)
    assert sets is not None
    return supervised_validation(state, recipe, sets[1]), {"num_images": len(sets[1].images)}


def _udr(run: Run, dataset: Dataset) -> list[float]:
    """UDR of every member among the seeds of its own hyperparameters."""
    images, _ = dataset.draw(UDR_IMAGES, seed=0)
    models = [run.model(member.name) for member in run.members]
    codes = [model.encode(images) for model in models]
    kl = [model.kl(images).mean(axis=0) for model in models]
    scores: list[float] = []
    for start in range(0, len(models), len(run.config.seeds)):  # seeds run fastest among the members
        siblings = slice(start, start + len(run.config.seeds))
        scores += udr(codes[siblings], kl[siblings])
    return scores


def _metric_rows(
    run: Run,
    dataset: Dataset,
    names: list[str],
    seed: int,
    counts: Counts,
    jobs: int | None,
    progress: Progress | None,
) -> list[results.Result]:
    if not names:
        return []
    scores = _scores(run, dataset, names, seed, counts, jobs, progress)
    settings = metric_room.metric_settings(names, seed=seed, counts=counts)
    rows: list[results.Result] = []
    for member, values in zip(run.members, scores):
        known = {
            key: {"higher_is_better": metric_room.higher_is_better(key), **settings[metric_room.metric_of(key)]}
            for key in values
        }
        rows += results.rows(run.config.identity, member.name, values, known)
    return rows


def _scores(
    run: Run,
    dataset: Dataset,
    names: list[str],
    seed: int,
    counts: Counts,
    jobs: int | None,
    progress: Progress | None,
) -> list[dict[str, float]]:
    models = [run.model(member.name) for member in run.members]
    if not isinstance(dataset, Table | HostTable) or dataset.layout.index.complete:
        representations = [encode(model, dataset) for model in models]
        return evaluate_metrics(representations, names, seed=seed, counts=counts, jobs=jobs, progress=progress)
    scores = []
    for index, model in enumerate(models):
        codes, factors = encode_labelled(model, dataset, seed=seed, limit=counts.num_train + counts.num_test)
        scores.append(metric_room.score(codes, factors, names, seed, counts=counts, jobs=jobs))
        if progress is not None:
            progress(index + 1, len(models), run.members[index].name)
    return scores


def _store(run: Run, rows: list[results.Result]) -> None:
    path = run.path / "scores.parquet"
    new = results.to_frame(rows)
    results.write(path, results.merge(results.read(path), new) if path.exists() else new)
