"""Tripod's two terms against independent evaluations in float64, and against its authors' code."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from factorgrid.objectives.tripod import hessian_penalty, kernel_multi_information

RNG = np.random.default_rng(0)


def test_multi_information_is_the_log_ratio_of_two_kernel_densities():
    points, spread = RNG.normal(size=(8, 3)), np.array([0.5, 1.0, 2.0])
    factor = (4 / 5) ** (1 / 7) * 8 ** (-1 / 7)
    values = []
    for point in points:
        joint = stats.norm(points, spread * factor).logpdf(point).sum(axis=1)
        single = stats.norm(points, spread).logpdf(point)
        values.append(logsumexp(joint) - np.log(8) - (logsumexp(single, axis=0) - np.log(8)).sum())
    found = kernel_multi_information(jnp.asarray(points, jnp.float32), jnp.asarray(spread, jnp.float32))
    assert float(found) == pytest.approx(np.mean(values), rel=1e-4)


def penalty(function, directions: int) -> float:
    points = jnp.asarray(RNG.normal(size=(4, 2)), jnp.float32)
    return float(hessian_penalty(lambda z: (function(z),), points, jnp.ones(2), 0.1, directions, jax.random.key(0)))


def test_latents_that_do_not_interact_are_not_penalised_and_those_that_do_are():
    """Of z1^2 + z2^2 all mixed derivatives are 0. Of z1 z2 they are all there is: signs give 4 and normals 4, too."""
    assert penalty(lambda z: z[:, :1] ** 2 + z[:, 1:] ** 2, 50) < 1e-4
    assert penalty(lambda z: z[:, :1] * z[:, 1:], 2000) == pytest.approx(1.0, rel=0.1)


AUTHORS = json.loads((Path(__file__).parent / "golden" / "tripod_public.json").read_text())


def single(values):
    return jnp.asarray(values, jnp.float32)


def test_multi_information_is_its_authors():
    known = AUTHORS["multi_information"]
    points, spread = single(known["latents"]), single(known["spread"])
    value, slope = jax.value_and_grad(kernel_multi_information)(points, spread)
    assert float(value) == pytest.approx(known["mean"], rel=1e-5)
    np.testing.assert_allclose(slope, known["gradient"], atol=1e-5)


def test_the_hessian_penalty_of_one_image_is_its_authors(monkeypatch):
    """With the same directions. Of several images they take the mean of the ratios, we the ratio of the means."""
    known = AUTHORS["hessian"]
    signs, normal = (single(known[name])[:, None] for name in ("signs", "normal"))
    monkeypatch.setattr(jax.random, "rademacher", lambda key, shape, dtype: signs)
    monkeypatch.setattr(jax.random, "normal", lambda key, shape, dtype: normal)
    first, second = (single(weights) for weights in known["weights"])

    def activations(latents):
        hidden = jnp.tanh(latents @ first)
        return hidden, jnp.tanh(hidden @ second)

    def of_layers(chosen):
        return float(hessian_penalty(lambda z: tuple(activations(z)[i] for i in chosen), single(known["latents"])[None],
                                     single(known["spread"]), known["step"], 3, jax.random.key(0)))  # fmt: skip

    layers = known["normalised"]
    assert of_layers([0]) == pytest.approx(layers["first"], rel=1e-3)
    assert of_layers([1]) == pytest.approx(layers["second"], rel=1e-3)
    assert of_layers([0, 1]) == pytest.approx(layers["first"] + layers["second"], rel=1e-3)
