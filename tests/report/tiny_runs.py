"""Tiny trained runs that tests of pictures share as fixtures: dense networks, few steps, made once a session."""

from pathlib import Path

import numpy as np
import pytest

import factorgrid as fg
from factorgrid import results
from factorgrid.datasets.rendered.circles import Circles

SMALL = {"architecture": "mlp", "width": 32, "steps": 8, "quiet": True, "num_latents": 2}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


def write_scores(run: fg.Run, scores: dict[str, dict[str, float]]) -> None:
    """Scores by member, as `evaluate` writes them: known numbers, and no time spent on measuring."""
    rows = []
    for member, values in scores.items():
        known = {key: {"higher_is_better": key == "mig"} for key in values}
        rows += results.rows(run.config.identity, member, values, known)
    results.write(run.path / "scores.parquet", rows)


@pytest.fixture(scope="session")
def dvae(folder: Path) -> fg.Run:
    """Three members; seed1 has the smallest gap, seed2 the highest MIG."""
    run = fg.train(data="circles", model="dvae", seeds=3, out=folder / "dvae", **SMALL)
    mig, gap = (0.2, 0.1, 0.5), (9.0, 3.0, 6.0)
    write_scores(run, {f"seed{i}": {"mig": mig[i], "st_gap_loss": gap[i], "st_gap_elbo": gap[i]} for i in range(3)})
    return run


@pytest.fixture(scope="session")
def vae(folder: Path) -> fg.Run:
    """Three members, the first with the highest MIG."""
    run = fg.train(data="circles", model="vae", seeds=3, out=folder / "vae", **SMALL)
    write_scores(run, {f"seed{i}": {"mig": (0.3, 0.2, 0.1)[i]} for i in range(3)})
    return run


@pytest.fixture(scope="session")
def masked(folder: Path) -> fg.Run:
    """Masked attention with labels, two weights; latents 0 and 1 are tied to x and y, latent 2 is free."""
    options = {**SMALL, "num_latents": 3, "labels": 20, "masked": True, "gamma": [1, 10], "batch_size": 8}
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
