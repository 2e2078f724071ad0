"""Tiny trained runs that the tests of pictures share: dense networks, few steps, made once a session."""

from pathlib import Path

import numpy as np
import pytest

import factorgrid as fg
from factorgrid.datasets.rendered.circles import Circles

SMALL = {"architecture": "mlp", "steps": 12, "quiet": True, "num_latents": 2}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def dvae(folder: Path) -> fg.Run:
    """Three members, scored by MIG and the straight-through gap."""
    run = fg.train(data="circles", model="dvae", seeds=3, out=folder / "dvae", **SMALL)
    fg.evaluate(run, ["mig", "st_gap"], gap_batches=2, jobs=1)
    return run


@pytest.fixture(scope="session")
def vae(folder: Path) -> fg.Run:
    """Three members, scored by MIG."""
    run = fg.train(data="circles", model="vae", seeds=3, out=folder / "vae", **SMALL)
    fg.evaluate(run, ["mig"], jobs=1)
    return run


@pytest.fixture(scope="session")
def masked(folder: Path) -> fg.Run:
    """Masked attention with labels, two weights; latents 0 and 1 are tied to x and y, latent 2 is free."""
    options = {**SMALL, "num_latents": 3, "labels": 20, "masked": True, "gamma": [1, 10]}
    return fg.train(data="circles", model="factor_dvae", seeds=1, out=folder / "masked", **options)


@pytest.fixture(scope="session")
def plain(folder: Path) -> fg.Run:
    """A user's own colour images, without factors."""
    path = folder / "own.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8))
    options = {**SMALL, "num_latents": 4, "data_options": {"image_size": 16}}
    return fg.train(data=str(path), model="dvae", seeds=1, out=folder / "plain", **options)


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    drawn, _ = Circles().draw(3, seed=5)
    return drawn
