"""One bar for a whole study: how much is done, what is being done, and when it will be over."""

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from factorgrid.methods import METHODS
from factorgrid.study.folder import StudyFolder
from factorgrid.study.plan import PlannedGroup
from factorgrid.training.progress import PLAIN_SECONDS

FACTOR_COST = 1.7  # measured: a step with a discriminator beside one without, on two cores


class StudyProgress:
    """A context manager. Groups weigh as much as the work that they are; done ones count from the start."""

    def __init__(self, folder: StudyFolder, groups: Sequence[PlannedGroup], *, console: Console, quiet: bool) -> None:
        self._shares = {group.name: float(folder.result_path(group).exists()) for group in groups}
        self._weights = {group.name: work(group) for group in groups}
        self._console, self._quiet = console, quiet
        self._began, self._said, self._first = time.monotonic(), time.monotonic(), self._done()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn(f"study {folder.study.name}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0)
        self._bar.update(self._task, completed=self._first)

    def __enter__(self) -> "StudyProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def of(self, group: PlannedGroup) -> Callable[[float, str], None]:
        """What a group reports to: (share of its work, what is being done)."""
        return lambda share, what: self.update(group.name, share, what)

    def update(self, name: str, share: float, what: str) -> None:
        self._shares[name] = share
        done = self._done()
        finished = sum(value == 1.0 for value in self._shares.values())
        text = f"{finished} of {len(self._shares)} groups, {self._to_go(done)}; {name}: {what}"
        self._bar.update(self._task, completed=done, description=text)
        if not self._quiet and not self._console.is_terminal and time.monotonic() - self._said > PLAIN_SECONDS:
            self._said = time.monotonic()
            self._console.print(f"{done:.0%}, {text}", soft_wrap=True, highlight=False, markup=False)

    def finish(self, group: PlannedGroup) -> None:
        self.update(group.name, 1.0, "done")

    def say(self, text: str) -> None:
        """A line above the bar."""
        if not self._quiet:
            self._bar.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _done(self) -> float:
        return sum(self._weights[name] * share for name, share in self._shares.items()) / sum(self._weights.values())

    def _to_go(self, done: float) -> str:
        gained = done - self._first
        if gained < 0.005:
            return "time to go not known yet"
        return duration((time.monotonic() - self._began) * (1 - done) / gained) + " to go"


def work(group: PlannedGroup) -> float:
    """How much work a group is, in steps of one D-VAE member."""
    cost = FACTOR_COST if METHODS[group.config.model].objective == "factor_vae" else 1.0
    return group.num_members * group.config.steps * cost


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(42.0), duration(600.0), duration(3 * 3600.0), duration(90 * 3600.0)
    ('42 s', '10 min', '3.0 h', '3.8 days')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
