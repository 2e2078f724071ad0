"""What training leaves behind on its way: rows of loss terms, and checkpoints that are never ahead of them."""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import read_parquet, write_parquet
from factorgrid.training.checkpoint import Checkpoints
from factorgrid.training.state import State
from factorgrid.training.tracking import Tracker

NUM_ROWS = 200  # of the history of a short run; long runs have a row every 1,000 steps


class History:
    """Rows of `history.parquet`: loss terms of every member, averaged since the row before; trackers get them too."""

    def __init__(self, folder: Path, members: Sequence[str], num_steps: int, trackers: Sequence[Tracker] = ()) -> None:
        self._path, self._members, self._trackers = folder / "history.parquet", list(members), trackers
        self._num_steps, self.every = num_steps, min(1000, max(1, num_steps // NUM_ROWS))
        self._rows: list[pd.DataFrame] = []
        self._sums: dict[str, np.ndarray] = {}
        self._count = 0

    def add(self, step: int, num_steps: int, means: dict[str, np.ndarray]) -> None:
        for name, values in means.items():
            self._sums[name] = self._sums.get(name, 0.0) + num_steps * values.astype(np.float64)
        self._count += num_steps
        if step % self.every == 0 or step == self._num_steps:
            self.close_row(step)

    def close_row(self, step: int) -> None:
        """Make a row of the steps since the row before, if there are any."""
        if self._count:
            columns = {name: total / self._count for name, total in self._sums.items()}
            self._rows.append(pd.DataFrame({"member": self._members, "step": step, **columns}))
            self._sums, self._count = {}, 0
            for tracker in self._trackers:
                tracker.log(self._rows[-1])

    @property
    def complete(self) -> bool:
        """Whether every finished step is in a row."""
        return self._count == 0

    def write(self) -> None:
        write_parquet(self._path, pd.concat(self._rows, ignore_index=True))

    def resume(self, step: int) -> None:
        """Keep the rows up to a checkpoint; one that a stop has made too early is opened again."""
        with contextlib.suppress(Error):
            table = read_parquet(self._path)
            table = table[table["step"] <= step]
            early = table["step"] == step if step % self.every else table["step"] < 0
            if early.any():
                before = table["step"][~early].max() if (~early).any() else 0
                self._count = step - int(before)
                terms = table.columns.difference(["member", "step"], sort=False)
                self._sums = {name: self._count * table.loc[early, name].to_numpy(np.float64) for name in terms}
            self._rows = [table[~early]]


class Keeper:
    """Decides when to write a checkpoint: at the end, and every so often where the history has a row."""

    def __init__(self, checkpoints: Checkpoints, history: History, seconds: float) -> None:
        self._checkpoints, self._history, self._seconds = checkpoints, history, seconds
        self._saved, self._took = time.monotonic(), 0.0

    def keep(self, state: State, step: int, *, last: bool) -> None:
        wait = max(self._seconds, 20 * self._took)  # never more than 5 % of the time on saving
        due = self._history.complete and time.monotonic() - self._saved > wait
        if not (due or last):
            return
        began = time.monotonic()
        self._history.close_row(step)
        self._history.write()  # first: a checkpoint is never ahead of its history
        self._checkpoints.save(state)
        self._saved = time.monotonic()
        self._took = self._saved - began
