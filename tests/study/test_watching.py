"""The page that looks on at a study: its groups, their states, and curves of what trains; and when it ends."""

import dataclasses
import re
import time
from pathlib import Path

import pytest

from factorgrid.study import MethodEntry, Study, StudyFolder, run_study
from factorgrid.training import train
from factorgrid.watch import watch


class Stop(Exception):
    pass


def rows(page: Path) -> list[tuple[str, str, str]]:
    """What trains, its steps, its state."""
    return re.findall(r"<tr><td>([^<]*)<td>([^<]*)<td>(?:<progress[^>]*></progress>)?<td>(\w+)</tr>", page.read_text())


def begin(folder: StudyFolder, place: int) -> None:
    """Train a group, and stop it after its first checkpoint."""

    def stop(step: int, _: object) -> None:
        if step > 1:
            raise Stop

    group = folder.groups[place]
    with pytest.raises(Stop):
        train(group.config, folder.run_path(group), quiet=True, checkpoint_seconds=0.0, on_step=stop)


def partly_done(tiny: Study, path: Path) -> StudyFolder:
    """VAE done, D-VAE at work, beta-VAE waiting."""
    study = dataclasses.replace(
        tiny,
        metrics=("st_gap",),
        training={**tiny.training, "width": 8, "depth": 1},
        methods=(*tiny.methods, MethodEntry("beta-VAE", "beta_vae")),
    )
    folder = run_study(study, path, only=["circles-vae"], quiet=True)
    begin(folder, 1)
    folder.mark(folder.groups[1], share=0.4, what="step 2 of 4")
    return folder


def test_a_study_that_is_partly_done(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partly = partly_done(tiny, tmp_path / "study")
    _, running, waiting = partly.groups
    page = watch(partly.path, once=True)
    done, going, later = rows(page)
    step = int(going[1].split()[0])
    assert (done, later) == (("circles-vae", "4 of 4", "done"), ("circles-beta-vae", "", "waiting"))
    assert going == ("circles-d-vae", f"{step} of 4", "running")
    assert 1 <= step < 4
    text = page.read_text()
    assert re.findall(r"<h2>([^<]*)</h2>", text) == ["D-VAE on circles, 4 steps"]
    assert re.findall(r'<img alt="([^"]*)"', text) == ["training curves", "reconstructions", "latent traversals"]
    assert f"Member seed0 after {step} steps" in text
    assert "http-equiv" not in text

    # what changes without a step is seen too; and the one that failed on its way is neither shown nor waited for
    shown = []

    def meanwhile(_: float) -> None:
        assert 'http-equiv="refresh"' in page.read_text()
        shown.append([row[2] for row in rows(page)])
        if len(shown) == 1:
            partly.write_failure(waiting, "out of memory")
        elif len(shown) == 2:
            partly.unmark(running)
            partly.write_failure(running, "no <memory>")
        else:
            raise Stop  # it would look on for ever

    monkeypatch.setattr(time, "sleep", meanwhile)
    assert watch(partly.path) == page
    assert shown == [["done", "running", "waiting"], ["done", "running", "failed"]]
    assert [row[2] for row in rows(page)] == ["done", "failed", "failed"]
    assert re.findall(r"<h2>([^<]*)</h2>", page.read_text()) == ["VAE on circles, 4 steps"]
    assert "<p><b>circles-d-vae</b> failed: no &lt;memory&gt;" in page.read_text()

    # nor does a damaged run hide the other groups
    (partly.run_path(partly.groups[0]) / "config.json").write_text('{"config": {}}')
    names = [row[0] for row in rows(watch(partly.path, once=True))]
    assert names == ["circles-vae", "circles-d-vae", "circles-beta-vae"]
