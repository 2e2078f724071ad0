"""Runs from the outside: resumed after a kill, refused when they differ, readable without their data set."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import factorgrid as fg
from factorgrid.datasets.table import HostTable
from factorgrid.files import read_arrays, read_parquet, working_on, write_arrays
from factorgrid.training import Config, Run, train
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.step import rows_of_steps
from factorgrid.training.stepper import Stepper
from factorgrid.watch import model_in_training

SCRIPT = """
import sys
import factorgrid as fg
fg.train(data="circles", model="beta_dvae", seeds=2, beta=[1, 2], steps=400, architecture="mlp", width=32,
         num_latents=2, num_categories=8, learning_rate=1e-3, data_options={"image_size": 32}, out=sys.argv[1],
         quiet=True, checkpoint_seconds=float(sys.argv[2]))
"""


def start(out: Path, checkpoint_seconds: float = 60) -> subprocess.Popen:
    command = [sys.executable, "-c", SCRIPT, str(out), str(checkpoint_seconds)]
    return subprocess.Popen(command, env={**os.environ, "JAX_PLATFORMS": "cpu"})


def weights(run: Run) -> list[np.ndarray]:
    import jax

    state = run.state()
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state.params)]


def test_a_run_killed_in_the_middle_and_started_again_equals_one_that_was_not(tmp_path):
    whole = start(tmp_path / "whole")
    process = start(tmp_path / "killed", checkpoint_seconds=0.05)
    checkpoints = tmp_path / "killed" / "checkpoints"
    deadline = time.monotonic() + 120
    while not any(path.name.isdigit() for path in checkpoints.glob("*")):
        assert process.poll() is None, "finished before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not Run.open(tmp_path / "killed").finished
    assert start(tmp_path / "killed").wait() == 0
    assert whole.wait() == 0

    whole, killed = Run.open(tmp_path / "whole"), Run.open(tmp_path / "killed")
    for a, b in zip(weights(whole), weights(killed), strict=True):
        np.testing.assert_array_equal(a, b)
    first, second = (r.history.sort_values(["step", "member"], ignore_index=True) for r in (whole, killed))
    pd.testing.assert_frame_equal(first, second, rtol=1e-4)


def test_a_finished_run_is_not_trained_again(tiny_run, tiny_config):
    before = {path: path.stat().st_mtime_ns for path in tiny_run.path.rglob("*.safetensors")}
    assert before
    train(tiny_config, tiny_run.path, quiet=True)
    assert before == {path: path.stat().st_mtime_ns for path in tiny_run.path.rglob("*.safetensors")}


def test_another_configuration_in_the_same_folder_is_refused_by_key(tiny_run, tiny_config):
    with pytest.raises(fg.Error, match=r"steps: 20 -> 30"):
        train(dataclasses.replace(tiny_config, steps=30), tiny_run.path, quiet=True)


def test_history_has_a_row_for_every_member_and_logged_step(tiny_run):
    history = tiny_run.history
    assert sorted(history["member"].unique()) == ["seed0", "seed1"]
    assert history["step"].max() == 20
    assert {"loss", "reconstruction", "kl", "noise_scale"} <= set(history.columns)
    np.testing.assert_allclose(history["loss"], history["reconstruction"] + history["kl"], rtol=1e-5)


def test_config_json_says_everything(tiny_run, tiny_config):
    described = json.loads((tiny_run.path / "config.json").read_text())
    assert Config.from_json(described["config"]) == tiny_config
    assert described["identity"] == tiny_config.identity
    assert described["data"]["factors"] == [["x", 20], ["y", 20]]
    assert described["versions"]["jax"]
    assert described["hardware"]["cores"] >= 1


def test_a_reopened_run_has_the_masks_it_was_trained_with(tmp_path):
    """Sizes must come back in the order of the factors, which is not that of the alphabet."""
    run = fg.train(
        data="dsprites_twin", model="dvae", steps=1, architecture="mlp", labels=10, masked=True,
        out=tmp_path / "run", quiet=True,
    )  # fmt: skip
    reopened = Run.open(run.path)
    assert reopened.shapes == run.shapes
    assert reopened.group().method.latent == run.group().method.latent
    assert [len(active) for active in reopened.group().method.latent.active[:5]] == [3, 6, 40, 32, 32]
    assert np.isfinite(fg.evaluate(run.path, ["validation"])["validation_loss"]).all()


def test_a_trained_model_is_usable_in_three_lines(tiny_run):
    model = fg.load_run(tiny_run.path).best("st_gap")
    images = tiny_run.dataset().draw(7, seed=0)[0]
    codes, categories = model.encode(images), model.categorize(images)
    assert codes.shape == (7, 2)
    assert np.abs(codes).max() <= 1
    assert categories.dtype == np.int32
    assert categories.min() >= 0
    assert categories.max() < 8
    decoded = model.decode(categories)
    assert decoded.shape == (7, 32, 32, 1)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    np.testing.assert_allclose(decoded, model.decode(np.linspace(-1, 1, 8, dtype=np.float32)[categories]), atol=1e-6)
    as_bytes = (images * 255).astype(np.uint8)
    np.testing.assert_allclose(model.encode(as_bytes), codes, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.encode(np.zeros((32, 32, 1))), r"\[n, 32, 32, 1\]"),
        (lambda m: m.decode(np.zeros((3, 5))), r"shape \[n, 2\]"),
        (lambda m: m.decode(np.full((1, 2), 8)), r"within 0..7"),
    ],
)
def test_wrong_arrays_are_named(tiny_run, call, message):
    with pytest.raises(fg.Error, match=message):
        call(tiny_run.model(0))


def test_damaged_files_are_named(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=2, seeds=(0,))
    run = train(config, tmp_path / "run", quiet=True)
    run.weights("seed0").write_bytes(b"not weights")
    with pytest.raises(fg.Error, match=r"seed0.safetensors is not a readable safetensors file"):
        run.model(0)
    (run.path / "history.parquet").write_bytes(b"not a table")
    with pytest.raises(fg.Error, match=r"history.parquet is not a readable Parquet file"):
        read_parquet(run.path / "history.parquet")
    (run.path / "config.json").write_text("{")
    with pytest.raises(fg.Error, match=r"config.json is not a JSON file"):
        Run.open(run.path)
    with pytest.raises(fg.Error, match=r"holds no run"):
        Run.open(tmp_path / "elsewhere")
    with pytest.raises(fg.Error, match=r"has no member 'seed9'"):
        Run(run.path, config, run.shapes).model("seed9")


def test_a_damaged_checkpoint_is_named(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=4, seeds=(0,))
    run = train(config, tmp_path / "run", quiet=True, keep_checkpoints=True)
    run.weights("seed0").unlink()
    for path in (run.path / "checkpoints" / "4").rglob("*"):
        if path.is_file() and path.parent.name == "d":
            path.write_bytes(b"damaged")
    with pytest.raises(fg.Error, match=r"checkpoints/4 cannot be read"):
        train(config, run.path, quiet=True)


def test_all_members_diverged_is_an_error(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=2, model="dvae", learning_rate=1e12)
    with pytest.raises(fg.Error, match=r"every member of .* has diverged"):
        train(config, tmp_path / "run", quiet=True)


def write_images(folder: Path) -> Path:
    """40 small images without factors, as a user would have them."""
    images = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 1), dtype=np.uint8)
    np.savez(folder / "mine.npz", images=images)
    return folder / "mine.npz"


def test_images_without_factors_train_and_have_a_gap_but_no_mig(tmp_path):
    run = fg.train(
        data=str(write_images(tmp_path)), model="dvae", steps=3, architecture="mlp", out=tmp_path / "run", quiet=True
    )
    scores = fg.evaluate(run, gap_batches=2)
    assert "mig" not in scores
    assert np.isfinite(scores["st_gap_elbo"]).all()
    with pytest.raises(fg.Error, match="needs ground-truth factors"):
        fg.evaluate(run, ["mig"])


def test_a_table_on_the_host_trains_exactly_like_one_on_the_device(tmp_path):
    path = str(write_images(tmp_path))
    runs = [
        fg.train(
            data=path, model="vae", steps=7, architecture="mlp", out=tmp_path / place, quiet=True, data_options=options
        )
        for place, options in (("device", {"resident": "device"}), ("host", {"resident": "host"}))
    ]
    assert isinstance(runs[1].dataset(), HostTable)
    for a, b in zip(weights(runs[0]), weights(runs[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_flipped_bit_is_noticed_in_weights_and_in_checkpoints(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=4, seeds=(0,))
    run = train(config, tmp_path / "run", quiet=True, keep_checkpoints=True)
    weights = run.weights("seed0")
    content = bytearray(weights.read_bytes())
    content[-7] ^= 4
    weights.write_bytes(content)
    with pytest.raises(fg.Error, match="does not fit its checksum"):
        run.model(0)
    weights.unlink()
    data = max((run.path / "checkpoints" / "4").rglob("d/*"), key=lambda path: path.stat().st_size)
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    with pytest.raises(fg.Error, match="does not fit its checksum"):
        train(config, run.path, quiet=True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stop_by_signal_writes_a_checkpoint_and_the_same_command_goes_on(tmp_path, number, status):
    """Checkpoints are due every hour here: the one that is there is the signal's."""
    script = SCRIPT.replace("steps=400", "steps=300000")
    folder = tmp_path / "run"
    command = [sys.executable, "-c", "import factorgrid.cli\n" + MAIN.format(script=script), str(folder), "3600"]
    process = subprocess.Popen(command, env={**os.environ, "JAX_PLATFORMS": "cpu"})
    deadline = time.monotonic() + 120
    while not (folder / ".training.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(8)
    process.send_signal(number)
    assert process.wait(60) == status
    steps = [int(path.name) for path in (folder / "checkpoints").glob("*") if path.name.isdigit()]
    assert len(steps) == 1
    assert Run.open(folder).history["step"].max() == steps[0]


def test_a_stop_between_two_rows_of_the_history_leaves_no_row_of_its_own(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=400)
    whole = train(config, tmp_path / "whole", quiet=True).history

    def stop(step, _):
        if step == 1:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped", quiet=True, on_step=stop)
    assert Run.open(tmp_path / "stopped").history["step"].tolist() == [1, 1]
    stopped = train(config, tmp_path / "stopped", quiet=True).history
    names = ["member", "step"]
    pd.testing.assert_frame_equal(stopped[names], whole[names])
    np.testing.assert_allclose(stopped.drop(columns=names), whole.drop(columns=names), rtol=1e-5)


MAIN = """
import sys
try:
    exec({script!r})
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_two_processes_cannot_train_one_folder(tiny_config, tmp_path):
    with (
        working_on(tmp_path / "run", "training"),
        pytest.raises(fg.Error, match=r"another process \(pid \d+ on .*training"),
    ):
        train(tiny_config, tmp_path / "run", quiet=True)


def test_a_run_that_never_began_leaves_no_folder_that_refuses_the_next_try(tiny_config, tmp_path):
    impossible = dataclasses.replace(tiny_config, architecture="conv64", data_options={"image_size": 10})
    with pytest.raises(fg.Error):
        train(impossible, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("mine")
    with pytest.raises(fg.Error):
        train(impossible, tmp_path / "empty", quiet=True)
    assert (tmp_path / "empty" / "notes.txt").exists()
    assert not fg.training.run.has_begun(tmp_path / "empty")
    train(dataclasses.replace(tiny_config, steps=1), tmp_path / "empty", quiet=True)


def test_a_run_of_other_images_is_not_gone_on_with(tmp_path):
    options = {"model": "vae", "steps": 1, "architecture": "mlp", "out": tmp_path / "run", "quiet": True}
    path = write_images(tmp_path)
    fg.train(data=str(path), **options)
    fg.train(data=str(path), **options)
    for shape in ((40, 64, 64, 1), (40, 64, 64, 3)):
        np.savez(path, images=np.full(shape, 7, np.uint8))
        with pytest.raises(fg.Error, match=r"was trained on other images or factors than .* has now"):
            fg.train(data=str(path), **options)


def test_a_run_goes_on_with_the_same_rows_between_two_rows_of_the_history(tiny_config, tmp_path):
    """Whatever its first step, the host gathers rows of the very steps that are taken."""
    dataset = fg.load_dataset(str(write_images(tmp_path)), resident="host")
    config = dataclasses.replace(tiny_config, data="mine", steps=30, data_options={})
    group = make_group(config, Shapes.of(dataset))
    with Stepper(group, dataset, None, 13, 10) as stepper:
        step = 13
        for rows in stepper._rows(dataset):
            expected = rows_of_steps(group, jnp.asarray(step, jnp.int32), stepper._chunk, dataset)
            np.testing.assert_array_equal(rows, expected)
            step += stepper._num_steps(step)
    assert step == 30


def test_members_that_a_kill_left_unwritten_are_written_by_the_next_call(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=2)
    run = train(config, tmp_path / "run", quiet=True)
    assert not (run.path / "checkpoints").exists()
    (run.path / "members.parquet").unlink()
    train(config, run.path, quiet=True)
    assert len(read_parquet(run.path / "members.parquet")) == 2


def test_runs_of_version_0_1_are_read(tiny_run, tmp_path):
    """Their arrays had the places of (model, critic, alive) for names."""
    arrays, metadata = read_arrays(tiny_run.weights("seed0"))
    old = {name.replace("params.model.", "0.").replace("alive", "2"): value for name, value in arrays.items()}
    shutil.copytree(tiny_run.path, tmp_path / "run")
    write_arrays(tmp_path / "run" / "models" / "seed0.safetensors", old, metadata)
    images = tiny_run.dataset().draw(3, seed=0)[0]
    np.testing.assert_array_equal(Run.open(tmp_path / "run").model(0).encode(images), tiny_run.model(0).encode(images))


def test_more_labels_than_memory_is_one_line(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, labels=2**24, data_options={"image_size": 1024})
    with pytest.raises(fg.Error, match=r"16,777,216 labelled images take 70368\.7 GB"):
        train(config, tmp_path / "run", quiet=True)


def test_a_full_disk_is_one_line(tiny_config, tmp_path, monkeypatch, capfd):
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("factorgrid.training.checkpoint.shutil.disk_usage", lambda path: full)
    with pytest.raises(fg.Error, match=r"a checkpoint to .*: it takes .*, and 1.0 kB are free"):
        train(tiny_config, tmp_path / "run", quiet=True, checkpoint_seconds=0.0)
    assert capfd.readouterr().err == ""


def test_snapshots_are_what_the_members_had_learned_by_then(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, steps=6)
    run = train(config, tmp_path / "run", quiet=True, snapshot_every=2)
    assert list(run.snapshots) == [2, 4]

    def stop(step: int, _: object) -> None:
        if step == 4:  # which is kept first
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped", quiet=True, on_step=stop, snapshot_every=2)
    stopped = Run.open(tmp_path / "stopped")
    assert list(stopped.snapshots) == [2, 4]
    images, _ = run.dataset().draw(5, seed=0)
    by_then = model_in_training(stopped, "seed1")
    assert by_then is not None
    np.testing.assert_allclose(by_then.encode(images), run.snapshots[4].model("seed1").encode(images), atol=1e-6)
    assert not np.allclose(run.snapshots[2].model("seed1").encode(images), run.model("seed1").encode(images), atol=1e-6)
    # going on makes no more of them than an uninterrupted run has, and the same
    again = train(config, tmp_path / "stopped", quiet=True, snapshot_every=2)
    assert list(again.snapshots) == [2, 4]
    for a, b in zip(weights(run.snapshots[4]), weights(again.snapshots[4]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_snapshots_wait_for_the_next_row_of_the_history(tiny_config, tmp_path):
    run = train(dataclasses.replace(tiny_config, steps=600), tmp_path / "run", quiet=True, snapshot_every=250)
    assert list(run.snapshots) == [252, 501]  # a row every three steps
    assert {252, 501} <= set(run.history["step"])
    with pytest.raises(fg.Error, match="snapshot_every"):
        train(tiny_config, tmp_path / "other", quiet=True, snapshot_every=0)
    assert not (tmp_path / "other").exists()


def test_a_member_is_named_by_any_whole_number(tiny_run):
    assert tiny_run.member(np.argmax([0, 1])) == tiny_run.members[1]
