"""The one progress bar of everything that takes long: a bar on a terminal or in a notebook, else lines now and then."""

import html
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from factorgrid.readable import duration, readable_bytes

PLAIN_SECONDS = 30.0
NOTEBOOK_SECONDS = 0.3
SURE_SHARE = 0.005  # of the work must be behind us before a guess of the time to go is worth saying


class Bar:
    """A context manager: a bar on a terminal or in a notebook, else a line every half minute; nothing if `quiet`.

    Args:
        title: what is being done.
        total: all there is to do; None if it is not known yet.
        done: how much of it was done before.
        unit: what is counted: "steps", "bytes", or "%" for a share of `total`.
        speed: whether it says how many units a second that is.
        console: where to; standard error by default.
        quiet: show nothing; `say` still does.
    """

    def __init__(
        self,
        title: str,
        total: int | float | None = None,
        *,
        done: int | float = 0,
        unit: str = "steps",
        speed: bool = False,
        console: Console | None = None,
        quiet: bool = False,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._title, self._unit, self._speed, self._quiet = title, unit, speed, quiet
        self._done, self._total, self._first = done, total, done
        self._began = self._said = time.monotonic()
        text = [TextColumn(f"{{task.{part}}}", markup=False) for part in ("description", "fields[text]")]
        columns = (SpinnerColumn(), text[0], BarColumn(), TimeElapsedColumn(), text[1])
        shown = self._console.is_terminal and not quiet
        self._bar = Progress(*columns, console=self._console, disable=not shown, transient=True)
        self._task = self._bar.add_task(title, total=total, text="")
        self._bar.update(self._task, completed=done)
        self._notebook = NotebookBar(title) if self._console.is_jupyter and not quiet else None

    def __enter__(self) -> "Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        if self._notebook is not None:
            self._notebook.close()

    @property
    def rate(self) -> float:
        """Units a second, on average since the bar was made; 0 where nothing was done that tells of speed."""
        return max(self._done - self._first, 0) / max(time.monotonic() - self._began, 1e-9)

    def update(self, done: int | float, total: int | float | None = None, note: str = "") -> None:
        """So much is done, of so much if that has changed; `note` says more."""
        self._done, self._total = done, self._total if total is None else total
        speed = f"{self.rate:.4g} {self._unit}/s" if self._speed and self.rate else ""
        text = ", ".join(part for part in (self._amount(), self._to_go(), speed, note) if part)
        self._bar.update(self._task, completed=done, total=self._total, text=text)
        if self._notebook is not None:
            self._notebook.update(self._done, self._total, text)
        elif not self._quiet and not self._console.is_terminal and time.monotonic() - self._said > PLAIN_SECONDS:
            self._said = time.monotonic()
            self.say(f"{self._title}: {text}")

    def advance(self, amount: int | float) -> None:
        """So much more is done."""
        self.update(self._done + amount)

    def skip(self, amount: int | float) -> None:
        """So much of what comes next tells nothing about speed: it was done before, or a compilation was part of it.

        If nothing else has been done, the clock begins now.
        """
        if self._done == self._first:
            self._began = time.monotonic()
        self._first += amount

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _amount(self) -> str:
        if self._unit == "%":
            return f"{self._done / (self._total or 1.0):.0%}"
        if self._unit == "bytes":
            whole = f" of {readable_bytes(self._total)}" if self._total else ""
            return f"{readable_bytes(self._done)}{whole}, {readable_bytes(self.rate)}/s"
        whole = f" of {self._total:,.0f}" if self._total else ""
        return f"{self._done:,.0f}{whole} {self._unit}"

    def _to_go(self) -> str:
        if self._total is None or self._done - self._first < SURE_SHARE * self._total:
            return ""
        return f"{duration((self._total - self._done) / max(self.rate, 1e-9))} to go"


class NotebookBar:
    """A bar in the output of a notebook's cell, by IPython's own display: no widget has to be installed."""

    def __init__(self, title: str) -> None:
        from IPython.display import display

        self._title, self._shown = title, 0.0
        self._handle: Any = display(self._html(0, None, ""), display_id=True)

    def update(self, done: int | float, total: int | float | None, text: str) -> None:
        now = time.monotonic()
        if now - self._shown > NOTEBOOK_SECONDS:
            self._shown = now
            self._handle.update(self._html(done, total, text))

    def close(self) -> None:
        """Nothing is left but an empty output."""
        self._handle.update(_Shown(""))

    def _html(self, done: int | float, total: int | float | None, text: str) -> "_Shown":
        known = f'value="{done:g}" max="{total:g}"' if total else ""
        return _Shown(f"<div>{html.escape(self._title)} <progress {known}></progress> {html.escape(text)}</div>")


class _Shown:
    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text
