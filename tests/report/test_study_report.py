"""The whole report with models: latent planes, alignment and categories; and without them."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from synthetic import synthetic

import factorgrid as fg
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_planes import masked_group, method_planes
from factorgrid.report.study_report import study_report
from factorgrid.study.outcome import Group, Outcome


def circles(runs: dict[str, Path], *, masked: bool = False) -> Outcome:
    """VAE and D-VAE on circles, three members each, and perhaps a masked group."""
    outcome = synthetic(
        data=("circles",), methods=("VAE", "D-VAE"), supervised=(), labels=(), seeds=3, downstream=False
    )
    extra = (Group("masked", "circles", "FactorDVAE (M)", 2, "done", "", 20),) if masked else ()
    return dataclasses.replace(outcome, groups=(*outcome.groups, *extra), runs=runs)


def test_a_study_with_its_models_has_all_their_figures(
    vae: fg.Run, dvae: fg.Run, masked: fg.Run, tmp_path: Path
) -> None:
    runs = {"circles-vae-0": vae.path, "circles-d-vae-0": dvae.path, "masked": masked.path}
    page = study_report(circles(runs, masked=True), tmp_path)
    for name in ("figure-3", "figure-8", "figure-10", "figure-11", "figure-5"):
        assert (tmp_path / "figures" / f"{name}.png").exists(), name
        assert (tmp_path / "figures" / f"{name}.pdf").exists(), name
    alignment = pd.read_csv(tmp_path / "tables" / "claim-axis-alignment.csv")
    assert list(alignment["model"]) == [f"{title} seed{i}" for title, order in (("VAE", "012"), ("D-VAE", "201"))
                                        for i in order]  # fmt: skip
    assert alignment["angle"].between(0, 45).all()
    text = page.read_text(encoding="utf-8")
    assert "VAE: " in text
    assert "of 3 members within 15° of the axes" in text


def test_planes_of_several_groups_are_sorted_together(vae: fg.Run, dvae: fg.Run) -> None:
    outcome = circles({"circles-vae-0": vae.path, "more": dvae.path})
    outcome = dataclasses.replace(outcome, groups=(*outcome.groups, Group("more", "circles", "VAE", 3, "done")))
    found = method_planes(Cells(outcome), "VAE")
    assert not isinstance(found, str)
    assert [plane.mig for plane in found.shown] == pytest.approx([0.5, 0.3, 0.2, 0.2, 0.1, 0.1])


def test_results_without_models_say_so_in_place_of_the_figures(tmp_path: Path) -> None:
    page = study_report(circles({"circles-vae-0": tmp_path / "gone"}, masked=True), tmp_path / "report")
    text = page.read_text(encoding="utf-8")
    assert "the models of group circles-vae-0 are not beside these results" in text
    assert "the models of group masked are not beside these results" in text
    assert not (tmp_path / "report" / "figures" / "figure-3.png").exists()
    assert (tmp_path / "report" / "figures" / "figure-5.pdf").exists()


def test_models_of_another_kind_are_not_drawn_as_planes(masked: fg.Run) -> None:
    found = method_planes(Cells(circles({"circles-vae-0": masked.path})), "VAE")
    assert found == "VAE on circles was trained with 3 latents, and a plane needs 2"


def test_the_masked_model_of_figure_8_is_a_dvae_of_mpi3d_if_there_is_one() -> None:
    outcome = synthetic(data=("dsprites_twin", "mpi3d_toy_twin"), seeds=2, downstream=False)
    group = masked_group(Cells(outcome))
    assert not isinstance(group, str)
    assert (group.data, group.method, group.labels) == ("mpi3d_toy_twin", "D-VAE (M)", 1000)
    plain = synthetic(data=("circles",), supervised=(), labels=(), seeds=2, downstream=False)
    assert masked_group(Cells(plain)) == "no masked semi-supervised method in this study's plan"


def test_the_report_is_the_same_every_time(tmp_path: Path) -> None:
    outcome = synthetic(data=("circles",), labels=(100,), seeds=3)
    first, second = (study_report(outcome, tmp_path / name, quick=True).read_bytes() for name in "ab")
    assert first == second
