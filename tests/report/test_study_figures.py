"""Figures of a study: what is drawn of samples, correlations and wins, and the files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure
from PIL import Image
from synthetic import DATA, synthetic

from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_figures import Panel, draw_correlations, draw_grid, draw_panels, draw_samples
from factorgrid.report.study_page import distributions

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


def test_many_methods_stand_beside_each_other_in_their_own_colours() -> None:
    axis = Figure().subplots()
    names = [str(place) for place in range(5)]
    draw_samples(axis, {"a": {name: np.array([1.0, 2.0]) for name in names}}, names)
    points = [c for c in axis.collections if isinstance(c, PathCollection)]
    places = [np.asarray(c.get_offsets())[:, 0].mean() for c in points]
    assert places == sorted(places)
    assert -0.6 < places[0] < places[-1] < 0.6
    assert len({tuple(c.get_facecolor()[0]) for c in points}) == 5


def test_the_distributions_of_any_study(tmp_path: Path) -> None:
    found = distributions(Cells(synthetic(data=DATA[:2], seeds=3, labels=(100,))))
    assert isinstance(found, Drawing)
    found.draw(tmp_path / "d.png")
    with Image.open(tmp_path / "d.png") as image:
        assert image.width > 600


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
