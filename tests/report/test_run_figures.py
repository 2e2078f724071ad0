"""The one door: which files are written, of which member, and what they say."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import factorgrid as fg
from factorgrid.report import captions, draw_traversals, traverse
from factorgrid.report.captions import Chosen, choose_members, member_title
from factorgrid.report.style import picture
from factorgrid.report.traversals import latent_traversals, reconstructions


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def check_pictures(paths: list[Path]) -> None:
    """PNG files of a size to look at, with more on them than white."""
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert 250 <= picture.width <= 4000, path.name
            assert 150 <= picture.height <= 4000, path.name
            assert np.asarray(picture.convert("L")).std() > 5, path.name


def test_all_pictures_of_a_discrete_run(dvae: fg.Run) -> None:
    paths = traverse(dvae, num_images=3)
    expected = ["reconstructions-seed1.png", "traversals-seed1.png", "kl.png", "training.png", "planes.png"]
    assert names(paths) == expected
    assert {path.parent for path in paths} == {dvae.path / "figures"}
    check_pictures(paths)


def test_a_run_may_be_its_folder_and_pictures_may_go_elsewhere(vae: fg.Run, tmp_path: Path) -> None:
    paths = traverse(vae.path, member="seed2", out=tmp_path / "there", num_images=1)
    assert names(paths)[:2] == ["reconstructions-seed2.png", "traversals-seed2.png"]
    assert {path.parent for path in paths} == {tmp_path / "there"}
    check_pictures(paths)
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == sorted(names(paths)), "no temporary file is left"


def test_all_members(vae: fg.Run, tmp_path: Path) -> None:
    paths = names(traverse(vae, member="all", out=tmp_path, num_images=2))
    assert [name for name in paths if name.startswith("traversals")] == [f"traversals-seed{i}.png" for i in range(3)]
    assert len(set(paths)) == len(paths)


def test_masked_runs_show_categories_and_total_correlation(masked: fg.Run, tmp_path: Path) -> None:
    paths = traverse(masked, member=1, out=tmp_path, num_images=2)
    assert names(paths) == [
        "reconstructions-gamma10-seed0.png",
        "traversals-gamma10-seed0.png",
        "categories-gamma10-seed0.png",
        "kl.png",
        "training.png",
        "total_correlation.png",
    ]
    check_pictures(paths)


def test_images_without_factors(plain: fg.Run, tmp_path: Path) -> None:
    paths = traverse(plain, out=tmp_path, num_images=4)
    assert names(paths) == ["reconstructions-seed0.png", "traversals-seed0.png", "kl.png", "training.png"]
    check_pictures(paths)


def test_figure_8_frames_the_own_category(masked: fg.Run, images: np.ndarray, tmp_path: Path, monkeypatch) -> None:
    rows = latent_traversals(masked.model(0), images, latents=(0, 1))
    framed = []
    monkeypatch.setattr(
        draw_traversals.image_grid, "outline", lambda axis, row, column, **_: framed.append((row, column))
    )
    shown = reconstructions(masked.model(0), images)
    draw_traversals.draw_categories(rows, shown, ("x", "y"), "title", tmp_path / "categories.png")
    assert framed == [(base, int(row.own[base])) for row in rows for base in range(3)]


def test_best_is_the_smallest_gap_then_the_highest_mig_then_the_first(
    dvae: fg.Run, vae: fg.Run, masked: fg.Run
) -> None:
    assert choose_members(dvae, "best") == [Chosen("seed1", "best of 3 by st_gap_loss: 3 nats")]
    assert choose_members(vae, "best") == [Chosen("seed0", "best of 3 by mig: 30.0%")]
    assert choose_members(masked, "best") == [Chosen("gamma1-seed0", "the first: not scored yet")]


def test_members_by_name_and_place(vae: fg.Run) -> None:
    assert choose_members(vae, "seed1") == choose_members(vae, 1) == choose_members(vae, -2) == [Chosen("seed1")]
    assert [chosen.name for chosen in choose_members(vae, "all")] == ["seed0", "seed1", "seed2"]


@pytest.mark.parametrize("member", ["seed7", 3, "beast"])
def test_an_unknown_member(vae: fg.Run, member: str | int) -> None:
    with pytest.raises(fg.Error, match=r"unknown member .*Known: best, all, seed0, seed1, seed2"):
        traverse(vae, member=member)


def test_no_images(vae: fg.Run) -> None:
    with pytest.raises(fg.Error, match="num_images must be at least 1, got 0"):
        traverse(vae, num_images=0)


def test_titles_say_model_data_member_and_steps(dvae: fg.Run, masked: fg.Run, plain: fg.Run) -> None:
    title = member_title(dvae, choose_members(dvae, "best")[0])
    assert title == "D-VAE on circles, 8 steps: seed1 (best of 3 by st_gap_loss: 3 nats)"
    assert captions.run_title(masked) == "masked FactorDVAE on circles, 20 labels, 8 steps"
    assert captions.run_title(plain) == "D-VAE on own.npz, 8 steps"


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((fg.Error, NotADirectoryError, FileExistsError)), picture(tmp_path / "file" / "a.png", 2.0, 2.0):
        pass


def test_drawing_leaves_the_settings_of_matplotlib_alone(tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    with picture(tmp_path / "a.png", 2.0, 2.0) as figure:
        figure.subplots()
    assert dict(matplotlib.rcParams) == before
