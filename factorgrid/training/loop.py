"""All steps of a group, from its first one or its newest checkpoint: with a bar, a history, and checkpoints."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from factorgrid.datasets import Dataset
from factorgrid.errors import Error
from factorgrid.method import Labelled
from factorgrid.training.checkpoint import Checkpoints
from factorgrid.training.history import History, Keeper
from factorgrid.training.progress import TrainingProgress
from factorgrid.training.run import CHECKPOINTS
from factorgrid.training.state import Group, State, initial_state
from factorgrid.training.stepper import Stepper
from factorgrid.training.stopping import stop_requests
from factorgrid.training.tracking import Tracker

# (steps taken so far, {term: [member]})
OnStep = Callable[[int, dict[str, np.ndarray]], None]


def take_all_steps(
    group: Group,
    dataset: Dataset,
    labelled: Labelled | None,
    folder: Path,
    members: Sequence[str],
    title: str,
    *,
    checkpoint_seconds: float,
    quiet: bool,
    console: Console | None,
    on_step: OnStep | None = None,
    trackers: Sequence[Tracker] = (),
    snapshot_every: int | None = None,
    keep_snapshot: Callable[[State, int], None] | None = None,
) -> State:
    """The state after the last step; `history.parquet` and `checkpoints/` of `folder` are written on the way.

    Args:
        group, dataset, labelled: what is trained, and on what.
        folder: where it goes on from, and what it leaves behind.
        members: their names, in the order of the group.
        title: of the bar.
        checkpoint_seconds, quiet, console, on_step, trackers, snapshot_every: see `train`.
        keep_snapshot: called with the state and its step when a snapshot is due.

    Raises:
        Error: a damaged checkpoint, a full disk, or every member has diverged.
    """
    with Checkpoints(folder / CHECKPOINTS) as checkpoints:
        history, state = History(folder, members, group.num_steps, trackers), initial_state(group)
        if checkpoints.latest() is not None:
            state = checkpoints.restore(state)
            history.resume(int(state.step))
        step, alive = int(state.step), np.asarray(state.alive)
        keeper = Keeper(checkpoints, history, checkpoint_seconds)
        with (
            TrainingProgress(title, group.num_steps, step, console=console, quiet=quiet) as progress,
            Stepper(group, dataset, labelled, step, history.every) as stepper,
            stop_requests() as stop,
        ):
            while step < group.num_steps:
                state, num_steps, means = stepper.advance(state, step)
                step += num_steps
                history.add(step, num_steps, means)
                progress.update(step, {name: means[name] for name in means if name != "noise_scale"})
                if on_step is not None:
                    on_step(step, means)
                alive = _report_frozen(members, progress, alive, np.asarray(state.alive), step)
                if keep_snapshot is not None and _due(step, history.every, snapshot_every, group.num_steps):
                    keep_snapshot(state, step)
                keeper.keep(state, step, last=step == group.num_steps or stop.signal is not None)
                stop.obey()
    if not alive.any():
        raise Error(f"every member of {folder} has diverged; see its history.parquet, and lower the learning rate")
    return state


def _due(step: int, every: int, snapshot_every: int | None, num_steps: int) -> bool:
    """Whether this is the first row of the history, one every `every` steps, at or after a multiple of the other."""
    if snapshot_every is None or step % every or step == num_steps:
        return False
    return step // snapshot_every > (step - every) // snapshot_every


def _report_frozen(
    members: Sequence[str], progress: TrainingProgress, before: np.ndarray, now: np.ndarray, step: int
) -> np.ndarray:
    for name in np.asarray(members)[before & ~now]:
        progress.say(f"member {name} diverged before step {step}: it is frozen, the rest goes on")
    return now
