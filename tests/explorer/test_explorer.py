"""The latent explorer in a real browser: its pictures are the model's, and what a person can do works."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Browser, needs_chromium
from numpy_layers import compute
from PIL import Image
from untrained import untrained_run

import factorgrid as fg
from factorgrid.explorer import explore
from factorgrid.explorer.network import Layer
from factorgrid.explorer.page import TYPES, base64_of

NUM_IMAGES = 4
SMALL = {"image_size": 16}


@pytest.fixture(scope="module")
def page(dvae: fg.Run, vae: fg.Run, folder: Path) -> Path:
    """Both members of the D-VAE, best first, then the best VAE."""
    return explore([dvae, vae.path], members=["best", 0], out=folder / "both.html", num_images=NUM_IMAGES)


@pytest.fixture
def opened(page: Path, browser: Browser) -> Browser:
    browser.window(1280, 900)
    browser.open(page.as_uri())
    browser.frame()
    return browser


def data_of(page: Path) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    return json.loads(found.group(1))


def stored_images(run: fg.Run) -> np.ndarray:
    images, _ = run.dataset().draw(128 + NUM_IMAGES, 0)
    return images[:NUM_IMAGES]


def painted(browser: Browser, selector: str) -> np.ndarray:
    """Grey levels of a canvas, in 0..1."""
    browser.frame()
    found = browser.run(
        f"(c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data))"
        f"(document.querySelector({json.dumps(selector)}))"
    )
    return np.array(found).reshape(16, 16, 4)[..., :1] / 255


def codes(browser: Browser) -> list[list[float]]:
    return browser.run("explorer.codes()")


def slider(browser: Browser, row: int = 0) -> tuple[float, float, float, int]:
    """Left, right and middle height of a slider; its value."""
    box = browser.run(
        f"(s => {{ s.scrollIntoView({{block: 'center'}}); const b = s.getBoundingClientRect();"
        f"return [b.left, b.right, (b.top + b.bottom) / 2, Number(s.value)]; }})"
        f"(document.querySelectorAll('input[type=range]')[{row}])"
    )
    return tuple(box)


# --------------------------------------------------------------------------------------------- the file
def test_the_file_needs_nothing_else(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="|@import|url\(', text)
    assert "default-src 'none'" in text
    assert "{{" not in text


def test_members_are_in_the_order_of_their_scores(page: Path) -> None:
    members = data_of(page)["members"]
    assert [(m["method"], m["name"], m["scores"]) for m in members] == [
        ("D-VAE", "seed1", "MIG 50.0%"), ("D-VAE", "seed0", "MIG 25.0%"), ("VAE", "seed0", "MIG 30.0%"),
    ]  # fmt: skip
    assert [m["decoder"]["precision"] for m in members] == ["half"] * 3


def test_use_and_stored_codes_are_the_models(page: Path, dvae: fg.Run) -> None:
    data, images = data_of(page), stored_images(dvae)
    assert data["images"] == [base64_of((image * 255).round().astype(np.uint8)) for image in images]
    member = data["members"][0]
    assert member["codes"] == dvae.model("seed1").categorize(images).tolist()
    for latent in member["latents"]:
        assert len(latent["positions"]) == len(latent["use"]) == 12
        assert sum(latent["use"]) == pytest.approx(1, abs=1e-3)


def test_data_cannot_end_its_script(dvae: fg.Run, folder: Path) -> None:
    from factorgrid.explorer.page import write_page

    parts = {"skeleton": "explorer.html", "styles": [], "scripts": [], "title": "<b>&"}
    path = write_page(folder / "hostile.html", data={"name": "</script><script>{{title}}"}, **parts)
    assert data_of(path) == {"name": "</script><script>{{title}}"}
    assert "<title>&lt;b&gt;&amp;</title>" in path.read_text(encoding="utf-8")


def test_errors_say_what_to_do(dvae: fg.Run, plain: fg.Run, folder: Path) -> None:
    with pytest.raises(fg.Error, match="num_images must be at least 1"):
        explore(dvae, num_images=0)
    with pytest.raises(fg.Error, match=r"must share their data: .* on 'circles', .*own\.npz"):
        explore([dvae, plain])
    with pytest.raises(fg.Error, match="unknown member 'seed9'"):
        explore(dvae, members=["seed9"])
    with pytest.raises(fg.Error, match=r"no members are given; .* has: seed0"):
        explore(dvae, members=[])
    with pytest.raises(fg.Error, match="no run given"):
        explore([])
    (folder / "file").write_text("")
    with pytest.raises(fg.Error, match="cannot write"):
        explore(dvae, out=folder / "file" / "page.html", num_images=1)


def embedded(network: dict) -> list[Layer]:
    """The layers that a page holds."""
    numbers, layers = np.frombuffer(base64.b64decode(network["numbers"]), TYPES[network["precision"]]), []
    for layer in network["layers"]:
        weight, bias, numbers = np.split(numbers.astype(np.float32), [layer["weight"], layer["weight"] + layer["bias"]])
        shapes = tuple(layer["input"]), tuple(layer["output"])
        weight = weight.reshape(*shapes[0], *shapes[1])
        layers.append(Layer(layer["kind"], *shapes, weight, bias, relu=layer["relu"]))
    assert not numbers.size
    return layers


@pytest.fixture(scope="module", params=["fslq", "qlae", "qvae", "vq_per_latent"])
def quantised(request: pytest.FixtureRequest, folder: Path) -> tuple[fg.Run, Path]:
    kind = {"model": request.param, "num_categories": 7}
    run = untrained_run(folder / request.param, data="circles", seeds=1, data_options=SMALL, **kind)
    return run, explore(run, num_images=NUM_IMAGES)


def test_what_the_page_of_a_quantiser_holds_is_the_model(quantised: tuple[fg.Run, Path]) -> None:
    run, page = quantised
    model, (member,), images = run.model(0), data_of(page)["members"], stored_images(run)
    positions = np.array([latent["positions"] for latent in member["latents"]])
    seen = np.array([latent.get("vectors", np.array(latent["positions"])[:, None]) for latent in member["latents"]])
    code = np.random.default_rng(0).integers(0, 7, (20, 2))
    logits = compute(embedded(member["decoder"]), seen[np.arange(2), code].reshape(20, -1))
    expected = model.decode(code)
    assert expected.std() > 0.05
    np.testing.assert_allclose(1 / (1 + np.exp(-logits.reshape(expected.shape))), expected, atol=2 / 255)
    numbers = compute(embedded(member["encoder"]), images.reshape(NUM_IMAGES, -1))
    if "vectors" in member["latents"][0]:
        apart = numbers.reshape(NUM_IMAGES, 2, 1, -1) - seen
        found = (apart**2).sum(axis=-1).argmin(axis=-1)
    else:
        assert numbers.shape == (NUM_IMAGES, 2)
        thresholds = np.array([latent["thresholds"] for latent in member["latents"]])
        ranks = (numbers[:, :, None] > thresholds).sum(axis=-1)
        found = positions.argsort(axis=1)[np.arange(2), ranks]
    np.testing.assert_array_equal(found, model.categorize(images))
    assert member["codes"] == found.tolist()


# --------------------------------------------------------------------------------------------- in the browser
@needs_chromium
def test_nothing_is_asked_for_and_nothing_complains(opened: Browser, page: Path) -> None:
    opened.wait("document.body.dataset.strips")
    assert opened.said == []
    assert opened.requests == [page.as_uri()]
    refused = opened.run("fetch('https://example.org').then(() => 'sent', error => 'refused')")
    assert refused == "refused"


@needs_chromium
def test_pictures_are_the_models(opened: Browser, dvae: fg.Run, vae: fg.Run) -> None:
    models = [dvae.model("seed1"), dvae.model("seed0"), vae.model("seed0")]
    for m, model in enumerate(models):
        rng = np.random.default_rng(m)
        wanted = rng.integers(0, 12, (20, 2)) if model.discrete else rng.normal(size=(20, 2)).astype(np.float32)
        found = opened.run(f"{json.dumps(wanted.tolist())}.map(code => explorer.decode({m}, code))")
        assert np.abs(np.array(found).reshape(20, 16, 16, 1) - model.decode(wanted)).max() < 2 / 255
    shown = painted(opened, ".pictures .first canvas")
    expected = models[0].decode(np.array(codes(opened), int))[0]
    assert np.abs(shown - expected).max() < 2.5 / 255  # and rounded to whole grey levels
    opened.wait("document.body.dataset.strips")
    third = painted(opened, ".strip button:nth-child(3) canvas")
    varied = np.array(codes(opened), int)
    row = int(opened.run("document.querySelector('.latent h3').textContent.slice(1)"))
    varied[0, row] = 2
    assert np.abs(third - models[0].decode(varied)[0]).max() < 2.5 / 255


@needs_chromium
def test_stored_images_are_encoded_as_by_the_model(opened: Browser, dvae: fg.Run, vae: fg.Run) -> None:
    images = stored_images(dvae)
    pixels = json.dumps(images.reshape(NUM_IMAGES, -1).astype(float).tolist())
    found = opened.run(f"{pixels}.map(pixels => explorer.encode(0, pixels))")
    assert found == dvae.model("seed1").categorize(images).tolist()
    numbers = opened.run(f"{pixels}.map(pixels => explorer.encode(2, pixels))")
    np.testing.assert_allclose(numbers, vae.model("seed0").encode(images), atol=0.02)


@needs_chromium
def test_a_slider_moves_by_keys_and_by_touch(opened: Browser) -> None:
    opened.run("document.querySelector('input[type=range]').focus()")
    opened.key("Home")
    latent = int(opened.run("document.querySelector('.latent h3').textContent.slice(1)"))
    assert codes(opened)[0][latent] == 0
    before = painted(opened, ".pictures .first canvas")
    for _ in range(3):
        opened.key("ArrowRight")
    assert codes(opened)[0][latent] == 3
    assert np.abs(painted(opened, ".pictures .first canvas") - before).max() > 0
    said = opened.run("document.querySelector('input[type=range]').getAttribute('aria-valuetext')")
    assert said.startswith("category 3 at \u22120.45, used by ")
    opened.window(390, 844, touch=True)
    left, right, height, _ = slider(opened, 1)
    opened.drag((left + 20, height), (right - 2, height))
    assert slider(opened, 1)[3] == 11
    assert codes(opened)[0][1 - latent] == 11


@needs_chromium
def test_clicking_a_category_chooses_it(opened: Browser) -> None:
    x, y = opened.run(
        "(b => { b.scrollIntoView({block: 'center'}); const r = b.getBoundingClientRect();"
        "return [r.left + r.width / 2, r.top + r.height / 2]; })(document.querySelectorAll('.strip button')[7])"
    )
    opened.mouse(x, y, click=True)
    opened.frame()
    latent = int(opened.run("document.querySelector('.latent h3').textContent.slice(1)"))
    assert codes(opened)[0][latent] == 7
    assert opened.run("document.querySelector('.strip .now').textContent") == "7"


@needs_chromium
def test_random_reset_and_permalink(opened: Browser, page: Path) -> None:
    data, first = data_of(page), codes(opened)
    assert first == [data["members"][0]["codes"][0]]
    seen = set()
    for _ in range(8):
        opened.key("r")
        (code,) = codes(opened)
        assert all(data["members"][0]["latents"][i]["use"][c] > 0 for i, c in enumerate(code))  # only what is used
        seen.add(tuple(code))
    assert len(seen) > 1
    opened.key("]")
    opened.key("r")
    link, code = opened.run("explorer.link()"), codes(opened)
    opened.wait(f"location.hash === {json.dumps(link)}")
    opened.open(page.as_uri() + link)
    assert codes(opened) == code
    opened.key("0")
    assert codes(opened) == [data["members"][0]["codes"][1]]
    opened.open(page.as_uri() + "#image=99&model=7&code=1_oops&beside=-1")
    assert codes(opened) == first
    assert opened.said == []


@needs_chromium
def test_one_slider_moves_two_models(opened: Browser, page: Path) -> None:
    opened.open(page.as_uri() + "#model=0&beside=2")
    data, before = data_of(page), codes(opened)
    assert before == [data["members"][m]["codes"][0] for m in (0, 2)]
    assert opened.run("document.querySelectorAll('.pictures .side canvas').length") == 2
    opened.run("document.querySelector('input[type=range]').focus()")
    table = np.array(data["correlations"][0][2])
    own = int(opened.run("document.querySelector('.latent .first h3').textContent.slice(1)"))
    other = int(opened.run("document.querySelector('.latent .second h3').textContent.slice(1)"))
    assert np.abs(table).max() in (abs(table[own, other]), abs(table[1 - own, 1 - other]))
    opened.key("Home")
    low = codes(opened)[1][other]
    opened.key("End")
    assert codes(opened)[0][own] == 11
    assert np.sign(codes(opened)[1][other] - low) == np.sign(table[own, other])
    assert codes(opened)[1][1 - other] == before[1][1 - other]
    link, code = opened.run("explorer.link()"), codes(opened)
    opened.open(page.as_uri() + link)
    np.testing.assert_allclose(codes(opened)[1], code[1], atol=1e-4)


@needs_chromium
def test_a_picture_of_ones_own_is_encoded(opened: Browser, dvae: fg.Run, tmp_path: Path) -> None:
    image = (stored_images(dvae)[2] * 255).astype(np.uint8)
    Image.fromarray(image[..., 0]).save(tmp_path / "disc.png")
    opened.give_file("#file", tmp_path / "disc.png")
    opened.wait("document.querySelectorAll('.starts button').length === 5")
    assert codes(opened) == dvae.model("seed1").categorize(image[None]).tolist()
    assert opened.run("document.querySelector('.input figcaption').textContent") == "your image 1"
    (tmp_path / "odd.png").write_text("no picture")
    opened.give_file("#file", tmp_path / "odd.png")
    opened.wait("document.getElementById('status').textContent.startsWith('That file is not a picture')")


@needs_chromium
def test_the_copied_python_gives_the_picture(opened: Browser) -> None:
    opened.key("r")
    opened.key("c")
    opened.wait("!document.getElementById('python').hidden")
    names: dict = {}
    exec(opened.run("document.getElementById('python').textContent"), names)
    assert np.abs(painted(opened, ".pictures .first canvas") - names["image"]).max() < 2.5 / 255


@needs_chromium
@pytest.mark.parametrize("width", [375, 1280])
def test_it_fits_and_everything_has_a_name(opened: Browser, page: Path, width: int) -> None:
    opened.window(width, 800)
    opened.open(page.as_uri() + "#model=0&beside=2")
    opened.run("document.getElementById('open-all').click()")
    opened.frame()
    assert opened.run("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    nameless = opened.run("""[...document.querySelectorAll('button, input, select, canvas[role]')].filter(one =>
      !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')?.textContent.trim()))
      .map(one => one.outerHTML)""")
    assert nameless == []


@needs_chromium
def test_ones_own_colour_images_without_factors(browser: Browser, plain: fg.Run, folder: Path) -> None:
    path = explore(plain, num_images=2)
    assert path == plain.path / "explorer.html"
    browser.open(path.as_uri())
    assert browser.said == []
    assert browser.run("document.getElementById('heat-section').hidden")
    (code,) = codes(browser)
    found = np.array(browser.run(f"explorer.decode(0, {json.dumps(code)})")).reshape(1, 16, 16, 3)
    assert np.abs(found - plain.model(0).decode(np.array([code]))).max() < 2 / 255


@needs_chromium
def test_the_page_of_a_quantiser_encodes_and_decodes_as_the_model(
    browser: Browser, quantised: tuple[fg.Run, Path]
) -> None:
    run, page = quantised
    model = run.model(0)
    browser.window(1280, 900)
    browser.open(page.as_uri())
    assert browser.said == []
    prior = run.config.model == "qvae"
    assert ("KL" in browser.run("document.getElementById('latents').textContent")) == prior
    images = stored_images(run)
    pixels = json.dumps(images.reshape(NUM_IMAGES, -1).astype(float).tolist())
    assert browser.run(f"{pixels}.map(pixels => explorer.encode(0, pixels))") == model.categorize(images).tolist()
    wanted = np.random.default_rng(1).integers(0, 7, (20, 2))
    found = browser.run(f"{json.dumps(wanted.tolist())}.map(code => explorer.decode(0, code))")
    assert np.abs(np.array(found).reshape(20, 16, 16, 1) - model.decode(wanted)).max() < 2 / 255
