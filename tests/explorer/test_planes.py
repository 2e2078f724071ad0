"""The live planes in a real browser: its discs and codes are the library's, and the disc follows pointer and keys."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, needs_chromium

import factorgrid as fg
from factorgrid.datasets.rendered.circles import Circles
from factorgrid.explorer import live_planes
from factorgrid.explorer.plane_page import pick_members
from factorgrid.report.planes import draw_circles, encode_positions, lattice


@pytest.fixture(scope="module")
def page(dvae: fg.Run, vae: fg.Run, folder: Path) -> Path:
    return live_planes([vae, dvae.path], folder / "planes.html", num_positions=6)


@pytest.fixture
def opened(page: Path, browser: Browser) -> Browser:
    browser.window(1280, 900)
    browser.open(page.as_uri())
    browser.frame()
    return browser


def center(browser: Browser) -> tuple[float, float, float]:
    """Left, top and side of the disc's canvas in the window."""
    box = browser.run("(b => [b.left, b.top, b.width])(document.getElementById('disc').getBoundingClientRect())")
    return tuple(box)


def model_codes(run: fg.Run, member: str, positions: np.ndarray) -> np.ndarray:
    return encode_positions(run.model(member), run.dataset(), np.asarray(positions, np.float32).reshape(1, -1, 2))[0]


def test_members_are_picked_by_their_score(dvae: fg.Run, vae: fg.Run, plain: fg.Run) -> None:
    def picked(run: fg.Run) -> list[tuple[str, str]]:
        return [(place, chosen.name) for place, chosen in pick_members(run)]

    assert picked(vae) == [("best", "seed0"), ("median", "seed1"), ("worst", "seed2")]
    assert picked(dvae) == [("best", "seed1"), ("worst", "seed0")]
    assert picked(plain) == [("", "seed0")]


def test_lattices_are_the_models_codes(page: Path, vae: fg.Run) -> None:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    data = json.loads(found.group(1))
    expected = encode_positions(vae.model("seed1"), vae.dataset(), lattice(6))
    np.testing.assert_allclose(data["panels"][0][1]["plane"], expected, rtol=1e-3, atol=1e-5)


def test_only_circles_have_planes(plain: fg.Run, folder: Path) -> None:
    with pytest.raises(fg.Error, match=r"latent planes are drawn of circles, and .* was trained on"):
        live_planes([plain], folder / "none.html")
    with pytest.raises(fg.Error, match="no run given"):
        live_planes([], folder / "none.html")


@needs_chromium
@pytest.mark.parametrize("size", [16, 64])
def test_the_browser_draws_the_disc_to_the_pixel(browser: Browser, size: int, tmp_path: Path) -> None:
    script = (Path(__file__).parents[2] / "factorgrid/explorer/circles.js").read_text(encoding="utf-8")
    (tmp_path / "disc.html").write_text(f"<!doctype html><script>{script}</script>")
    browser.open((tmp_path / "disc.html").as_uri())
    positions = np.random.default_rng(0).uniform(0.2, 0.8, (300, 2)).astype(np.float32)
    found = browser.run(
        f"{json.dumps(positions.astype(float).tolist())}.map(([x, y]) => drawDisc(x, y, {size}, 0.2).join(''))"
    )
    expected = draw_circles(Circles(image_shape=(size, size, 1)), positions).astype(int)
    wrong = [i for i, text in enumerate(found) if text != "".join(map(str, expected[i].ravel()))]
    assert wrong == []
    assert 0.03 < expected.mean() < 0.08  # a disc is there; both end pixels of its rows count


@needs_chromium
def test_the_code_follows_the_pointer(opened: Browser, page: Path, vae: fg.Run, dvae: fg.Run) -> None:
    left, top, side = center(opened)
    for across, up in ((0.3, 0.7), (0.62, 0.41), (0.99, 0.02)):
        opened.mouse(left + across * side, top + (1 - up) * side)
        opened.frame()
        position = opened.run("planes.position()")
        wanted = np.clip([across, up], 0.2, 0.8)
        np.testing.assert_allclose([position["x"], position["y"]], wanted, atol=2 / side)
        codes = opened.run("planes.codes()")
        for found, run, name in zip(codes, (vae, dvae), ("seed0", "seed1")):
            expected = model_codes(run, name, np.array([position["x"], position["y"]]))[0]
            np.testing.assert_allclose(found, expected, atol=0.02)
    assert opened.said == []
    assert opened.requests == [page.as_uri()]


