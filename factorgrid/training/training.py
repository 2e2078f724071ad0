"""Training a group from its configuration to published weights, resumable at any time."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.datasets import Dataset
from factorgrid.errors import Error, check_whole
from factorgrid.files import working_on
from factorgrid.training.compilation import enable_cache, make_room
from factorgrid.training.labelled import labelled_sets
from factorgrid.training.loop import OnStep, take_all_steps
from factorgrid.training.run import CHECKPOINTS, Run, has_begun
from factorgrid.training.tracking import Tracker, tracking


def train(
    config: Config,
    out: str | Path,
    *,
    dataset: Dataset | None = None,
    checkpoint_seconds: float = 60.0,
    keep_checkpoints: bool = False,
    snapshot_every: int | None = None,
    quiet: bool = False,
    console: Console | None = None,
    on_step: OnStep | None = None,
    track: Sequence[str | Tracker] = (),
) -> Run:
    """Train the group that `config` describes into the folder `out`, or go on with it where it stopped.

    A run that was killed and resumed ends in the same weights as one that was not. SIGINT and SIGTERM write a
    checkpoint first. Two processes cannot train one folder at once.

    Args:
        config: what to train.
        out: the run's folder; a run of another configuration there is an error.
        dataset: instead of loading `config.data`.
        checkpoint_seconds: at least how often the state is kept; a second more is lost when the process is killed.
        keep_checkpoints: keep them when the run has finished; its weights are there without.
        snapshot_every: every so many steps (rounded up to the next row of the history) what members have learned is
            kept as a run of its own, snapshots/STEP: for learning curves of scores. None: nothing is.
        quiet: no progress bar.
        on_step: called now and then with the number of steps taken so far and the loss terms of every member, averaged
            since the last call: {term: [member]}.
        track: names of `TRACKERS`, or trackers of your own: who gets the history while it trains.

    Returns:
        The run, trained.

    Raises:
        Error: see `Config`, `datasets.load`, `Run.create`; another process is training the run; or every member has
            diverged.
    """
    if snapshot_every is not None:
        check_whole(snapshot_every, "snapshot_every", least=1)
    if not checkpoint_seconds >= 0:  # NaN fails too
        raise Error(f"checkpoint_seconds must be at least 0, got {checkpoint_seconds}")
    enable_cache()
    make_room()
    dataset = datasets.load(config.data, **config.data_options) if dataset is None else dataset
    folder = Path(out)
    there, begun = folder.exists(), (folder / "config.json").exists()
    try:
        with working_on(folder, "training"):
            run = Run.create(folder, config, dataset)
            if not run.finished:
                with tracking(run, track) as trackers:
                    _train(
                        run, dataset, checkpoint_seconds=checkpoint_seconds, quiet=quiet, console=console,
                        on_step=on_step, trackers=trackers, snapshot_every=snapshot_every,
                    )  # fmt: skip
            if not keep_checkpoints:
                shutil.rmtree(run.path / CHECKPOINTS, ignore_errors=True)
    except BaseException:
        if not begun and not has_begun(folder):  # or the next try, with other options, would be refused
            for name in ("config.json", "members.parquet"):
                (folder / name).unlink(missing_ok=True)
            if not there:
                shutil.rmtree(folder, ignore_errors=True)
        raise
    return run


def _train(run: Run, dataset: Dataset, **watched: Any) -> None:
    sets = labelled_sets(run.config, dataset)
    names = [member.name for member in run.members]
    title = f"{run.config.model} on {dataset.name}, {len(names)} members"
    run.publish(
        take_all_steps(
            run.group(),
            dataset,
            sets[0] if sets else None,
            run.path,
            names,
            title,
            keep_snapshot=run.keep_snapshot,
            **watched,
        )
    )
