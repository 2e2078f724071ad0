"""What a person sees while a group trains: steps a second, time to go, and the mean of each loss term."""

from collections.abc import Mapping

import numpy as np
from rich.console import Console

from factorgrid.progress import Bar


class TrainingProgress:
    """A context manager; `update` after every few steps."""

    def __init__(self, title: str, num_steps: int, first_step: int, *, console: Console | None, quiet: bool) -> None:
        self._bar = Bar(title, num_steps, done=first_step, speed=True, console=console, quiet=quiet)
        self._first: int | None = first_step
        self.say = self._bar.say

    def __enter__(self) -> "TrainingProgress":
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__()

    def update(self, step: int, terms: Mapping[str, np.ndarray]) -> None:
        """`terms`: each loss term of every member; NaN for frozen members."""
        if self._first is not None:  # the first steps were compiled as well
            self._bar.skip(step - self._first)
            self._first = None
        means = [f"{name} {np.nanmean(values):.4g}" for name, values in terms.items() if np.isfinite(values).any()]
        self._bar.update(step, note="  ".join(means))