@needs_chromium
def test_the_dot_lies_at_the_code(opened: Browser) -> None:
    opened.mouse(*(a + 0.4 * center(opened)[2] for a in center(opened)[:2]))
    opened.frame()
    for p in (0, 1):
        (x0, y0), (x1, y1) = opened.run(f"[[0, 0], [0.01, 0.02]].map(code => planes.place({p}, code))")
        assert (y1 - y0) / (x1 - x0) == pytest.approx(-2)  # one scale for both; z0 to the right, z1 upwards
        color = opened.run(
            f"(c => Array.from(c.getContext('2d').getImageData("
            f"...planes.place({p}, planes.codes()[{p}]).map(Math.round), 1, 1).data))"
            f"(document.querySelectorAll('.plane')[{p}])"
        )
        assert color == [29, 29, 31, 255]  # the page's ink


@needs_chromium
def test_keys_sliders_and_menus(opened: Browser, vae: fg.Run) -> None:
    opened.run("document.getElementById('disc').focus()")
    before = opened.run("planes.position()")
    opened.key("ArrowRight")
    opened.frame()
    assert opened.run("planes.position().x") == pytest.approx(before["x"] + 1 / 32)
    opened.run("(y => { y.value = 0.3; y.dispatchEvent(new Event('input')); })(document.getElementById('y'))")
    opened.run(
        "(menu => { menu.value = 2; menu.dispatchEvent(new Event('change')); })(document.querySelector('select'))"
    )
    opened.frame()
    position = opened.run("planes.position()")
    assert position["y"] == pytest.approx(0.3)
    expected = model_codes(vae, "seed2", np.array([position["x"], position["y"]]))[0]
    np.testing.assert_allclose(opened.run("planes.codes()[0]"), expected, atol=0.02)


@needs_chromium
@pytest.mark.parametrize("patience", [1000, -1])
def test_the_decoded_picture_comes_at_once_or_after_a_pause(opened: Browser, dvae: fg.Run, patience: int) -> None:
    left, top, side = center(opened)
    opened.run(f"planes.data.patience = {patience}")
    opened.mouse(left + 0.7 * side, top + 0.3 * side)
    opened.frame()
    opened.wait("!document.querySelector('.stale')")
    words = opened.run("document.querySelectorAll('.decoded span')[1].textContent")
    categories = [int(number) for number in words.split("categories ")[1].split(", ")]
    found = opened.run(
        "(c => Array.from(c.getContext('2d').getImageData(0, 0, 16, 16).data).filter((_, i) => i % 4 === 0))"
        "(document.querySelectorAll('.decoded canvas')[1])"
    )
    expected = dvae.model("seed1").decode(np.array([categories]))
    assert np.abs(np.array(found) / 255 - expected.ravel()).max() < 2.5 / 255


@needs_chromium
def test_it_moves_by_itself_unless_that_is_unwanted(opened: Browser, page: Path) -> None:
    assert opened.run("document.getElementById('play').textContent") == "Play"
    opened.window(390, 844, touch=True, still=False)
    opened.open(page.as_uri())
    first = opened.run("planes.position()")
    opened.wait(f"JSON.stringify(planes.position()) !== {json.dumps(json.dumps(first))}")
    assert opened.run("document.documentElement.scrollWidth") == 390
    left, top, side = center(opened)
    opened.drag((left + side * 0.3, top + side * 0.3), (left + side * 0.5, top + side * 0.6))
    opened.frame()
    position = opened.run("planes.position()")
    np.testing.assert_allclose([position["x"], position["y"]], [0.5, 0.4], atol=0.02)
    assert opened.run("document.getElementById('play').textContent") == "Play"
