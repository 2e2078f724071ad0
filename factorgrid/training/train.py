"""Training a group from its configuration to published weights, resumable at any time."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
from rich.console import Console

from factorgrid import datasets
from factorgrid.datasets import Dataset
from factorgrid.datasets.feeder import Feeder
from factorgrid.datasets.table import HostTable
from factorgrid.errors import Error
from factorgrid.files import write_parquet
from factorgrid.training.checkpoint import Checkpoints
from factorgrid.training.config import Config
from factorgrid.training.group import labelled_sets
from factorgrid.training.progress import TrainingProgress
from factorgrid.training.run_directory import Run
from factorgrid.training.state import Labelled, Recipe, State, initial_state
from factorgrid.training.step import Fed, advance, rows_of_steps

NUM_ROWS = 200  # of the history of a short run; long runs have a row every 1,000 steps
DISPATCH_SECONDS = 2.0  # how long the device works between two looks of the host
FED_BYTES = 256 * 2**20  # of gathered images that wait for the device


def train(
    config: Config,
    out: str | Path,
    *,
    dataset: Dataset | None = None,
    checkpoint_seconds: float = 60.0,
    quiet: bool = False,
    console: Console | None = None,
) -> Run:
    """Train the group that `config` describes into the folder `out`, or go on with it where it stopped.

    A run that was killed and resumed ends in the same weights as one that was not.

    Args:
        config: what to train.
        out: the run's folder; a run of another configuration there is an error.
        dataset: instead of loading `config.data`.
        checkpoint_seconds: at least how often the state is kept; a second more is lost when the process is killed.
        quiet: no progress bar.

    Returns:
        The run, trained.

    Raises:
        Error: see `Config`, `datasets.load`, `Run.create`; or every member has diverged.
    """
    dataset = datasets.load(config.data, **config.data_options) if dataset is None else dataset
    run = Run.create(Path(out), config, dataset)
    if run.finished:
        return run
    labelled = labelled_sets(config, dataset)
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        recipe = run.recipe()
        state = initial_state(recipe)
        history = History(run)
        if checkpoints.latest() is not None:
            state = checkpoints.restore(state)
            history.resume(int(state.step))
        state = _run_steps(
            run, recipe, state, dataset, labelled[0] if labelled else None, checkpoints, history,
            checkpoint_seconds, quiet, console,
        )  # fmt: skip
    if not np.asarray(state.alive).any():
        raise Error(f"every member of {run.path} has diverged; see its history.parquet, and lower the learning rate")
    run.publish(state)
    return run


def _run_steps(
    run: Run,
    recipe: Recipe,
    state: State,
    dataset: Dataset,
    labelled: Labelled | None,
    checkpoints: Checkpoints,
    history: "History",
    checkpoint_seconds: float,
    quiet: bool,
    console: Console | None,
) -> State:
    """All remaining steps. The host looks at the device every two seconds or so, and never in between."""
    config, step = run.config, int(state.step)
    title = f"{config.model} on {config.data}, {len(run.members)} members"
    alive = np.asarray(state.alive)
    saved, save_seconds = time.monotonic(), 0.0
    with (
        TrainingProgress(title, config.steps, step, console=console, quiet=quiet) as progress,
        Source(recipe, dataset, step, config.steps, history.every) as source,
    ):
        while step < config.steps:
            num_steps = source.next_chunk(step)
            began = time.monotonic()
            state, terms = advance(state, recipe, source.images(), labelled, jnp.asarray(num_steps, jnp.int32))
            means = {name: np.asarray(values) for name, values in terms.items()}
            source.timed(num_steps, time.monotonic() - began)
            step += num_steps
            history.add(step, num_steps, means)
            progress.update(step, {name: means[name] for name in means if name != "noise_scale"})
            alive = _report_frozen(run, progress, alive, np.asarray(state.alive), step)
            wait = max(checkpoint_seconds, 20 * save_seconds)  # never more than 5 % of the time on saving
            if (step % history.every == 0 and time.monotonic() - saved > wait) or step == config.steps:
                began = time.monotonic()
                history.write()  # first: a checkpoint is never ahead of its history
                checkpoints.save(state)
                saved = time.monotonic()
                save_seconds = saved - began
    return state


def _report_frozen(run: Run, progress: TrainingProgress, before: np.ndarray, now: np.ndarray, step: int) -> np.ndarray:
    for index in np.flatnonzero(before & ~now):
        progress.say(f"member {run.members[index].name} diverged before step {step}: it is frozen, the rest goes on")
    return now


class Source:
    """Where the images of the next steps come from, and how many steps to take at a time.

    A data set on the device is passed to the program as it is. Rows of a host table are gathered ahead in the
    background; then every chunk has the same number of steps, so that one compiled program serves them all.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, first_step: int, num_steps: int, log_every: int) -> None:
        self._recipe, self._dataset = recipe, dataset
        self._first, self._last, self._log_every = first_step, num_steps, log_every
        self._chunk, self._timed_once = 1, False
        self._images: Dataset | Fed = dataset
        self._feeder: Feeder | None = None

    def __enter__(self) -> "Source":
        if isinstance(self._dataset, HostTable):
            streams = 1 if self._recipe.data_seed is not None else len(self._recipe.seeds)
            bytes_per_step = streams * self._recipe.batch_size * self._dataset.pixels.array[0].nbytes
            self._chunk = int(np.clip(FED_BYTES // bytes_per_step, 1, self._log_every))
            while self._log_every % self._chunk:  # chunks end where rows of the history do
                self._chunk -= 1
            self._feeder = Feeder(self._dataset.gather, self._rows(self._dataset))
            self._feeder.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._feeder is not None:
            self._feeder.close()

    def next_chunk(self, step: int) -> int:
        """How many steps to take now; never past a row of the history. Fetches their images if the host has them."""
        if self._feeder is not None and isinstance(self._dataset, HostTable):
            self._images = Fed(self._dataset, next(self._feeder))
        return min(self._chunk, self._log_every - step % self._log_every, self._last - step)

    def images(self) -> Dataset | Fed:
        return self._images

    def timed(self, num_steps: int, seconds: float) -> None:
        """Learn how many steps fill the time between two looks. The first call has compiled, so it tells nothing."""
        if self._timed_once and self._feeder is None:
            self._chunk = max(1, int(min(4 * self._chunk, DISPATCH_SECONDS * num_steps / max(seconds, 1e-9))))
        self._timed_once = True

    def _rows(self, table: HostTable) -> Iterator[np.ndarray]:
        for step in range(self._first, self._last, self._chunk):
            yield np.asarray(rows_of_steps(self._recipe, jnp.asarray(step, jnp.int32), self._chunk, table))


class History:
    """Rows of `history.parquet`: loss terms of every member, averaged since the row before."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.every = min(1000, max(1, run.config.steps // NUM_ROWS))
        self._rows: list[pd.DataFrame] = []
        self._sums: dict[str, np.ndarray] = {}
        self._count = 0

    def add(self, step: int, num_steps: int, means: dict[str, np.ndarray]) -> None:
        for name, values in means.items():
            self._sums[name] = self._sums.get(name, 0.0) + num_steps * values.astype(np.float64)
        self._count += num_steps
        if step % self.every == 0 or step == self._run.config.steps:
            columns = {name: total / self._count for name, total in self._sums.items()}
            names = [member.name for member in self._run.members]
            self._rows.append(pd.DataFrame({"member": names, "step": step, **columns}))
            self._sums, self._count = {}, 0

    def write(self) -> None:
        write_parquet(self._run.path / "history.parquet", pd.concat(self._rows, ignore_index=True))

    def resume(self, step: int) -> None:
        """Keep the rows up to a checkpoint."""
        with contextlib.suppress(Error):
            table = self._run.history
            self._rows = [table[table["step"] <= step]]
