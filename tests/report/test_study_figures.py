"""Figures of a study: what is drawn of samples, correlations and wins, and the files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from PIL import Image
from synthetic import DATA, synthetic

from factorgrid.report.study_cells import Cells
from factorgrid.report.study_figures import Panel, draw_correlations, draw_grid, draw_panels, draw_samples, draw_wins
from factorgrid.report.study_pictures import score_pictures, win_shares

METHODS = ("VAE", "D-VAE")


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        (np.arange(12.0), PolyCollection),
        (np.arange(9.0), PathCollection),
        (np.full(20, 100.0), PathCollection),  # a density of equal values does not exist
        (np.array([3.0]), PathCollection),
    ],
)
def test_few_values_are_points_and_many_are_violins(values: np.ndarray, drawn: type) -> None:
    axis = Figure().subplots()
    draw_samples(axis, {"a": {"VAE": values}}, METHODS)
    points, violins = (
        [c for c in axis.collections if isinstance(c, kind)] for kind in (PathCollection, PolyCollection)
    )
    assert (len(points), len(violins)) == ((1, 0) if drawn is PathCollection else (0, 1))
    for found in points:
        assert sorted(np.asarray(found.get_offsets())[:, 1]) == sorted(values)


def test_the_second_method_stands_right_of_the_first() -> None:
    axis = Figure().subplots()
    draw_samples(axis, {"a": {"VAE": np.array([1.0, 2.0]), "D-VAE": np.array([3.0, 4.0])}}, METHODS)
    left, right = (np.asarray(c.get_offsets())[:, 0].max() for c in axis.collections if isinstance(c, PathCollection))
    assert left < 0 < right


def test_panels_and_grids_are_written_whatever_is_missing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = {"dsprites_twin": {"VAE": rng.uniform(0, 9, 20)}, "circles": {"VAE": np.empty(0), "D-VAE": np.ones(3)}}
    for suffix in ("png", "pdf"):
        assert draw_panels([Panel("MIG", samples)], METHODS, tmp_path / f"a.{suffix}").stat().st_size > 1000
    grid = {("mig", "circles"): samples["circles"], ("sap", "circles"): {}}
    draw_grid(grid, ("mig", "sap"), ("circles", "cars3d"), METHODS, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.width > 400


def test_correlations_that_do_not_exist_are_left_blank(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"data": ["a", "a"], "metric": ["mig", "sap"], "num": [5, 5], "rho": [-0.9, np.nan], "p": [0.01, np.nan]}
    )
    draw_correlations(frame, ("mig", "sap", "modularity"), ("a", "b"), tmp_path / "c.png")
    assert (tmp_path / "c.png").exists()


def test_wins_of_semi_supervised_methods(tmp_path: Path) -> None:
    cells = Cells(synthetic(data=DATA[:2], seeds=3, labels=(100,)))
    shares = win_shares(cells, 100)
    np.testing.assert_allclose(shares.sum(), 100)
    assert shares["median"].idxmax() == "FactorDVAE (M)"  # by construction
    draw_wins({100: shares}, tmp_path / "w.png")
    assert (tmp_path / "w.png").exists()


def test_figures_of_scores_are_drawn_or_say_why_not(tmp_path: Path) -> None:
    full = score_pictures(Cells(synthetic(data=DATA[:2], seeds=4, labels=(100,))), tmp_path / "full", ("png",))
    assert [picture.name for picture in full if picture.path is None] == []
    assert all(picture.path.exists() and picture.caption for picture in full if picture.path is not None)
    bare = synthetic(data=("circles",), methods=("VAE",), supervised=(), labels=(), downstream=False)
    reasons = {picture.name: picture.reason for picture in score_pictures(Cells(bare), tmp_path / "bare", ("png",))}
    assert reasons == {
        "figure-2": "",
        "figure-4-left": "no D-VAE in this study's plan",
        "figure-4-right": "no D-VAE in this study's plan",
        "figure-5": "the study does not have both VAE and D-VAE",
        "figure-6-left": "no D-VAE in this study's plan",
        "figure-6-right": "the study does not have both FactorVAE and FactorDVAE",
        "figure-7": "no semi-supervised methods in this study's plan",
        "figure-9": "no D-VAE in this study's plan",
        "figure-12-13": "the study does not have both VAE and D-VAE",
    }
