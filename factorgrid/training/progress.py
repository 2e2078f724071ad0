"""What a person sees while a group trains: rate, time to go and losses, as a bar or, without a terminal, as lines."""

import time
from collections.abc import Mapping

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

PLAIN_SECONDS = 30.0


class TrainingProgress:
    """A context manager; `update` after every few steps."""

    def __init__(self, title: str, num_steps: int, first_step: int, *, console: Console | None, quiet: bool) -> None:
        self._console = console or Console(stderr=True)
        self._num_steps, self._first, self._start = num_steps, first_step, time.monotonic()
        self._title, self._quiet, self._said = title, quiet, self._start
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("to go"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[rate]}{task.fields[terms]}"),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task(title, total=num_steps, completed=first_step, rate="", terms="")

    def __enter__(self) -> "TrainingProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, step: int, terms: Mapping[str, np.ndarray]) -> None:
        """`terms`: each loss term of every member; NaN for frozen members."""
        elapsed = time.monotonic() - self._start
        rate = (step - self._first) / max(elapsed, 1e-9)
        shown = "".join(
            f"  {name} {np.nanmean(values):.4g}" for name, values in terms.items() if np.isfinite(values).any()
        )
        self._bar.update(self._task, completed=step, rate=f"{rate:.4g} steps/s", terms=shown)
        if not self._quiet and not self._console.is_terminal and time.monotonic() - self._said > PLAIN_SECONDS:
            self._said = time.monotonic()
            to_go = (self._num_steps - step) / max(rate, 1e-9)
            self._console.print(
                f"{self._title}: step {step}/{self._num_steps}, {rate:.4g} steps/s, {to_go:.0f} s to go{shown}",
                soft_wrap=True,
            )

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, soft_wrap=True)
