"""Section 3.2: what histories say of the KL and of how sure posteriors are, and never more than they bear out."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from synthetic import synthetic

import factorgrid as fg
from factorgrid.method import MAX_PROBABILITY
from factorgrid.papers import friede2023
from factorgrid.papers.friede2023 import CLAIMS, FIGURES, claims_of_training
from factorgrid.papers.friede2023.claims_of_training import Course, courses
from factorgrid.report.claims import Finding, Verdict
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.values import Absent
from factorgrid.study.outcomes import Outcome

ROWS = 20


def outcome(runs: dict[str, Path] | None = None, arrays: Path | None = None) -> Outcome:
    found = synthetic(data=("circles",), methods=("D-VAE",), supervised=(), labels=(), seeds=3, downstream=False)
    saved = {} if arrays is None else {"circles-d-vae-0": arrays / "circles-d-vae-0-key"}
    return dataclasses.replace(found, runs=runs or {}, arrays=saved)


def judged(monkeypatch: pytest.MonkeyPatch, *, kl: float, last: float, members: int = 10) -> Finding:
    """The verdict on histories of straight lines: the KL of that slope, the certainty from 0.1 to `last`."""
    line = np.linspace(0, 1, ROWS)
    shift = np.linspace(0, 0.01, members)[:, None]
    terms = {
        "reconstruction": 10 - line + shift,
        "kl": kl * line + shift,
        MAX_PROBABILITY: 0.1 + (last - 0.1) * line + 0 * shift,
    }
    monkeypatch.setattr(claims_of_training, "courses", lambda cells: [Course("circles", "D-VAE", line, terms)])
    found = CLAIMS["one-hot"].judge(Cells(outcome(), resamples=50))
    assert isinstance(found, Finding)
    return found


def test_what_becomes_one_hot_is_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, kl=1, last=0.99)
    assert found.verdict is Verdict.SUPPORTED
    assert [round(test.effect.value, 6) for test in found.tests] == [-1, 1, 1]
    assert [test.p for test in found.tests] == [pytest.approx(2 / 2**10)] * 3
    assert "0.10 at the beginning and of 0.99 at the end" in found.summary


def test_surer_is_not_one_hot(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, kl=1, last=0.6)
    assert found.verdict is Verdict.PARTLY
    assert found.detail == "ever surer, but not one-hot: 0.60 at the end"


def test_a_falling_kl_speaks_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, kl=-1, last=0.99)
    assert found.verdict is Verdict.PARTLY
    assert found.detail == "on 2 of 3 tests, the reverse on 1"


def test_few_models_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, kl=1, last=0.99, members=4)
    assert found.verdict is Verdict.NOT_SEEN
    assert "With so few models" in found.summary


def test_courses_are_the_histories_and_are_kept_beside_the_results(dvae: fg.Run, tmp_path: Path) -> None:
    there = outcome({"circles-d-vae-0": dvae.path}, tmp_path)
    friede2023.save_arrays(there)
    assert [path.name for path in tmp_path.glob("*-course.npz")] == ["circles-d-vae-0-key-course.npz"]
    for cells in (Cells(there), Cells(outcome(arrays=tmp_path))):
        found = courses(cells)
        assert not isinstance(found, Absent)
        (course,) = found
        history = dvae.history
        for name, values in course.terms.items():
            wide = history.pivot(index="member", columns="step", values=name)
            np.testing.assert_allclose(values, wide.to_numpy(), rtol=1e-6)
        assert ((course.terms[MAX_PROBABILITY] > 0) & (course.terms[MAX_PROBABILITY] <= 1)).all()
        drawn = FIGURES["section-3-2"].make(cells)
        assert isinstance(drawn, Drawing)
        drawn.draw(tmp_path / "course.png")
        assert (tmp_path / "course.png").stat().st_size > 10_000


def test_without_models_and_arrays_it_is_not_tested() -> None:
    found = CLAIMS["one-hot"].judge(Cells(outcome()))
    assert isinstance(found, Absent)
    assert "run the report where they are" in found.reason
