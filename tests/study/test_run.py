"""Doing studies: done once, resumed, failures kept, damage repaired."""

import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import races
from rich.console import Console

from factorgrid import evaluation
from factorgrid.errors import Error
from factorgrid.evaluation import Settings, measure
from factorgrid.report.paper import Drawing
from factorgrid.report.study_cells import Cells
from factorgrid.report.sweeps import learning_curves
from factorgrid.report.values import Absent
from factorgrid.study import MethodEntry, Study, StudyFolder, estimate, outcome, run_study
from factorgrid.study import run as run_module
from factorgrid.study.outcomes import COLUMNS, merged
from factorgrid.terminal import print_groups, print_plan
from factorgrid.training import Config, Run


def console() -> Console:
    return Console(file=io.StringIO(), width=500)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_study_is_run_once(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    run_study(tiny, path, console=console())
    found = outcome(path)
    assert [group.state for group in found.groups] == ["done", "done"]
    assert list(found.table.columns) == list(COLUMNS)
    assert found.table.groupby(["method", "metric"]).size().to_dict() == {
        ("VAE", "mig"): 2,
        ("D-VAE", "mig"): 2,
        ("D-VAE", "st_gap_elbo"): 2,  # not of Gaussian models
        ("D-VAE", "st_gap_loss"): 2,
        ("D-VAE", "st_gap_relative"): 2,
    }
    assert np.isfinite(found.table["value"]).all()
    assert json.loads(found.table["provenance"][0])["num_train"] == 50
    assert found.table["steps"].eq(4).all()
    assert not list((path / "running").iterdir())

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a group that is done was run again")

    monkeypatch.setattr(run_module, "train", never)
    run_study(tiny, path, console=console())


def test_only_some_groups(tiny: Study, tmp_path: Path) -> None:
    run_study(tiny, tmp_path / "out", only=["*-vae"], console=console())
    assert [group.state for group in outcome(tmp_path / "out").groups] == ["done", "done"]  # d-vae matches too
    for asked in (["x"], ["*-vae", "x"]):
        with pytest.raises(Error, match="no group of study 'tiny' matches x; it has: circles-vae, circles-d-vae"):
            run_study(tiny, tmp_path / "out", only=asked, console=console())


def test_other_metrics_are_scored_without_training_again(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    run_study(tiny, path, only=["circles-vae"], console=console())
    weights = path / "groups" / "circles-vae" / "models" / "seed0.safetensors"
    made = weights.stat().st_mtime_ns
    run_study(dataclasses.replace(tiny, metrics=("mig", "modularity")), path, only=["circles-vae"], console=console())
    table = outcome(path).table
    assert set(table["metric"]) == {"mig", "modularity"}
    assert len(table) == 4
    assert weights.stat().st_mtime_ns == made


def test_one_metric_more_costs_that_metric_alone(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, computed = tmp_path / "out", []
    metric_rows, selector_rows = evaluation._metric_rows, evaluation._selector_rows

    def metrics(members: Any, lacking: dict[str, list[int]], *rest: Any) -> Any:
        computed.append((members.run.config.model, {name: places for name, places in lacking.items() if places}))
        return metric_rows(members, lacking, *rest)

    def selectors(members: Any, names: list[str], *rest: Any) -> Any:
        computed.append((members.run.config.model, names))
        return selector_rows(members, names, *rest)

    monkeypatch.setattr(evaluation, "_metric_rows", metrics)
    monkeypatch.setattr(evaluation, "_selector_rows", selectors)
    run_study(tiny, path, console=console())
    before = outcome(path).table
    more = dataclasses.replace(tiny, metrics=(*tiny.metrics, "mig_hard", "psnr"))
    run_study(more, path, console=console())
    assert computed[4:] == [("vae", ["psnr"]), ("vae", {}), ("dvae", ["psnr"]), ("dvae", {"mig_hard": [0, 1]})]
    after = outcome(path).table
    assert set(after["metric"]) == {*before["metric"], "mig_hard", "psnr", "psnr_hard"}
    kept = after[after["metric"].isin(before["metric"])]
    key = ["group", "member", "metric"]
    pd.testing.assert_frame_equal(kept.sort_values(key, ignore_index=True), before.sort_values(key, ignore_index=True))
    # none of other settings is taken for them
    run = Run.open(path / "groups" / "circles-d-vae")
    both = [0, 1]
    for seed, batches, missing in (
        (0, 2, []), (1, 2, [[], {"mig": both, "mig_hard": both}]), (0, 3, [["st_gap"], {}]),
    ):  # fmt: skip
        computed.clear()
        measure(run, more.metrics, Settings(seed, more.counts, batches, 1), only_missing=True)
        assert [what for _, what in computed] == missing
    computed.clear()
    run_study(tiny, path, console=console())
    assert not computed


def test_scoring_that_is_interrupted_goes_on_with_the_next_members(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = dataclasses.replace(tiny, seeds=(0, 1, 2, 3, 4), methods=tiny.methods[:1])
    run_study(study, tmp_path / "whole", console=console())
    monkeypatch.setattr(evaluation.joblib, "cpu_count", lambda: 1)  # two members at a time
    real, asked = evaluation._scores, []

    def interrupted(members: Any, places: list[int], *rest: Any) -> Any:
        asked.append(places)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(members, places, *rest)

    monkeypatch.setattr(evaluation, "_scores", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "stopped", console=console())
    run_study(study, tmp_path / "stopped", console=console())
    assert asked == [[0, 1], [2, 3], [4], [4]]
    one, other = (outcome(tmp_path / name).table.sort_values(["member", "metric"]) for name in ("whole", "stopped"))
    pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))


def test_a_group_that_no_score_applies_to_is_done(tiny: Study, tmp_path: Path) -> None:
    study = dataclasses.replace(tiny, metrics=("st_gap",))
    run_study(study, tmp_path / "out", console=console())
    found = outcome(tmp_path / "out")
    assert [group.state for group in found.groups] == ["done", "done"]
    assert set(found.table["method"]) == {"D-VAE"}


def test_only_this_calls_scores_are_results(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = run_module.measure

    def raced(run: Run, *args: Any, **kwargs: Any) -> pd.DataFrame:
        found = real(run, *args, **kwargs)
        run.scores.assign(value=9.0).to_parquet(run.path / "scores.parquet")  # another study scores the same models
        return found

    monkeypatch.setattr(run_module, "measure", raced)
    run_study(tiny, tmp_path / "out", only=["circles-vae"], console=console())
    assert outcome(tmp_path / "out").table["value"].between(0, 1).all()


def test_a_failing_group_is_tried_twice_and_the_rest_goes_on(tiny: Study, tmp_path: Path) -> None:
    bad = MethodEntry("broken", "dvae", options={"architecture": "conv64"})  # 8 x 8 images do not fit
    study = dataclasses.replace(tiny, methods=(bad, *tiny.methods))
    out = console()
    run_study(study, tmp_path / "out", console=out)
    found = outcome(tmp_path / "out")
    assert [group.state for group in found.groups] == ["failed", "done", "done"]
    assert "at least 16, got 8 x 8" in found.groups[0].reason
    assert said(out).count("circles-broken failed") == 2
    assert "tried once more" in said(out)
    # mended, it is tried again, and its old error forgotten
    mended = dataclasses.replace(study, methods=(MethodEntry("broken", "dvae"), *tiny.methods))
    run_study(mended, tmp_path / "out", console=console())
    assert [group.state for group in outcome(tmp_path / "out").groups] == ["done", "done", "done"]
    # what was trained is not thrown away
    other = dataclasses.replace(mended, training={**mended.training, "learning_rate": 0.5})
    with pytest.raises(Error, match=r"circles-broken was trained with other settings \(learning_rate: 0.0001 -> 0.5\)"):
        run_study(other, tmp_path / "out", console=console())


def test_what_an_error_says_is_not_markup(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("shape [batch] of [/job:0]")

    monkeypatch.setattr(run_module, "train", fail)
    out = console()
    run_study(tiny, tmp_path / "out", console=out)
    assert "circles-d-vae failed: ValueError: shape [batch] of [/job:0]" in said(out)
    shown = console()
    print_groups(dataclasses.replace(outcome(tmp_path / "out"), title="of [/x]"), shown)
    assert "of [/x]" in said(shown)
    print_plan(dataclasses.replace(tiny, title="of [/x]"), estimate(tiny, measure=False), shown)


def test_a_failure_that_passes_is_forgotten(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real, calls = tmp_path / "out", run_module.train, []

    def flaky(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise MemoryError("for a moment")
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "train", flaky)
    out = console()
    run_study(tiny, path, only=["circles-vae"], console=out)
    assert "circles-vae failed: MemoryError: for a moment; it is tried once more" in said(out)
    assert outcome(path).groups[0].state == "done"
    assert StudyFolder(path, tiny).failure(StudyFolder(path, tiny).groups[0]) is None


def test_a_damaged_result_is_named_and_computed_again(tiny: Study, tmp_path: Path) -> None:
    path = tmp_path / "out"
    run_study(tiny, path, only=["circles-vae"], console=console())
    before = outcome(path).table
    (file,) = (path / "results").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert outcome(path).groups[0].state == "failed"
    assert file.name in outcome(path).groups[0].reason
    out = console()
    run_study(tiny, path, only=["circles-vae"], console=out)
    assert file.name in said(out)
    assert "is scored again" in said(out)
    pd.testing.assert_frame_equal(outcome(path).table, before)


def test_a_group_of_another_process_is_left_alone(tiny: Study, tmp_path: Path) -> None:
    path = tmp_path / "out"
    folder = StudyFolder.create(path, tiny)
    group = folder.groups[0]
    folder.mark(group, share=0.5, what="step 2 of 4")  # this very process is alive
    assert outcome(path).groups[0].state == "running"
    assert "50%, step 2 of 4" in outcome(path).groups[0].reason
    out = console()
    run_study(tiny, path, only=[group.name], console=out)
    assert "another process is at it" in said(out)
    assert not folder.result_path(group).exists()
    assert not folder.claim(group)
    old = time.time() - 1000
    os.utime(path / "running" / f"{group.name}.json", (old, old))  # nobody has refreshed it
    assert folder.marked(group) is None
    assert folder.claim(group)
    assert not folder.claim(group)  # only once


def test_of_several_processes_exactly_one_claims_a_group(tmp_path: Path) -> None:
    found = races.race(races.study_folder(tmp_path / "study"), 50)
    assert found == {state: {1: 10} for state in races.STALE}


def test_a_process_that_was_given_up_does_not_take_its_group_back(tiny: Study, tmp_path: Path) -> None:
    folder = StudyFolder.create(tmp_path / "out", tiny)
    group = folder.groups[0]
    assert folder.claim(group)
    mark = tmp_path / "out" / "running" / f"{group.name}.json"
    mark.write_text(json.dumps({"host": "another", "pid": 7}))  # it thought that we had died
    with pytest.raises(Error, match="circles-vae: process 7 on another has taken it over"):
        folder.mark(group, share=0.5)
    folder.unmark(group)
    assert json.loads(mark.read_text())["host"] == "another"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1, "pid": 2}', '{"host": "a", "pid": 2, "share": "x"}'])
def test_a_damaged_mark_is_none(tiny: Study, tmp_path: Path, content: str) -> None:
    folder = StudyFolder.create(tmp_path / "out", tiny)
    mark = tmp_path / "out" / "running" / f"{folder.groups[0].name}.json"
    mark.parent.mkdir()
    mark.write_text(content)
    assert outcome(tmp_path / "out").groups[0].state == "waiting"
    assert folder.claim(folder.groups[0])


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"config": {}}', '{"config": 3, "data": {}}'])
def test_the_damaged_run_of_one_group_stops_no_other(tiny: Study, tmp_path: Path, content: str) -> None:
    path = tmp_path / "out"
    folder = StudyFolder.create(path, tiny)
    config = folder.run_path(folder.groups[0]) / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text(content)
    found = outcome(path)
    assert [group.state for group in found.groups] == ["failed", "waiting"]
    assert str(config) in found.groups[0].reason
    assert StudyFolder.create(path, tiny).groups == folder.groups  # what `study run` begins with
    used = StudyFolder.create(tmp_path / "other", dataclasses.replace(tiny, name="other"), models=path)
    assert used.run_path(used.groups[0]).is_relative_to(tmp_path / "other")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"error": 3}'])
def test_a_damaged_failure_is_a_failure(tiny: Study, tmp_path: Path, content: str) -> None:
    folder = StudyFolder.create(tmp_path / "out", tiny)
    folder.write_failure(folder.groups[0], "no memory")
    assert outcome(tmp_path / "out").groups[0].reason == "no memory"
    (file,) = (tmp_path / "out" / "failed").iterdir()
    file.write_text(content)
    found = outcome(tmp_path / "out").groups[0]
    assert (found.state, str(file) in found.reason) == ("failed", True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"study": 3}', '{"study": {}}', '{"study": {"methods": 3}}'])
def test_a_damaged_study(tiny: Study, tmp_path: Path, content: str) -> None:
    StudyFolder.create(tmp_path / "out", tiny)
    (tmp_path / "out" / "study.json").write_text(content)
    for read in (StudyFolder.open, outcome, lambda path: StudyFolder.create(path, tiny)):
        with pytest.raises(Error, match=r"study\.json .*; delete it and run") as caught:
            read(tmp_path / "out")
        assert "\n" not in str(caught.value)


def test_a_mark_stays_fresh_while_nothing_is_reported(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StudyFolder.create(tmp_path / "out", tiny)
    group = folder.groups[0]
    mark = tmp_path / "out" / "running" / f"{group.name}.json"
    seen = []

    def silent(*_: object, **__: object) -> None:
        os.utime(mark, (0, 0))
        deadline = time.monotonic() + 30
        while mark.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        seen.append(folder.marked(group) is not None)
        raise ValueError("enough")

    monkeypatch.setattr(run_module, "MARK_SECONDS", 0.02)
    monkeypatch.setattr(run_module, "train", silent)
    run_study(tiny, tmp_path / "out", only=["circles-vae"], console=console())
    assert seen == [True, True]
    assert not mark.exists()


def test_a_group_that_another_process_has_done_meanwhile_is_not_done_again(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, trained = run_module.train, []

    def busy(config: Config, *args: Any, **kwargs: Any) -> Run:
        trained.append(config.model)
        if len(trained) == 1:
            run_study(tiny, tmp_path / "out", console=console())  # the other process: leaves this group, does the next
        return real(config, *args, **kwargs)

    monkeypatch.setattr(run_module, "train", busy)
    run_study(tiny, tmp_path / "out", console=console())
    assert trained == ["vae", "dvae"]
    assert [group.state for group in outcome(tmp_path / "out").groups] == ["done", "done"]


def test_models_of_another_study_are_kept_in_mind_and_used_once_they_are_finished(tiny: Study, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    group = StudyFolder.create(first, tiny).groups[0]
    run_study(tiny, first, only=[group.name], console=console())
    again = dataclasses.replace(tiny, name="second")
    StudyFolder.create(second, again, models=first)
    folder = StudyFolder.create(second, again)  # going on does not forget where the models are
    assert folder.run_path(group) == first / "groups" / group.name
    assert StudyFolder.open(second).models == first
    (first / "groups" / group.name / "models" / "seed1.safetensors").unlink()  # still in training
    assert folder.run_path(group) == second / "groups" / group.name


def test_models_of_another_study_are_not_trained_again(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_study(tiny, tmp_path / "first", console=console())
    again = dataclasses.replace(tiny, name="second", metrics=("modularity",), methods=tiny.methods[:1])
    steps = []
    real = run_module.train
    monkeypatch.setattr(
        run_module, "train", lambda *args, **kw: real(*args, **{**kw, "on_step": lambda *seen: steps.append(seen)})
    )
    run_study(again, tmp_path / "second", models=tmp_path / "first", console=console())
    assert not steps
    found = outcome(tmp_path / "second")
    assert set(found.table["metric"]) == {"modularity"}
    assert found.runs["circles-vae"] == tmp_path / "first" / "groups" / "circles-vae"
    assert not (tmp_path / "second" / "groups").exists()
    # other settings are trained here
    other = dataclasses.replace(again, training={**again.training, "steps": 5})
    run_study(other, tmp_path / "third", models=tmp_path / "first", console=console())
    assert steps
    with pytest.raises(Error, match="holds no study"):
        run_study(again, tmp_path / "fourth", models=tmp_path / "nothing", console=console())


def test_another_study_in_the_folder(tiny: Study, tmp_path: Path) -> None:
    StudyFolder.create(tmp_path / "out", tiny)
    with pytest.raises(Error, match="holds the study 'tiny', not 'other'"):
        StudyFolder.create(tmp_path / "out", dataclasses.replace(tiny, name="other"))
    with pytest.raises(Error, match=r"holds no study \(no study.json\)"):
        StudyFolder.open(tmp_path / "nothing")


def test_a_killed_study_goes_on_and_ends_like_one_that_was_not(tiny_file: Path, tmp_path: Path) -> None:
    text = tiny_file.read_text().replace("steps = 4", "steps = 1000")
    tiny_file.write_text(text)
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    code = "from factorgrid.cli import main; main()"
    command = [sys.executable, "-c", code, "study", "run", str(tiny_file), "--only", "circles-vae", "--quiet", "--out"]
    process = subprocess.Popen([*command, str(broken)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (broken / "groups" / "circles-vae" / "config.json").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert outcome(broken).groups[0].state == "waiting"
    assert "interrupted" in outcome(broken).groups[0].reason
    for path in (broken, whole):
        subprocess.run([*command, str(path)], check=True, capture_output=True)
    pd.testing.assert_frame_equal(outcome(broken).table, outcome(whole).table)


def test_a_study_that_scores_on_the_way_has_a_curve_beside_its_table(tiny: Study, tmp_path: Path) -> None:
    study = dataclasses.replace(tiny, snapshot_every=2, training={**tiny.training, "steps": 5})
    folder = run_study(study, tmp_path, console=console())
    found = outcome(tmp_path)
    assert set(found.table["steps"]) == {5}
    assert sorted(set(found.curve["steps"])) == [2, 4]
    for step in (2, 4):  # every model by every score, as at the end
        mine = found.curve[found.curve["steps"] == step].drop(columns=["steps", "value", "provenance"])
        last = found.table.drop(columns=["steps", "value", "provenance"])
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), last.reset_index(drop=True))
    drawn = learning_curves(Cells(found))
    assert isinstance(drawn, Drawing)
    assert "MIG of D-VAE on circles by step: 2: " in drawn.alt
    drawn.draw(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 10_000
    # pooled with another study, both keep theirs
    both = merged([found, outcome(run_study(tiny, tmp_path / "plain", console=console()).path)])
    assert len(both.curve) == len(found.curve)
    # a study without has none, and is another one
    plain = StudyFolder(tmp_path, dataclasses.replace(study, snapshot_every=None))
    assert plain.result_path(plain.groups[0]) != folder.result_path(folder.groups[0])
    assert isinstance(learning_curves(Cells(dataclasses.replace(found, curve=found.curve[:0]))), Absent)
