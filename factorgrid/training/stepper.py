"""Taking steps in chunks that suit the device, with images from the device or fed from the host."""

import time
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from factorgrid.datasets import Dataset
from factorgrid.datasets.feeder import Feeder
from factorgrid.datasets.table import HostTable
from factorgrid.errors import Error
from factorgrid.method import Labelled
from factorgrid.training.sharding import SPLIT, WHOLE, member_mesh, place
from factorgrid.training.state import Group, State
from factorgrid.training.step import Fed, advance, rows_of_steps

DISPATCH_SECONDS = 2.0  # how long the device works between two looks of the host
FED_BYTES = 256 * 2**20  # of gathered images that wait for the device


class Stepper:
    """Steps of the whole group, as many at a time as fill about two seconds: the host never looks in between.

    A data set on the device is passed to the program as it is. Rows of a host table are gathered ahead in the
    background; then every chunk has the same number of steps, so that one compiled program serves them all.
    """

    def __init__(
        self, group: Group, dataset: Dataset, labelled: Labelled | None, first_step: int, log_every: int
    ) -> None:
        mesh = member_mesh(len(group.seeds))
        # once, or every call would send them to all devices again
        self._program_group = place(group, mesh, SPLIT)
        self._group, self._dataset, self._labelled = group, place(dataset, mesh, WHOLE), place(labelled, mesh, WHOLE)
        self._first, self._log_every = first_step, log_every
        self._chunk, self._compiled = 1, False
        self._feeder: Feeder | None = None

    def __enter__(self) -> "Stepper":
        if isinstance(self._dataset, HostTable):
            if self._group.method.views != 1:
                raise Error(
                    f"this objective draws several images at a time; '{self._dataset.name}' lies on the host, which "
                    "hands out single ones; load it with resident='device'"
                )
            streams = 1 if self._group.data_seed is not None else len(self._group.seeds)
            bytes_per_step = streams * self._group.batch_size * self._dataset.pixels.array[0].nbytes
            self._chunk = int(np.clip(FED_BYTES // bytes_per_step, 1, self._log_every))
            while self._log_every % self._chunk:  # chunks end where rows of the history do
                self._chunk -= 1
            self._feeder = Feeder(self._dataset.gather, self._rows(self._dataset))
            self._feeder.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._feeder is not None:
            self._feeder.close()

    def advance(self, state: State, step: int) -> tuple[State, int, dict[str, np.ndarray]]:
        """The state some steps on, how many, and each loss term averaged over them; never past a row of the history."""
        num_steps = self._num_steps(step)
        if self._feeder is not None:
            stream: Any = Fed(self._dataset, next(self._feeder))
        else:
            stream = self._dataset
        began = time.monotonic()
        state, terms = advance(state, self._program_group, stream, self._labelled, jnp.asarray(num_steps, jnp.int32))
        means = {name: np.asarray(values) for name, values in terms.items()}
        self._learn(num_steps, time.monotonic() - began)
        return state, num_steps, means

    def _num_steps(self, step: int) -> int:
        """How many are taken from there at a time."""
        return min(self._chunk, self._log_every - step % self._log_every, self._group.num_steps - step)

    def _learn(self, num_steps: int, seconds: float) -> None:
        """How many steps fill the time between two looks. The first call has compiled, so it tells nothing."""
        if self._compiled and self._feeder is None:
            self._chunk = max(1, int(min(4 * self._chunk, DISPATCH_SECONDS * num_steps / max(seconds, 1e-9))))
        self._compiled = True

    def _rows(self, table: HostTable) -> Iterator[np.ndarray]:
        step = self._first
        while step < self._group.num_steps:
            yield np.asarray(rows_of_steps(self._group, jnp.asarray(step, jnp.int32), self._chunk, table))
            step += self._num_steps(step)
