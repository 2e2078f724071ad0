"""Both solvers of the linear classifiers give the same scores, and which one did is recorded."""

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import Counts, beta_vae_score, downstream, explicitness, metric_settings, sap, score
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b", "c"), (2, 4, 5))
COUNTS = Counts(num_train=400, num_test=200, batch_size=8, downstream_sizes=(300,))
# difference of the scores: what a tolerance leaves, and single test points next to a boundary
WITH_SOLVER = {"beta_vae_score": 0.01, "sap": 0.005, "explicitness": 1e-3, "downstream_lr": 0.01}


def sample(num):
    factors = SPACE.sample(np.random.default_rng(0), num)
    return factors + 0.7 * np.random.default_rng(1).normal(size=factors.shape), factors


@pytest.mark.parametrize("name", WITH_SOLVER)
def test_scikit_learn_agrees(name):
    codes, factors = sample(900)
    ours = score(codes, factors, name, counts=COUNTS)
    options = {name: {"solver": "sklearn"}}
    theirs = score(codes, factors, name, counts=COUNTS, options=options)
    assert theirs == pytest.approx(ours, abs=WITH_SOLVER[name])
    assert theirs != ours or name in ("sap", "beta_vae_score", "downstream_lr")  # shares of samples can be equal
    assert metric_settings(name)[name]["solver"] == "own"
    assert metric_settings(name, options=options)[name]["solver"] == "sklearn"


def test_unknown_solver():
    codes, factors = sample(60)
    split = (codes, factors, codes, factors)
    representation = Representation.from_table(np.zeros((40, 2)), SPACE)
    for call in (
        lambda: sap(*split, solver="sklern"),
        lambda: explicitness(*split, solver="sklern"),
        lambda: downstream(*split, solver="sklern"),
        lambda: beta_vae_score(representation, rng=np.random.default_rng(0), num_train=20, solver="sklern"),
    ):
        with pytest.raises(Error, match="unknown solver 'sklern'; did you mean 'sklearn'"):
            call()
