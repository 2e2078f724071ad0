"""What a report shows of models, and reports of several studies."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from factorgrid.cli import main
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_models import model_figures
from factorgrid.study import Study, outcome, run_study


def test_the_best_and_the_median_model_are_shown_with_and_without_weights(tiny: Study, tmp_path: Path) -> None:
    path = tmp_path / "out"
    run_study(dataclasses.replace(tiny, metrics=("mig",)), path, console=Console(file=io.StringIO()))
    entries = model_figures(Cells(outcome(path)))
    assert [entry.title for entry in entries.values()] == [
        "Best and median model of VAE on circles",
        "Best and median model of D-VAE on circles",
    ]
    for name, entry in entries.items():
        drawn = entry.make(Cells(outcome(path)))
        assert isinstance(drawn, Drawing)
        assert "best of 2 by MIG" in drawn.alt
        drawn.draw(tmp_path / f"{name}.png")
    (path / "groups").rename(tmp_path / "elsewhere")
    again = next(iter(entries.values())).make(Cells(outcome(path)))
    assert isinstance(again, Drawing)  # from what was saved
    again.draw(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "models-1.png").read_bytes()


def test_several_folders_make_one_report(tiny: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = dataclasses.replace(tiny, metrics=("mig",), methods=tiny.methods[:1])
    for name, seeds in {"a": (0, 1), "b": (1, 2)}.items():
        run_study(dataclasses.replace(one, seeds=seeds), tmp_path / name, console=Console(file=io.StringIO()))
    main(["study", "report", str(tmp_path / "a"), str(tmp_path / "b"), "--report", str(tmp_path / "both")])
    assert capsys.readouterr().out.strip() == str(tmp_path / "both" / "report.html")
    summary = (tmp_path / "both" / "summary.csv").read_text().splitlines()
    assert summary[1].startswith("circles,VAE,0,mig,3,0,")
    with pytest.raises(SystemExit):
        main(["study", "report", str(tmp_path / "a"), str(tmp_path / "b"), "--out", "x"])
    assert "leave --out" in capsys.readouterr().err
