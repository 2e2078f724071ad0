"""What the one bar says without a terminal, and the words it says it in."""

import io

import numpy as np
import pytest
from rich.console import Console

from factorgrid import progress
from factorgrid.progress import Bar
from factorgrid.training.progress import TrainingProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; tests move it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def said(**options: object) -> tuple[Bar, io.StringIO]:
    out = io.StringIO()
    return Bar("work", 1000, console=Console(file=out, width=40), **options), out  # type: ignore[arg-type]


def test_a_line_every_half_minute(clock: list[float]) -> None:
    bar, out = said(done=200)
    with bar:
        for done in range(250, 650, 50):
            clock[0] += 10
            bar.update(done, note="a [note]")
    assert out.getvalue() == (
        "work: 400 of 1,000 steps, 2 min to go, a [note]\nwork: 600 of 1,000 steps, 80 s to go, a [note]\n"
    )


@pytest.mark.parametrize(
    ("unit", "text"), [("bytes", "500 bytes of 1.0 kB, 10 bytes/s, 50 s to go"), ("%", "50%, 50 s to go")]
)
def test_units(clock: list[float], unit: str, text: str) -> None:
    bar, out = said(unit=unit)
    clock[0] = 50
    with bar:
        bar.update(500)
    assert out.getvalue() == f"work: {text}\n"


def test_quiet_says_only_what_it_is_told_to(clock: list[float]) -> None:
    bar, out = said(quiet=True)
    clock[0] = 50
    with bar:
        bar.update(500)
        bar.say("member 3 diverged")
    assert out.getvalue() == "member 3 diverged\n"


def test_what_tells_nothing_of_speed_is_left_out(clock: list[float]) -> None:
    bar, out = said(done=200)
    with bar:
        clock[0] = 40  # of which most went into compiling the first 10
        bar.skip(10)
        bar.update(210)
        clock[0] = 80
        bar.update(410)
    assert out.getvalue() == "work: 210 of 1,000 steps\nwork: 410 of 1,000 steps, 2 min to go\n"


def test_steps_a_second_do_not_count_the_first_compilation(clock: list[float]) -> None:
    out = io.StringIO()
    bar = TrainingProgress("dvae", 1000, 0, console=Console(file=out, width=40), quiet=False)
    with bar:
        for now, step in ((60, 10), (70, 110), (100, 410)):
            clock[0] = now
            bar.update(step, {"loss": np.array([1.0, 3.0, np.nan])})
    first, second = out.getvalue().splitlines()
    assert first == "dvae: 10 of 1,000 steps, loss 2"
    assert second == "dvae: 410 of 1,000 steps, 59 s to go, 10 steps/s, loss 2"
