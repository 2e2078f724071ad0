"""Heat maps: the matrix, its names, its file."""

import numpy as np
import pandas as pd
import pytest

import factorgrid as fg
from factorgrid.metrics import QUICK, details
from factorgrid.report.heat_maps import beside, heat_map, legend, run_heat_map

RNG = np.random.default_rng(0)
FACTORS = pd.DataFrame(RNG.integers([4, 5], size=(300, 2)), columns=["shape", "size"])
CODES = pd.DataFrame(np.c_[FACTORS, np.zeros(300)], columns=["a", "b", "dead"])


@pytest.mark.parametrize("metric", ["mig", "sap", "irs", "infomec", "dci_forest", "modularity"])
def test_every_matrix_is_drawn(metric, tmp_path):
    path = heat_map(CODES, FACTORS, metric, tmp_path / "map.png", quick=True, title="three latents")
    assert path.stat().st_size > 5000


def test_names_have_their_numbers_beside_them():
    tables = details(CODES, FACTORS, "mig")
    assert beside(FACTORS.columns, tables["factors"], "\n") == [
        f"{name}\n{value:.2f}" for name, value in tables["factors"]["mig"].items()
    ]
    assert beside(CODES.columns, None, " ") == ["a", "b", "dead"]
    assert legend(tables) == "number beside factors: mig"


def test_what_has_no_matrix_is_an_error(tmp_path):
    with pytest.raises(fg.Error, match="there is no matrix behind 'explicitness'; there is behind: mig, dci"):
        fg.heat_map(CODES, FACTORS, "explicitness", tmp_path / "map.png")
    with pytest.raises(fg.Error, match="no matrix behind 'omes'; there is behind: mig, dci"):
        fg.heat_map(CODES, FACTORS, "OMES", tmp_path / "map.png")


def test_a_run_is_drawn_with_the_names_of_its_factors(tiny_run, tmp_path):
    (path,) = run_heat_map(tiny_run, "MIG", out=tmp_path, counts=QUICK)
    assert path.name == f"heat_map-mig-{tiny_run.best_member('st_gap')}.png"
    assert path.stat().st_size > 5000
