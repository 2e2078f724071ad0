"""What a notebook shows of runs and models, and a bar without widgets."""

import html
import re
import sys
import types
from pathlib import Path

import pytest
from rich.console import Console

import factorgrid as fg
from factorgrid import progress
from factorgrid.models.trained import TrainedModel


def pictures(shown: str) -> list[str]:
    return re.findall(r'<img alt="([^"]*)"[^>]*src="data:image/png;base64,\w', shown)


def test_a_run_shows_members_scores_curves_and_its_best_member(tiny_run: fg.Run) -> None:
    shown = tiny_run._repr_html_()
    assert pictures(shown) == ["training curves", "reconstructions", "latent traversals"]
    mig = tiny_run.scores.query("member == 'seed0' and metric == 'mig'")["value"].item()
    assert f"<td>{mig:.4g}</td>" in shown
    assert "<td>seed1</td>" in shown


def test_a_model_shows_what_it_makes_of_images(tiny_run: fg.Run) -> None:
    shown = tiny_run.model(1)._repr_html_()
    assert pictures(shown) == ["reconstructions", "latent traversals"]
    assert "D-VAE on circles, 20 steps: seed1" in shown
    alone = TrainedModel(tiny_run.model(1).autoencoder)._repr_html_()
    assert not pictures(alone)
    assert "2 latents, Categorical" in alone


def test_the_explorer_stands_in_a_frame_and_leaves_no_file(tiny_run: fg.Run) -> None:
    before = sorted(tiny_run.path.iterdir())
    shown = tiny_run.model(0).explore(height=500, num_images=2)._repr_html_()
    assert sorted(tiny_run.path.iterdir()) == before
    assert "height: 500px" in shown
    page = html.unescape(re.findall(r'srcdoc="([^"]*)"', shown)[0])
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


def test_a_bar_in_a_notebook_is_one_output_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: list[str] = []

    class Handle:
        def update(self, shown: object) -> None:
            outputs.append(shown._repr_html_())

    def display(shown: object, *, display_id: bool) -> Handle:
        assert display_id
        outputs.append(shown._repr_html_())
        return Handle()

    fake = types.ModuleType("IPython.display")
    fake.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Bar("a < b", 100, console=Console(force_jupyter=True)) as bar:
        for done in (25, 26, 50):
            now[0] += 0.2
            bar.update(done)
    assert len(outputs) == 3, "the second came too soon"
    assert outputs[0] == "<div>a &lt; b <progress ></progress> </div>"
    assert 'value="26" max="100"' in outputs[1]
    assert outputs[-1] == ""


def test_a_quiet_bar_is_quiet_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "NotebookBar", lambda title: pytest.fail("shown"))
    with progress.Bar("quiet", 10, console=Console(force_jupyter=True), quiet=True) as bar:
        bar.update(5)


def test_a_run_in_training_shows_what_there_is(tiny_run: fg.Run, tmp_path: Path) -> None:
    run = fg.Run.create(tmp_path / "run", tiny_run.config, tiny_run.dataset())
    assert "training has not finished" in run._repr_html_()
