"""`factorgrid study ...` as people type it."""

from pathlib import Path

import pytest

from factorgrid.cli import main
from factorgrid.study import Study, StudyFolder, load_study, merged, outcome, plan
from factorgrid.study.estimates import GroupEstimate, Speed


def fails(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_list_and_show(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["study", "list"])
    assert "paper-unsupervised" in capsys.readouterr().out
    main(["study", "show", "small-circles"])
    copy = tmp_path / "mine.toml"
    copy.write_text(capsys.readouterr().out)
    main(["study", "plan", str(copy), "--no-measure"])
    assert "D-VAE" in capsys.readouterr().out


def test_plan_of_the_whole_paper_counts_its_models(capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", "plan", "paper-unsupervised", "--twins", "--no-measure"])
    out = capsys.readouterr().out
    assert "7,200" in out
    assert "dsprites_twin" in out


def test_speeds_of_a_begun_study_are_kept_in_its_folder(
    tiny: Study, tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(study: Study, **_: object) -> tuple[GroupEstimate, ...]:
        return tuple(GroupEstimate(group, Speed(0.25, 1e9, 1e6, 1e6)) for group in plan(study))

    monkeypatch.setattr("factorgrid.study.estimate", measured)
    out = tmp_path / "out"
    main(["study", "plan", str(tiny_file), "--out", str(out)])
    assert not out.exists()
    folder = StudyFolder.create(out, tiny)
    main(["study", "plan", str(out), "--no-measure"])
    assert outcome(out).speeds == {}
    main(["study", "plan", str(out)])
    assert outcome(out).speeds == {group.name: 0.25 for group in folder.groups}
    assert set(merged([outcome(out), outcome(out)]).speeds) == {
        f"{n}:{one.name}" for n in "12" for one in folder.groups
    }
    capsys.readouterr()
    (out / "speeds.json").write_text('[{"group": 3}]')
    assert "speeds.json is damaged" in fails("study", "status", str(out), capsys=capsys)


def test_run_status_report(tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    main(["study", "run", str(tiny_file), "--out", out, "--quiet", "--only", "circles-vae"])
    assert "1 of 2 groups are done" in capsys.readouterr().out
    main(["study", "status", out])
    assert "1 done, 1 waiting" in capsys.readouterr().out
    main(["study", "run", out, "--quiet"])  # the folder knows its study
    assert "2 of 2 groups are done" in capsys.readouterr().out
    main(["study", "report", out])
    page = Path(capsys.readouterr().out.strip())
    assert page == tmp_path / "out" / "report" / "report.html"
    assert "Tiny" in page.read_text()


def test_the_same_command_goes_on_in_a_folder_called_like_the_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    StudyFolder.create(Path("small-circles"), load_study("small-circles"))
    main(["study", "status", "small-circles", "--out", "small-circles"])
    main(["study", "status", "small-circles"])
    assert capsys.readouterr().out.count("2 waiting") == 2
    error = fails("study", "status", str(tmp_path / "small-circles"), "--out", "x", capsys=capsys)
    assert "leave --out" in error


def test_a_failed_group_is_the_exit_status(tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_file.write_text(
        tiny_file.read_text().replace('architecture = "mlp"', 'architecture = "conv64"')
    )  # 8 x 8 images do not fit
    error = fails("study", "run", str(tiny_file), "--out", str(tmp_path / "out"), "--quiet", capsys=capsys)
    assert "2 groups failed; see: factorgrid study status" in error
    assert "Traceback" not in error
    main(["study", "status", str(tmp_path / "out")])
    assert "2 failed" in capsys.readouterr().out


def test_a_pattern_that_no_group_has_begins_nothing(
    tiny_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = fails("study", "run", str(tiny_file), "--only", "x*", "--out", str(tmp_path / "out"), capsys=capsys)
    assert "no group" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "small-circle"], "did you mean 'small-circles'"),
        (["show", "x"], "unknown study 'x'"),
        (["run", "none.toml"], "none.toml does not exist"),
        (["report", "runs/nope"], "runs/nope is no .toml file, nor the folder of a study that was begun"),
        (["run", "small-circles", "--cpus", "1"], "--cpus and --gpus are for a Ray cluster; add --ray local"),
        (["status", "small-circles", "--out", "nowhere"], "nowhere holds no study"),
        (["report", "small-circles", "--out", "nowhere"], "nowhere holds no study"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    error = fails("study", *arguments, capsys=capsys)
    assert message in error
    assert error.count("\n") == 1
