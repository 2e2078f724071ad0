"""Which latents a page says are used."""

import numpy as np

from factorgrid.explorer.facts import Facts
from factorgrid.explorer.member_data import _facts_data
from factorgrid.explorer.network import Grid


def test_a_latent_that_never_leaves_its_category_is_idle_whatever_its_kl() -> None:
    """Its posterior is one-hot, so its KL to the uniform prior is the greatest there is."""
    positions = np.tile(np.linspace(-1, 1, 4), (2, 1))
    categories = np.stack([np.full(100, 2), np.arange(100) % 3], axis=1)
    codes = np.take_along_axis(positions.T, categories, axis=0)
    facts = Facts(codes, categories, np.array([np.log(4), 0.9]), np.zeros((2, 1)))
    grid = Grid(positions, np.ones((2, 4), bool), None)
    constant, varied = (_facts_data(facts, grid, latent) for latent in (0, 1))
    assert (constant["idle"], varied["idle"]) == (True, False)
    assert constant["rank"] < varied["rank"]
    assert constant["kl"] > varied["kl"]


def test_a_gaussian_latent_without_kl_is_idle() -> None:
    codes = np.random.default_rng(0).normal(size=(100, 2))
    facts = Facts(codes, None, np.array([0.001, 2.0]), np.zeros((2, 1)))
    assert [_facts_data(facts, None, latent)["idle"] for latent in (0, 1)] == [True, False]
