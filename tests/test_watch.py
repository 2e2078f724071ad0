"""The page that looks on: what it says of a run before, while and after it trains, and that it disturbs nothing."""

import re
from pathlib import Path

import numpy as np
import pytest

import factorgrid as fg
from factorgrid.training import train
from factorgrid.watch import model_in_training, watch


def pictures(text: str) -> list[str]:
    return re.findall(r'<img alt="([^"]*)"', text)


class Stop(Exception):
    pass


def test_a_run_before_and_while_it_trains(tiny_config: fg.Config, tmp_path: Path) -> None:
    folder, pages, files = tmp_path / "run", [], []

    def look(step: int, _: object) -> None:
        before = sorted(str(path) for path in folder.rglob("*") if path.name != "watch.html")
        pages.append(watch(folder, once=True).read_text())
        assert sorted(str(path) for path in folder.rglob("*") if path.name != "watch.html") == before
        files.append(before)
        if len(pages) == 2:
            raise Stop

    with pytest.raises(Stop):
        train(tiny_config, folder, quiet=True, checkpoint_seconds=0.0, on_step=look)
    first, second = pages
    assert not pictures(first)
    assert "0 of 20" in first
    assert pictures(second) == ["training curves", "reconstructions", "latent traversals"]
    step = int(re.findall(r"Member seed0 after (\d+) steps", second)[0])
    assert 0 < step <= 20
    model = model_in_training(fg.load_run(folder), "seed1")
    images, _ = fg.load_run(folder).dataset().draw(4, 0)
    codes = model.encode(images)
    train(tiny_config, folder, quiet=True)
    assert not np.array_equal(fg.load_run(folder).model("seed1").encode(images), codes) or step == 20


def test_a_finished_run_does_not_refresh_and_ends(tiny_run: fg.Run, tmp_path: Path) -> None:
    said: list[str] = []
    page = watch(tiny_run.path, out=tmp_path / "page.html", every=0.01, say=said.append)
    text = page.read_text()
    assert "http-equiv" not in text
    assert "20 of 20" in text
    assert pictures(text) == ["training curves", "reconstructions", "latent traversals"]
    assert said == [f"open {page} in a browser"]


def test_neither_a_run_nor_a_study(tmp_path: Path) -> None:
    with pytest.raises(fg.Error, match="holds neither a run nor a study"):
        watch(tmp_path)
