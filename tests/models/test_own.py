"""A user's own networks: the page's example is trained, saved, and loaded elsewhere; what does not fit is an error."""

import re
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import factorgrid as fg
from factorgrid.latents import Gaussian
from factorgrid.models import Networks

PAGE = Path(__file__).parents[2] / "docs/own_networks.md"


def example() -> str:
    """The first Python block of the page."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_trained_and_loaded_elsewhere(tmp_path, monkeypatch):
    assert len(example().strip().splitlines()) <= 20
    (tmp_path / "my_networks.py").write_text(example(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    options = {
        "architecture": "my_networks:make_networks",
        "image_size": 16,
        "learning_rate": 1e-3,
        "batch_size": 16,
        "num_latents": 3,
    }
    run = fg.train(data="circles", model="dvae", seeds=2, steps=30, out="run", quiet=True, decay=0.1, **options)
    history = run.history.groupby("step")["loss"].mean()
    assert history.iloc[-1] < history.iloc[0]
    images, _ = run.dataset().draw(4, seed=0)
    codes = run.model(1).encode(images)
    assert run.model(1).decode(codes).shape == images.shape
    assert not np.allclose(codes, run.model(0).encode(images))
    np.save("images.npy", images)
    elsewhere = (
        "import numpy as np, factorgrid as fg; print(fg.load_run('run').model(1).encode(np.load('images.npy')).sum())"
    )
    printed = subprocess.run([sys.executable, "-c", elsewhere], capture_output=True, text=True, check=True).stdout
    assert float(printed) == pytest.approx(codes.sum(), abs=1e-4)
    with pytest.raises(fg.Error, match="cannot describe a network of type OneByOne"):
        fg.explore(run, out=tmp_path / "page.html")


def good(image_shape, num_parameters, num_latents, *, key):
    first, second = jax.random.split(key)
    flat = int(np.prod(image_shape))
    encoder = eqx.nn.Sequential([eqx.nn.Lambda(jnp.ravel), eqx.nn.MLP(flat, num_parameters, 8, 1, key=first)])
    decoder = eqx.nn.Sequential(
        [eqx.nn.MLP(num_latents, flat, 8, 1, key=second), eqx.nn.Lambda(lambda x: x.reshape(image_shape))]
    )
    return encoder, decoder


def alone(*shapes, key):
    return good(*shapes, key=key)[0]


def narrow(image_shape, num_parameters, num_latents, *, key):
    return good(image_shape, num_parameters - 1, num_latents, key=key)


class Counting(eqx.Module):
    inner: eqx.Module
    count: jax.Array

    def __call__(self, x):
        return self.inner(x)


def counting(*shapes, key):
    encoder, decoder = good(*shapes, key=key)
    return Counting(encoder, jnp.zeros(3, jnp.int32)), decoder


def failing(*shapes, key):
    return good(*shapes, key=key)[1], good(*shapes, key=key)[1]


class Wordless(eqx.Module):
    def __call__(self, x):
        raise AssertionError


def wordless(*shapes, key):
    return Wordless(), good(*shapes, key=key)[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wordless", r"the encoder of own_for_tests:wordless fails .*: AssertionError"),
        ("alone", "must return an encoder and a decoder, got Sequential"),
        ("narrow", r"the encoder of own_for_tests:narrow gives \(3,\) of one \[8, 8, 1\], not \[4\]"),
        ("counting", "the encoder of own_for_tests:counting holds an array of int32"),
        ("failing", r"the encoder of own_for_tests:failing fails for an input of shape \[8, 8, 1\]"),
        ("absent", "module 'own_for_tests' has no function 'absent'"),
    ],
)
def test_what_does_not_fit_is_an_error(name, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "own_for_tests", sys.modules[__name__])
    assert Networks("own_for_tests:good", (8, 8, 1)).build(Gaussian(2), jax.random.key(0)).codebook is None
    with pytest.raises(fg.Error, match=message):
        Networks(f"own_for_tests:{name}", (8, 8, 1)).build(Gaussian(2), jax.random.key(0))


def test_a_module_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(fg.Error, match="architecture 'no_such_module:make' cannot be imported"):
        fg.train(
            data="circles", model="vae", steps=1, out=tmp_path / "run", architecture="no_such_module:make", quiet=True
        )
    assert not (tmp_path / "run").exists()
    with pytest.raises(fg.Error, match="architecture 'json:loads' has no option 'width'"):
        Networks("json:loads", (8, 8, 1), width=3).build(Gaussian(2), jax.random.key(0))
    with pytest.raises(fg.Error, match="unknown architecture 'mpl'; did you mean 'mlp'"):
        fg.train(data="circles", model="vae", architecture="mpl")
