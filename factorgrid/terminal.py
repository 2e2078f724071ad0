"""What the commands print besides scores: progress, what is on disk, plans and states of studies."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from factorgrid.datasets.published.download import Status
from factorgrid.pretrained.shipped import Shipped
from factorgrid.progress import Bar
from factorgrid.readable import duration, readable_bytes
from factorgrid.study import Outcome, Study
from factorgrid.study.estimates import GroupEstimate


@contextlib.contextmanager
def counting_progress(title: str, console: Console | None = None) -> Iterator[Callable[[int, int, str], None]]:
    """A bar that is called as (steps done, steps known of, what); lines now and then without a terminal."""
    with Bar(title, console=console) as bar:
        yield bar.update


def print_status(statuses: Sequence[Status], descriptions: Mapping[str, str], console: Console) -> None:
    """One row per data set: what it is, whether it can be loaded, where it lies, how large it is."""
    table = Table("data set", "what it shows", "state", "size", "where", box=None, header_style="bold")
    for status in statuses:
        if status.path is None:
            state, size, where = "ready", "", "drawn when needed"
        elif status.present:
            state, size, where = "ready", readable_bytes(status.num_bytes), str(status.path)
        else:
            state, size = "absent", readable_bytes(status.num_bytes) if status.num_bytes else ""
            where = ""
        table.add_row(status.name, descriptions[status.name], state, size, where)
    console.print(table)
    if not all(status.present for status in statuses):
        console.print("fetch an absent one: factorgrid data download NAME", highlight=False)


def print_studies(studies: Sequence[tuple[Study, int]], console: Console) -> None:
    """One row per study that comes with the library, with its number of models."""
    table = Table("study", "what it is", "models", box=None, header_style="bold")
    for study, num_models in studies:
        table.add_row(study.name, study.title, f"{num_models:,}")
    console.print(table)
    console.print("what one takes: factorgrid study plan NAME; its file: factorgrid study show NAME", highlight=False)


def print_pretrained(models: Sequence[Shipped], console: Console) -> None:
    """One row per trained model that comes with the library."""
    table = Table("name", "method", "data", "steps", "MIG", "weights", box=None, header_style="bold")
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.overflow = "fold"
    for one in models:
        mig = f"{one.scores['mig']:.1%}" if "mig" in one.scores else ""
        table.add_row(one.name, one.model, one.data, f"{one.steps:,}", mig, readable_bytes(one.num_bytes))
    console.print(table)
    console.print('load one: fg.load_pretrained("NAME"); its card: factorgrid models show NAME', highlight=False)


def print_plan(study: Study, estimates: Sequence[GroupEstimate], console: Console) -> None:
    """A row for each data set and method: groups, members, steps, memory of a group, arithmetic, hours."""
    table = Table(
        "data set", "method", "groups", "members", "steps each", "memory", "PFLOP", "hours",
        box=None, header_style="bold", title=escape(f"{study.name}: {study.title}"), title_justify="left",
    )  # fmt: skip
    for column in table.columns[2:]:
        column.justify = "right"
    for column in table.columns[:2]:
        column.no_wrap = True
    cells: dict[tuple[str, str], list[GroupEstimate]] = {}
    for one in estimates:
        labels = f", {one.group.config.labels} labels" if one.group.config.labels else ""
        cells.setdefault((one.group.data, one.group.method + labels), []).append(one)
    for (data, method), ones in cells.items():
        table.add_row(escape(data), escape(method), *_plan_cells(ones))
    table.add_section()
    table.add_row("all", "", *_plan_cells(list(estimates)), style="bold")
    console.print(table)
    if estimates and estimates[0].speed is not None:
        total = duration(3600 * sum(one.hours for one in estimates))
        console.print(
            f"Training takes {total} on this machine, one group after the other; scoring comes on top. Memory is that "
            "of the largest group, with the data set that was measured.",
            style="dim",
        )


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:.3g}"


def _plan_cells(estimates: list[GroupEstimate]) -> list[str]:
    steps = sorted({one.group.config.steps for one in estimates})
    known = all(one.speed is not None for one in estimates)
    return [
        str(len(estimates)),
        f"{sum(one.group.num_members for one in estimates):,}",
        " to ".join(f"{number:,}" for number in dict.fromkeys((steps[0], steps[-1]))),
        readable_bytes(int(max(one.memory for one in estimates))) if known else "-",
        f"{sum(one.flops for one in estimates) / 1e15:,.3g}" if known else "-",
        _hours(sum(one.hours for one in estimates)) if known else "-",
    ]


def print_groups(outcome: Outcome, console: Console) -> None:
    """One row per group: its state, and why it is not done."""
    table = Table(
        "group",
        "members",
        "state",
        "",
        box=None,
        header_style="bold",
        title=escape(outcome.title),
        title_justify="left",
    )
    styles = {"done": "green", "running": "cyan", "failed": "bold red", "waiting": "dim"}
    for group in outcome.groups:
        state = f"[{styles[group.state]}]{group.state}[/]"
        table.add_row(group.name, str(group.members), state, escape(group.reason))
    console.print(table)
    states = [group.state for group in outcome.groups]
    console.print(", ".join(f"{states.count(state)} {state}" for state in styles if state in states), highlight=False)
