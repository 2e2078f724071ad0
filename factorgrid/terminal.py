"""What the commands print besides scores: progress of an evaluation, what is on disk."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from factorgrid.datasets.download import Status

PLAIN_SECONDS = 30.0


@contextlib.contextmanager
def evaluation_progress(console: Console | None = None) -> Iterator[Callable[[int, int, str], None]]:
    """A bar for `evaluate`, called as (steps done, steps known of, what); lines now and then without a terminal."""
    console = console or Console(stderr=True)
    bar = Progress(
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("to go"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    task = bar.add_task("encoding", total=None)
    said = time.monotonic()

    def report(done: int, total: int, what: str) -> None:
        nonlocal said
        bar.update(task, completed=done, total=total, description=what)
        if not console.is_terminal and time.monotonic() - said > PLAIN_SECONDS:
            said = time.monotonic()
            console.print(f"scoring: {done} of {total} steps, {what}", soft_wrap=True)

    with bar:
        yield report


def print_status(statuses: Sequence[Status], descriptions: Mapping[str, str], console: Console) -> None:
    """One row per data set: what it is, whether it can be loaded, where it lies, how large it is."""
    table = Table("data set", "what it shows", "state", "size", "where", box=None, header_style="bold")
    for status in statuses:
        if status.path is None:
            state, size, where = "ready", "", "drawn when needed"
        elif status.present:
            state, size, where = "ready", _readable(status.num_bytes), str(status.path)
        else:
            state, size = "absent", _readable(status.num_bytes) if status.num_bytes else ""
            where = ""
        table.add_row(status.name, descriptions[status.name], state, size, where)
    console.print(table)
    if not all(status.present for status in statuses):
        console.print("fetch an absent one: factorgrid data download NAME", highlight=False)


def _readable(num_bytes: int) -> str:
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
