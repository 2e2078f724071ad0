"""Who is told of a training gets what the history says."""

import struct
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import factorgrid as fg
from factorgrid.training import train
from factorgrid.training.tracking import TRACKERS, tracking

ROWS = pd.DataFrame({"member": ["a", "b"], "step": [7, 7], "loss": [1.5, float("nan")], "kl": [0.5, float("nan")]})


class Recorder:
    def __init__(self) -> None:
        self.rows: list[pd.DataFrame] = []
        self.closed = False

    def log(self, rows: pd.DataFrame) -> None:
        self.rows.append(rows)

    def close(self) -> None:
        self.closed = True


def test_a_tracker_gets_the_rows_of_the_history(tiny_config: fg.Config, tmp_path: Path) -> None:
    recorder = Recorder()
    run = train(tiny_config, tmp_path / "run", quiet=True, track=[recorder])
    pd.testing.assert_frame_equal(pd.concat(recorder.rows, ignore_index=True), run.history)
    assert recorder.closed


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    """(step, name, value) in the event files of a folder; a record is a length, a checksum, the event, a checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in folder.iterdir():
        data, place = path.read_bytes(), 0
        while place < len(data):
            (size,) = struct.unpack_from("<Q", data, place)
            event = Event.FromString(data[place + 12 : place + 12 + size])
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
            place += 16 + size
    return found


def test_tensorboard_files_hold_the_history(tiny_run: fg.Run) -> None:
    pytest.importorskip("tensorboardX", reason="needs the extra: pip install 'factorgrid[tensorboard]'")
    history = tiny_run.history
    with tracking(tiny_run, ["tensorboard"]) as (tracker,):
        for _, rows in history.groupby("step"):
            tracker.log(rows)
    terms = [name for name in history.columns if name not in ("member", "step")]
    for member, rows in history.groupby("member"):
        written = {(step, name): value for step, name, value in scalars(tiny_run.path / "tensorboard" / str(member))}
        assert len(written) == len(rows) * len(terms)
        for row in rows.to_dict("records"):
            for name in terms:
                np.testing.assert_allclose(written[row["step"], name], row[name], rtol=1e-6)


def test_weights_and_biases_gets_a_run_of_all_members(tiny_run: fg.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    one = types.SimpleNamespace(log=lambda *given: calls.append(given), finish=lambda: calls.append("finished"))
    fake = types.ModuleType("wandb")
    fake.init = lambda **given: calls.append(given["config"]["model"]) or one
    monkeypatch.setitem(sys.modules, "wandb", fake)
    with tracking(tiny_run, ["wandb"]) as (tracker,):
        tracker.log(ROWS)
    assert calls == ["dvae", ({"a/loss": 1.5, "a/kl": 0.5}, 7), "finished"]


def test_mlflow_gets_a_run_of_all_members(tiny_run: fg.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    fake = types.ModuleType("mlflow")
    fake.start_run = lambda run_name: calls.append(run_name)
    fake.log_params = lambda given: calls.append(given["steps"])
    fake.log_metrics = lambda metrics, step: calls.append((metrics, step))
    fake.end_run = lambda: calls.append("ended")
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    with tracking(tiny_run, ["mlflow"]) as (tracker,):
        tracker.log(ROWS)
    assert calls == [tiny_run.path.name, "20", ({"a/loss": 1.5, "a/kl": 0.5}, 7), "ended"]


def test_unknown_and_absent_trackers_are_one_line(tiny_run: fg.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(fg.Error, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"),
        tracking(tiny_run, ["tensorbord"]),
    ):
        pass
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with (
        pytest.raises(fg.Error, match=r"needs the package mlflow: pip install 'factorgrid\[mlflow\]'"),
        tracking(tiny_run, ["mlflow"]),
    ):
        pass
    assert list(TRACKERS) == ["tensorboard", "wandb", "mlflow"]


def test_trackers_are_closed_when_training_breaks_off(tiny_run: fg.Run) -> None:
    recorder = Recorder()
    with pytest.raises(ZeroDivisionError), tracking(tiny_run, [recorder]):
        raise ZeroDivisionError
    assert recorder.closed
