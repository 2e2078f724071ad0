"""What the bar of a whole study says of the time to go, above all after an interruption."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from factorgrid import progress
from factorgrid.study import Study
from factorgrid.study import run as run_module
from factorgrid.study.folder import StudyFolder
from factorgrid.study.progress import StudyProgress
from factorgrid.study.run import run_study
from factorgrid.training import train


class Stop(Exception):
    """Raised in the middle of training."""


def test_what_was_done_before_says_nothing_about_speed(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    folder, out = StudyFolder.create(tmp_path, tiny), io.StringIO()
    first, second = folder.groups
    with StudyProgress(folder, folder.groups, console=Console(file=out, width=200), quiet=False) as bar:
        bar.update(first.name, 0.5, "going on")
        now[0] = 100
        bar.update(first.name, 0.75, "half of the rest")
        assert out.getvalue().startswith(
            f"study {tiny.name}: 38%, 8 min to go, "
        )  # 5 quarters of a group at 100 s each
        bar.finish(first)
        now[0] = 200
        bar.update(second.name, 0.0, "begun")
        assert "50%, 7 min to go" in out.getvalue()  # a group; half a one took 200 s


def test_an_interrupted_group_says_first_where_it_goes_on(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = dataclasses.replace(tiny, metrics=("mig",))
    folder = StudyFolder.create(tmp_path, study)
    group = folder.groups[0]

    def stop(step: int, _: object) -> None:
        if step > 1:
            raise Stop

    with pytest.raises(Stop):
        train(group.config, folder.run_path(group), quiet=True, checkpoint_seconds=0.0, on_step=stop)
    said: list[tuple[float, str]] = []
    monkeypatch.setattr(
        run_module.StudyProgress, "of", lambda self, group: lambda share, what: said.append((share, what))
    )
    run_study(study, tmp_path, only=[group.name], quiet=True)
    assert said[0] == (run_module.TRAINING_SHARE / 4, "step 1 of 4")
    assert said[-1][0] == 1.0
