"""A model in a folder of its own: the same model again, half the bytes, a card that is true, and a hub that has it."""

import json
import shlex
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tyro

import factorgrid as fg
from factorgrid.cli import train as train_command
from factorgrid.models.trained import TrainedModel
from factorgrid.pretrained import shipped
from factorgrid.pretrained.card import command
from factorgrid.training import Config

FILES = ["README.md", "config.json", "model.safetensors", "scores.parquet"]
SHIPPED = shipped.shipped_names()


@pytest.fixture(scope="module")
def images(tiny_run: fg.Run) -> np.ndarray:
    return tiny_run.dataset().draw(16, seed=3)[0]


@pytest.fixture(scope="module")
def saved(tiny_run: fg.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrained") / "one"
    return tiny_run.model("seed1").save_pretrained(folder, licence="apache-2.0", note="A test.")


def test_the_same_model_comes_back(tiny_run: fg.Run, saved: Path, images: np.ndarray, tmp_path: Path) -> None:
    model, half = tiny_run.model("seed1"), fg.from_pretrained(saved)
    assert sorted(path.name for path in saved.iterdir()) == FILES
    np.testing.assert_allclose(half.encode(images), model.encode(images), atol=5e-3)
    np.testing.assert_allclose(half.reconstruct(images), model.reconstruct(images), atol=5e-3)
    whole = fg.from_pretrained(fg.save_pretrained(model, tmp_path / "whole", half=False))
    np.testing.assert_array_equal(whole.encode(images), model.encode(images))
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (saved, tmp_path / "whole")]
    assert 0.5 <= sizes[0] / sizes[1] < 0.52


def test_what_was_loaded_can_be_saved_again(saved: Path, images: np.ndarray, tmp_path: Path) -> None:
    first = fg.from_pretrained(saved)
    again = fg.from_pretrained(first.save_pretrained(tmp_path / "again", licence="apache-2.0", note="A test."))
    np.testing.assert_array_equal(again.encode(images), first.encode(images))
    assert (tmp_path / "again" / "README.md").read_text() == (saved / "README.md").read_text()


def test_the_folder_is_a_run_of_that_member(tiny_run: fg.Run, saved: Path) -> None:
    run = fg.load_run(saved)
    assert run.finished
    assert [member.name for member in run.members] == ["seed1"]
    assert run.config.data_options == tiny_run.config.data_options
    theirs = tiny_run.scores.query("member == 'seed1'").set_index("metric")["value"]
    assert run.scores.set_index("metric")["value"].to_dict() == theirs.to_dict()
    assert run.best_member("mig") == "seed1"


def test_the_card_says_how_it_was_made_and_scored(tiny_run: fg.Run, saved: Path) -> None:
    text = (saved / "README.md").read_text()
    assert text.startswith("---\nlicense: apache-2.0\nlibrary_name: factorgrid\n")
    assert "\n# D-VAE on circles\n\nA test.\n" in text
    assert "20 steps of 64 images, seed 1" in text
    mig = tiny_run.scores.query("member == 'seed1' and metric == 'mig'")["value"].item()
    assert f"| mig | {mig:.4g} | higher is better" in text
    assert "seed 0" in next(line for line in text.splitlines() if line.startswith("| mig |"))


def config_of(line: str) -> Config:
    """The configuration that a command line of `factorgrid train` stands for."""
    program, name, *arguments = shlex.split(line)
    assert (program, name) == ("factorgrid", "train")
    found: list[Config] = []

    def keep(**given: Any) -> SimpleNamespace:
        found.append(make_config(given))
        return SimpleNamespace(members=(), path="")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("factorgrid.api.train", keep)
        train_command.run(tyro.cli(train_command.Options, args=arguments))
    return found[0]


def make_config(given: dict) -> Config:
    from factorgrid.api import make_config as make

    left_out = ("out", "quiet", "checkpoint_seconds", "keep_checkpoints", "snapshot_every", "track", "callbacks")
    return make(**{name: value for name, value in given.items() if name not in left_out})


