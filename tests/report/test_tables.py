"""The table of scores: values, directions, summaries, and that it fits the terminal."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from factorgrid.metrics import METRICS
from factorgrid.report import print_scores
from factorgrid.report.tables import best_rows, directions, format_score, in_percent, score_tables


def printed(frame: pd.DataFrame, width: int = 100) -> str:
    file = io.StringIO()
    print_scores(frame, Console(file=file, width=width, color_system=None), title="Scores")
    return file.getvalue()


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "member": ["seed0", "seed1", "seed2", "seed3"],
            "seed": [0, 1, 2, 3],
            "gamma": [10.0, 10.0, 20.0, 20.0],
            "mig": [0.123, 0.456, 0.3, 0.2],
            "st_gap_loss": [3.25, 12.0, 5.0, np.nan],
        }
    )


def row(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if name in line)
    return line.replace("│", " ").replace("┃", " ").split()


def test_rows_are_members_in_percent_and_the_best_is_marked(frame: pd.DataFrame) -> None:
    text = printed(frame)
    assert row(text, "seed0") == ["seed0", "0", "10", "12.3", "3.25", "*"]
    assert row(text, "seed1") == ["seed1", "1", "10", "45.6", "*", "12"]
    assert row(text, "seed3") == ["seed3", "3", "20", "20.0", "-"]
    assert "Scores" in text
    assert "st_gap_loss ↓" in text
    assert "mig ↓" not in text


def test_medians_and_quartiles_are_at_the_bottom(frame: pd.DataFrame) -> None:
    text = printed(frame)
    assert row(text, "median") == ["median", "25.0", "5"]
    assert row(text, "25 %") == ["25", "%", "18.1", "4.125"]
    assert row(text, "75 %") == ["75", "%", "33.9", "8.5"]
    assert text.index("seed3") < text.index("median") < text.index("25 %") < text.index("75 %")


def test_wide_frames_become_several_tables_that_fit() -> None:
    keys = [key for metric in METRICS.values() for key in metric.keys]
    frame = pd.DataFrame({"member": ["seed0", "seed1"], "seed": [0, 1], **{key: [0.1, 0.2] for key in keys}})
    assert len(score_tables(frame, width=80)) > 1
    text = printed(frame, width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert text.count("seed0") == len(score_tables(frame, width=80))


def test_one_member_is_not_the_best_of_several(frame: pd.DataFrame) -> None:
    assert "* best; ↓ lower is better" in printed(frame)
    assert "* best" not in printed(frame[:1])


def test_ties_are_all_best_and_a_single_member_is_not_marked() -> None:
    assert best_rows(pd.Series([0.5, 0.5, 0.1]), higher_is_better=True).tolist() == [True, True, False]
    assert best_rows(pd.Series([np.nan, 2.0, 1.0]), higher_is_better=False).tolist() == [False, False, True]
    assert not best_rows(pd.Series([np.nan]), higher_is_better=True).any()
    assert "*" not in printed(pd.DataFrame({"member": ["seed0"], "mig": [0.5]})).splitlines()[5]


def test_directions_and_ranges_come_from_the_tables() -> None:
    known = directions()
    assert known["mig"]
    assert not known["st_gap_elbo"]
    assert not known["validation_loss"]
    assert not known["wasserstein_correlation"]
    assert in_percent("dci.disentanglement")
    assert not in_percent("irs")
    assert not in_percent("st_gap_loss")


def test_numbers() -> None:
    assert format_score(0.41234, percent=True) == "41.2"
    assert format_score(1234.5678, percent=False) == "1235"
    assert format_score(float("nan"), percent=True) == "-"


def test_a_frame_without_scores(frame: pd.DataFrame) -> None:
    assert "seed2" in printed(frame[["member", "seed"]])
