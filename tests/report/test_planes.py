"""Latent planes, and their comparison."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import factorgrid as fg
from factorgrid.datasets.rendered.circles import Circles
from factorgrid.report import compare_planes
from factorgrid.report.plane_rows import staircase
from factorgrid.report.planes import Plane, draw_circles, lattice, plane_window, planes

SMALL = {"architecture": "mlp", "width": 32, "num_latents": 2, "quiet": True}


def test_the_lattice_covers_the_range_of_circles() -> None:
    positions = lattice(4)
    assert positions.shape == (4, 4, 2)
    np.testing.assert_allclose(positions[:, 0, 0], [0.2, 0.4, 0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(positions[0, :, 1], [0.2, 0.4, 0.6, 0.8], atol=1e-6)


def test_planes_are_codes_of_circles_at_those_positions(dvae: fg.Run) -> None:
    found = {plane.member: plane for plane in planes(dvae, Circles(), num=5)}
    for i, j in [(0, 0), (1, 4), (3, 2)]:
        image = draw_circles(Circles(), lattice(5)[i, j][None])
        expected = dvae.model("seed1").encode(image)[0]
        np.testing.assert_allclose(found["seed1"].codes[i, j], expected, atol=1e-5)
    assert found["seed1"].mig == pytest.approx(0.1)


def test_circles_are_those_of_the_data_set() -> None:
    positions = np.random.default_rng(0).uniform(0.2, 0.8, (5, 2)).astype(np.float32)
    expected = np.asarray(Circles().at(jnp.asarray(positions)))
    assert (draw_circles(Circles(), positions) != expected).mean() < 1e-3  # compiled sums round corners differently


def test_planes_are_sorted_by_mig(dvae: fg.Run, vae: fg.Run) -> None:
    assert [plane.member for plane in planes(dvae, Circles(), num=2)] == ["seed2", "seed0", "seed1"]
    assert [plane.member for plane in planes(vae, Circles(), num=2)] == ["seed0", "seed1", "seed2"]


def test_a_plane_needs_two_latents(masked: fg.Run) -> None:
    with pytest.raises(fg.Error, match="needs a model with 2 latents, this one has 3"):
        planes(masked, Circles(), num=2)


def test_the_window_is_a_square_that_holds_every_point() -> None:
    codes = np.random.default_rng(0).uniform([-3, 1], [5, 2], (4, 4, 2)).astype(np.float32)
    corner, side = plane_window(Plane("a", None, codes))
    assert (codes > corner).all()
    assert (codes < corner + side).all()
    assert side < 1.2 * 8
    corner, side = plane_window(Plane("a", None, codes), whole=True)
    np.testing.assert_allclose(corner, -side / 2)
    assert (abs(codes) < side / 2).all()
    assert plane_window(Plane("a", None, np.full((2, 2, 2), 0.1, np.float32)), whole=True)[1] > 2
    _, collapsed = plane_window(Plane("a", None, np.zeros((2, 2, 2), np.float32)))
    assert collapsed > 0


@pytest.mark.parametrize(("picks", "show_data"), [(("best", "median", "worst"), True), ((1, 3), False)])
def test_comparison(dvae: fg.Run, vae: fg.Run, tmp_path: Path, picks: tuple, show_data: bool) -> None:
    path = compare_planes([vae, dvae], tmp_path / "planes.png", picks=picks, show_data=show_data)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert 600 < image.width < 2500
        assert 600 < image.height < 2000


def test_a_comparison_needs_scores_members_and_circles(
    dvae: fg.Run, masked: fg.Run, plain: fg.Run, tmp_path: Path
) -> None:
    with pytest.raises(fg.Error, match=r"cannot pick '5' of the 3 scored members.*within 1\.\.3"):
        compare_planes([dvae], tmp_path / "a.png", picks=(5,))
    with pytest.raises(fg.Error, match=r"trained on '.*own\.npz'"):
        compare_planes([plain], tmp_path / "a.png")
    unscored = fg.train(
        data="circles",
        model="dvae",
        seeds=1,
        steps=1,
        architecture="mlp",
        num_latents=2,
        out=tmp_path / "r",
        quiet=True,
    )
    with pytest.raises(fg.Error, match="has no score 'mig'; run: factorgrid evaluate"):
        compare_planes([unscored], tmp_path / "a.png")


def test_a_continuous_x_gives_finitely_many_images() -> None:
    found = staircase(Circles(), num=640)
    coarse = staircase(Circles(), num=128)
    assert coarse.num_images <= 128
    assert found.num_images < 430  # a sweep of 2,401 positions finds 423 images
    assert np.abs(found.centers - (found.x * 64 - 0.5)).max() < 1