@pytest.mark.parametrize(
    "options",
    [
        {"data": "circles", "model": "dvae", "seeds": (0, 1), "data_options": {"image_size": 32}, "num_latents": 2},
        {"data": "dsprites_twin", "model": "beta_vae", "hyperparameters": {"beta": (4.0,)}, "learning_rate": 1e-3},
        {"data": "smallnorb", "model": "vae", "data_options": {"clip": True}},
        {"data": "shapes3d_twin", "model": "dvae", "labels": 100, "masked": True, "noise_scale": (1.0, 1.0)},
    ],
)
def test_the_command_of_a_card_makes_the_same_configuration(options: dict) -> None:
    config = Config(**options)
    assert config_of(command(config)) == config


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_work_and_their_cards_are_true(name: str) -> None:
    model = fg.load_pretrained(name)
    images, _ = model.run.dataset().draw(64, seed=1)
    error = ((model.reconstruct(images) - images) ** 2).mean()
    assert error < 0.5 * ((images.mean(axis=0) - images) ** 2).mean(), "it reconstructs better than the mean image"
    text = shipped.card(name)
    line = next(line for line in text.splitlines() if line.startswith("factorgrid train"))
    made = config_of(line)
    assert model.member in [member.name for member in made.members]
    assert made.to_json() | {"seeds": None} == model.run.config.to_json() | {"seeds": None}
    assert "| licence | apache-2.0 |" in text
    assert text.startswith("# ")
    assert f'model = fg.load_pretrained("{name}")' in text


def test_there_are_shipped_models_and_all_are_small() -> None:
    assert {"dvae-circles", "masked-dvae-circles", "vae-circles"} <= set(SHIPPED)
    assert sum(one.num_bytes for one in shipped.shipped()) < 10_000_000
    with pytest.raises(fg.Error, match="unknown pretrained model 'dvae-circle'; did you mean 'dvae-circles'"):
        fg.load_pretrained("dvae-circle")


def test_what_cannot_be_loaded_or_saved_is_one_line(tiny_run: fg.Run, tmp_path: Path) -> None:
    with pytest.raises(fg.Error, match=r"holds no model \(no config.json\)"):
        fg.from_pretrained(tmp_path)
    with pytest.raises(fg.Error, match=r"holds no model.safetensors; if it is a run"):
        fg.from_pretrained(tiny_run.path)
    with pytest.raises(fg.Error, match="belongs to no run"):
        TrainedModel(tiny_run.model(0).autoencoder).save_pretrained(tmp_path / "x")
    with pytest.raises(fg.Error, match=r"has 2 members; save one: run\.best"):
        fg.save_pretrained(tiny_run, tmp_path / "x")


class Hub(BaseHTTPRequestHandler):
    """As much of a hub as downloads ask for: files of one repository at one commit."""

    folder: Path
    commit = "0123456789" * 4

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = self.folder / self.path.rsplit("/", 1)[-1]
        known = self.path.startswith("/somebody/tiny/resolve/") and path.is_file()
        body = path.read_bytes() if known else b""
        self.send_response(200 if known else 404)
        if known:
            self.send_header("ETag", f'"{path.stat().st_size}-{path.name}"')
            self.send_header("X-Repo-Commit", self.commit)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(saved: Path) -> Iterator[str]:
    pytest.importorskip("huggingface_hub", reason="needs the extra: pip install 'factorgrid[hub]'")
    handler = type("OneHub", (Hub,), {"folder": saved})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_model_comes_from_a_hub(hub: str, saved: Path, images: np.ndarray, tmp_path: Path) -> None:
    model = fg.from_pretrained("somebody/tiny", endpoint=hub, cache_dir=tmp_path)
    np.testing.assert_array_equal(model.encode(images), fg.from_pretrained(saved).encode(images))
    assert json.loads((model.run.path / "config.json").read_text()) == json.loads((saved / "config.json").read_text())


def test_a_hub_without_it_is_one_line(hub: str, tmp_path: Path) -> None:
    with pytest.raises(fg.Error, match="cannot fetch 'somebody/else' from the hub"):
        fg.from_pretrained("somebody/else", endpoint=hub, cache_dir=tmp_path)


def test_a_model_replaces_a_model_whole_and_no_run(tiny_run: fg.Run, tmp_path: Path) -> None:
    shutil.copytree(tiny_run.path, tmp_path / "run")
    with pytest.raises(fg.Error, match="holds a run, which a single model must not replace"):
        fg.save_pretrained(tiny_run.model(0), tmp_path / "run")
    assert len(fg.load_run(tmp_path / "run").members) == 2
    folder = fg.save_pretrained(tiny_run.model(0), tmp_path / "model")
    assert fg.load_run(folder).scores_of("seed0")
    shutil.copytree(tiny_run.path, tmp_path / "unscored")
    (tmp_path / "unscored" / "scores.parquet").unlink()
    fg.save_pretrained(fg.load_run(tmp_path / "unscored").model("seed1"), folder)
    assert not (folder / "scores.parquet").exists()
