"""Progress bars on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

Advance = Callable[[int], None]


@contextmanager
def byte_bar(description: str, total: int | None, *, done: int = 0, show: bool = True) -> Iterator[Advance]:
    """A bar of bytes with speed and time left; yields a function to advance it by a number of bytes."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not show)
    with progress:
        task = progress.add_task(description, total=total, completed=done)
        yield lambda size: progress.advance(task, size)
