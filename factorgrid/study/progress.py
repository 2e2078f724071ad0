"""One bar for a whole study: how much is done, what is being done, and when it will be over."""

from collections.abc import Callable, Sequence

from rich.console import Console

from factorgrid.methods import METHODS
from factorgrid.progress import Bar
from factorgrid.study.folder import StudyFolder
from factorgrid.study.planning import PlannedGroup

FACTOR_COST = 1.7  # measured: a step with a discriminator beside one without, on two cores


class StudyProgress:
    """A context manager. Groups weigh as much as the work that they are.

    What was done before, groups and what a group says first, counts as done but not for the time to go.
    """

    def __init__(self, folder: StudyFolder, groups: Sequence[PlannedGroup], *, console: Console, quiet: bool) -> None:
        self._shares = {group.name: float(folder.result_path(group).exists()) for group in groups}
        self._begun = {name for name, share in self._shares.items() if share}
        self._weights = {group.name: work(group) for group in groups}
        title, total = f"study {folder.study.name}", sum(self._weights.values())
        self._bar = Bar(title, total, done=self._done(), unit="%", console=console, quiet=quiet)
        self.say: Callable[[str], None] = (lambda text: None) if quiet else self._bar.say

    def __enter__(self) -> "StudyProgress":
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__()

    def of(self, group: PlannedGroup) -> Callable[[float, str], None]:
        """What a group reports to: (share of its work, what is being done)."""
        return lambda share, what: self.update(group.name, share, what)

    def update(self, name: str, share: float, what: str) -> None:
        if name not in self._begun:
            self._begun.add(name)
            self._bar.skip(self._weights[name] * share)
        self._shares[name] = share
        finished = sum(value == 1.0 for value in self._shares.values())
        self._bar.update(self._done(), note=f"{finished} of {len(self._shares)} groups; {name}: {what}")

    def finish(self, group: PlannedGroup) -> None:
        self.update(group.name, 1.0, "done")

    def _done(self) -> float:
        return sum(self._weights[name] * share for name, share in self._shares.items())


def work(group: PlannedGroup) -> float:
    """How much work a group is, in steps of one D-VAE member."""
    cost = FACTOR_COST if METHODS[group.config.model].objective == "factor_vae" else 1.0
    return group.num_members * group.config.steps * cost
