"""The lists of layers are the models: in NumPy, and in a browser that computes them with network.js."""

import dataclasses
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from browser import Browser, needs_chromium
from numpy_layers import compute
from untrained import KINDS, MASK, untrained

from factorgrid.errors import Error
from factorgrid.explorer.member_data import grid_data
from factorgrid.explorer.network import Grid, decoder_layers, encoder_layers, grid_of, half_precision
from factorgrid.explorer.page import network_data
from factorgrid.models.trained import TrainedModel

Shape = tuple[int, int, int]
SCRIPT = (Path(__file__).parents[2] / "factorgrid/explorer/network.js").read_text(encoding="utf-8")


def some_codes(model: TrainedModel) -> np.ndarray:
    """Categories that the model may choose, or numbers."""
    rng, grid = np.random.default_rng(1), grid_of(model)
    if grid is None:
        return rng.normal(size=(2, model.num_latents)).astype(np.float32)
    return np.stack([rng.choice(np.flatnonzero(active), 2) for active in grid.active], axis=1)


def some_images(shape: Shape) -> np.ndarray:
    return np.random.default_rng(2).random((2, *shape), dtype=np.float32)


def test_decoder_layers_are_the_decoder(model: TrainedModel, shape: Shape) -> None:
    codes, grid = some_codes(model), grid_of(model)
    places = codes
    if grid is not None:
        seen = grid.positions[..., None] if grid.vectors is None else grid.vectors
        places = np.concatenate([seen[i][codes[:, i]] for i in range(3)], axis=1)
    pixels = 1 / (1 + np.exp(-compute(decoder_layers(model, shape), places)))
    expected = model.decode(codes)
    assert expected.std() > 0.05  # pictures with something on them
    np.testing.assert_allclose(pixels.reshape(expected.shape), expected, atol=1e-4)


def test_encoder_layers_are_the_encoder(model: TrainedModel, shape: Shape) -> None:
    images = some_images(shape)
    numbers = compute(encoder_layers(model, shape), images.reshape(len(images), -1))
    grid = grid_of(model)
    if grid is None:
        np.testing.assert_allclose(numbers[:, : model.num_latents], model.encode(images), rtol=1e-4, atol=1e-4)
        return
    if grid.thresholds is not None:
        np.testing.assert_array_equal(rounded(grid, numbers), model.categorize(images))
        return
    if grid.vectors is not None:
        apart = numbers.reshape(2, 3, 1, -1) - grid.vectors
        np.testing.assert_array_equal((apart**2).sum(axis=-1).argmin(axis=-1), model.categorize(images))
        return
    logits = np.where(grid.active, numbers.reshape(2, *grid.active.shape), -np.inf)
    np.testing.assert_array_equal(logits.argmax(axis=-1), model.categorize(images))
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    expected = (shares / shares.sum(axis=-1, keepdims=True) * grid.positions).sum(axis=-1)
    np.testing.assert_allclose(expected, model.encode(images), atol=1e-4)


def test_a_mask_leaves_only_its_categories() -> None:
    grid = grid_of(untrained("mlp", (4, 4, 1), "masked"))
    assert grid is not None
    assert [tuple(np.flatnonzero(active)) for active in grid.active] == list(MASK)
    assert grid_of(untrained("mlp", (4, 4, 1), "gaussian")) is None


def rounded(grid: Grid, numbers: np.ndarray) -> np.ndarray:
    """The categories that thresholds make of numbers [n latent]."""
    order = grid.positions.argsort(axis=1)
    return order[np.arange(len(order)), (numbers[:, :, None] > grid.thresholds).sum(axis=-1)]


@pytest.mark.parametrize("kind", ["levels", "codebook", "values"])
def test_thresholds_are_where_the_latent_rounds(kind: str) -> None:
    autoencoder = untrained("mlp", (4, 4, 1), kind).autoencoder
    numbers = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    expected = np.asarray(autoencoder.latent.read(jnp.asarray(numbers), autoencoder.codebook).categories())
    assert len(np.unique(expected)) == 8
    grid = grid_of(TrainedModel(autoencoder))
    assert grid is not None
    np.testing.assert_array_equal(rounded(grid, numbers), expected)


def test_half_precision_rounds_every_weight() -> None:
    model = untrained("mlp", (4, 4, 1), "categorical")
    weight = half_precision(model).autoencoder.decoder.layers[0].weight
    original = model.autoencoder.decoder.layers[0].weight
    np.testing.assert_array_equal(weight, original.astype("float16").astype("float32"))
    assert not np.array_equal(weight, original)


def test_an_unknown_network_is_an_error() -> None:
    model = untrained("mlp", (4, 4, 1), "categorical")
    odd = TrainedModel(dataclasses.replace(model.autoencoder, encoder=lambda x: x, decoder=lambda x: x))
    for layers in (encoder_layers, decoder_layers):
        with pytest.raises(Error, match="cannot describe a network of type function"):
            layers(odd, (4, 4, 1))


def page_of(model: TrainedModel, shape: Shape, precision: str, path: Path) -> str:
    """A page with that model alone; its address."""
    grid = grid_of(model)
    member = {
        "discrete": grid is not None,
        "latents": [grid_data(grid, latent) for latent in range(model.num_latents)],
        "encoder": network_data(encoder_layers(model, shape), precision),
        "decoder": network_data(decoder_layers(model, shape), precision),
    }
    path.write_text(f"<!doctype html><script>{SCRIPT};var model = makeModel({json.dumps(member)});</script>")
    return path.as_uri()


@needs_chromium
@pytest.mark.parametrize("precision", ["half", "single"])
def test_a_browser_decodes_and_encodes_as_the_model_does(
    browser: Browser, model: TrainedModel, shape: Shape, precision: str, tmp_path: Path
) -> None:
    browser.open(page_of(model, shape, precision, tmp_path / "model.html"))
    assert browser.said == []
    codes, images = some_codes(model), some_images(shape)
    found = np.array(browser.run(f"{json.dumps(codes.tolist())}.map(code => Array.from(model.decode(code)))"))
    difference = np.abs(found.reshape(-1, *shape) - model.decode(codes)).max()
    assert difference < (2 / 255 if precision == "half" else 1e-4)
    pixels = json.dumps(images.reshape(2, -1).astype(float).round(6).tolist())
    seen = browser.run(f"{pixels}.map(pixels => [model.encode(pixels), model.code(pixels)])")
    values, expected_codes = [np.array(part) for part in zip(*seen)], model.encode(images)
    loose = 0.02 if precision == "half" else 1e-4
    np.testing.assert_allclose(values[1], expected_codes, atol=loose)
    if not model.discrete:
        np.testing.assert_allclose(values[0], expected_codes, atol=loose)
    elif precision == "single":
        np.testing.assert_array_equal(values[0], model.categorize(images))


def test_kinds_cover_every_layer() -> None:
    kinds = set()
    for architecture, shape, latent in KINDS.values():
        model = untrained(architecture, shape, latent)
        kinds |= {layer.kind for layer in (*encoder_layers(model, shape), *decoder_layers(model, shape))}
    assert kinds == {"dense", "conv", "transpose", "broadcast"}
