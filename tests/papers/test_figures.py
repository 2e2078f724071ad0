"""Figures of scores: what is shown, or why not."""

from pathlib import Path

import numpy as np
from synthetic import DATA, synthetic

from factorgrid.papers.friede2023 import FIGURES
from factorgrid.papers.friede2023.figures import draw_wins, win_shares
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.values import Absent

OF_MODELS = {"section-3-2", "figure-3", "figure-8", "figure-10", "figure-11"}


def test_wins_of_semi_supervised_methods(tmp_path: Path) -> None:
    cells = Cells(synthetic(data=DATA[:2], seeds=3, labels=(100,)))
    shares = win_shares(cells, 100)
    np.testing.assert_allclose(shares.sum(), 100)
    assert shares["median"].idxmax() == "FactorDVAE (M)"  # by construction
    draw_wins({100: shares}, tmp_path / "w.png")
    assert (tmp_path / "w.png").exists()


def test_figures_of_scores_are_drawn(tmp_path: Path) -> None:
    cells = Cells(synthetic(data=DATA[:2], seeds=4, labels=(100,)))
    for name in FIGURES.keys() - OF_MODELS:
        found = FIGURES[name].make(cells)
        assert isinstance(found, Drawing), name
        assert found.caption
        found.draw(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000, name


def test_figures_that_a_study_has_nothing_for_say_why_not() -> None:
    bare = Cells(synthetic(data=("circles",), methods=("VAE",), supervised=(), labels=(), downstream=False))
    made = {name: entry.make(bare) for name, entry in FIGURES.items() if name not in OF_MODELS}
    assert {name: found.reason for name, found in made.items() if isinstance(found, Absent)} == {
        "figure-4-left": "no D-VAE in this study's plan",
        "figure-4-right": "no D-VAE in this study's plan",
        "figure-5": "the study does not have both VAE and D-VAE",
        "figure-6-left": "no D-VAE in this study's plan",
        "figure-6-right": "the study does not have both FactorVAE and FactorDVAE",
        "figure-7": "no semi-supervised methods in this study's plan",
        "figure-9": "no D-VAE in this study's plan",
        "figure-12-13": "the study does not have both VAE and D-VAE",
    }
