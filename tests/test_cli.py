"""The command line as users type it, in a process of its own where it matters, and never a traceback."""

import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from factorgrid import cli
from factorgrid.methods import NAMED


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        cli.main(list(arguments))
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_help_teaches_every_command(capsys):
    status, out, _ = run("--help", capsys=capsys)
    assert status == 0
    for command in ("demo", "data", "train", "evaluate", "traverse"):
        assert command in out


def test_train_help_lists_every_method_and_hyperparameter(capsys):
    status, out, _ = run("train", "--help", capsys=capsys)
    assert status == 0
    assert all(name in out for name in NAMED)
    assert all(f"--{name.replace('_', '-')}" in out for method in NAMED.values() for name in method.hyperparameters)


def test_the_whole_job(tmp_path, capsys):
    folder = tmp_path / "run"
    train = ["train", "--data", "circles", "--model", "beta_dvae", "--beta", "1", "2", "--seeds", "2", "--steps", "4"]
    train += ["--latents", "2", "--architecture", "mlp", "--image-size", "32", "--out", str(folder), "--quiet"]
    train += ["--snapshot-every", "2"]
    status, out, err = run(*train, capsys=capsys)
    assert (status, err) == (0, "")
    assert "trained 4 members" in out
    status, out, _ = run("evaluate", str(folder), "--quick", "--jobs", "1", capsys=capsys)
    assert status == 0
    for member in ("beta1-seed0", "beta1-seed1", "beta2-seed0", "beta2-seed1"):
        assert member in out
    assert (folder / "scores.parquet").exists()
    status, out, _ = run("evaluate", str(folder), "--quick", "--metrics", "mig", "--snapshots", capsys=capsys)
    assert status == 0
    curve = pd.read_csv(folder / "figures" / "learning_curve.csv")
    assert curve["step"].tolist() == 4 * [2] + 4 * [4]
    assert out.count("seed1") == 2  # the table is of the end
    assert str(folder / "figures" / "learning_curve.png") in out.replace("\n", "")
    status, out, _ = run("traverse", str(folder), capsys=capsys)
    assert status == 0
    pictures = [Path(line) for line in out.splitlines()]
    assert pictures
    for picture in pictures:
        with Image.open(picture) as image:
            assert min(image.size) > 100


def test_what_changes_nothing_is_said(tmp_path, capsys):
    train = ["train", "--data", "circles", "--model", "vae", "--steps", "1", "--latents", "2", "--architecture", "mlp"]
    train += ["--image-size", "8", "--out", str(tmp_path / "run"), "--quiet"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        status, _, err = run(*train, "--categories", "8", "--preset", "paper", "--snapshot-every", "2", capsys=capsys)
    assert status == 0
    assert err.splitlines() == [
        "factorgrid: warning: preset 'paper' changes nothing, 'vae' has no hyperparameters",
        "factorgrid: warning: num_categories changes nothing, 'vae' has none",
        "factorgrid: warning: snapshot_every 2 keeps nothing, training takes 1 steps",
    ]


def test_data_list_and_preview(tmp_path, capsys):
    status, out, _ = run("data", "list", capsys=capsys)
    assert status == 0
    assert "dsprites_twin" in out
    picture = tmp_path / "circles.png"
    status, out, _ = run("data", "preview", "circles", "--out", str(picture), capsys=capsys)
    assert status == 0
    assert picture.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--data", "dsprits", "--model", "dvae"], "did you mean 'dsprites'"),
        (["train", "--data", "circles", "--model", "dvea"], "did you mean 'dvae'"),
        (["train", "--data", "circles", "--model", "dvae", "--gamma", "1"], "has no hyperparameter 'gamma'"),
        (["train", "--data", "nowhere/images.npz", "--model", "dvae"], "nowhere/images.npz"),
        (["train", "--data", "shapes3d", "--model", "dvae"], "factorgrid data download shapes3d"),
        (["evaluate", "nowhere"], "nowhere holds no run"),
        (["traverse", "nowhere"], "nowhere holds no run"),
        (["data", "preview", "cars3d"], "factorgrid data download cars3d"),
        (["data", "download", "circles"], "nothing to download"),
        (["data", "preview", "circles", "--out", "x.txt"], "must end in .png"),
    ],
)
def test_what_users_get_wrong_is_one_line_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FACTORGRID_DATA", raising=False)
    monkeypatch.delenv("DISENTANGLEMENT_LIB_DATA", raising=False)
    status, _, err = run(*arguments, capsys=capsys)
    assert status == 2
    assert message in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", "runs/a"), "with --only-missing the same command goes on"),
        (("train", "--data", "circles", "--model", "vae"), "the same command again goes on"),
        (("study", "run", "small-circles"), "the same command again goes on"),
        (("traverse", "runs/a"), ""),
    ],
)
def test_who_stops_a_command_is_told_how_to_go_on(arguments, message, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module(f"factorgrid.cli.{arguments[0]}"), "run", stop)
    status, _, err = run(*arguments, capsys=capsys)
    assert status == 130
    assert err.startswith("factorgrid: stopped")
    assert message in err
    assert ("same command" in err) == bool(message)


def test_an_unknown_metric_suggests_the_nearest(tiny_run, capsys):
    status, _, err = run("evaluate", str(tiny_run.path), "--metrics", "migg", capsys=capsys)
    assert status == 2
    assert "unknown metric 'migg'; did you mean 'mig'" in err


def test_damaged_images_are_one_line(tmp_path, capsys):
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"PK not a zip")
    status, _, err = run("train", "--data", str(bad), "--model", "dvae", "--steps", "1", capsys=capsys)
    assert status == 2
    assert "bad.npz" in err
    np.savez(tmp_path / "odd.npz", pictures=np.zeros(3))
    status, _, err = run("train", "--data", str(tmp_path / "odd.npz"), "--model", "dvae", "--steps", "1", capsys=capsys)
    assert status == 2
    assert "odd.npz" in err


def test_the_installed_command_starts_and_fails_without_a_traceback():
    command = [str(Path(sys.executable).with_name("factorgrid")), "evaluate", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "holds no run" in done.stderr
    assert "Traceback" not in done.stderr
