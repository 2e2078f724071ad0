"""Models of every kind, a browser, and tiny runs to make pages of; made once a session."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, chromium
from untrained import KINDS, untrained, untrained_run

import factorgrid as fg
from factorgrid import results
from factorgrid.models.trained import TrainedModel


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def model(kind: str) -> TrainedModel:
    return untrained(*KINDS[kind])


@pytest.fixture(scope="session")
def shape(kind: str) -> tuple[int, int, int]:
    return KINDS[kind][1]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explorer")


SMALL = {"image_size": 16}


def write_scores(run: fg.Run, migs: tuple[float, ...]) -> None:
    rows = []
    for i, mig in enumerate(migs):
        rows += results.rows(run.config.identity, f"seed{i}", {"mig": mig}, {"mig": {"higher_is_better": True}})
    results.write(run.path / "scores.parquet", rows)


@pytest.fixture(scope="session")
def dvae(folder: Path) -> fg.Run:
    """Two members on circles; seed1 has the higher MIG."""
    run = untrained_run(folder / "dvae", data="circles", model="dvae", seeds=2, num_categories=12, data_options=SMALL)
    write_scores(run, (0.25, 0.5))
    return run


@pytest.fixture(scope="session")
def vae(folder: Path) -> fg.Run:
    run = untrained_run(folder / "vae", data="circles", model="vae", seeds=3, data_options=SMALL)
    write_scores(run, (0.3, 0.2, 0.1))
    return run


@pytest.fixture(scope="session")
def plain(folder: Path) -> fg.Run:
    """A user's own colour images, without factors."""
    path = folder / "own.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8))
    return untrained_run(folder / "plain", data=str(path), model="dvae", seeds=1, num_categories=5, data_options=SMALL)
