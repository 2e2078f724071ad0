"""FSQ and QLAE against their definitions in NumPy and their authors' code, their gradients, and that codebooks receive
their updates."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factorgrid.latents import LATENTS
from factorgrid.latents.abilities import Dense, Discrete, Divergent, Enumerable, Maskable, Probabilistic, Real, has
from factorgrid.latents.fslq import FSLQ
from factorgrid.latents.fsq import FSQ
from factorgrid.latents.qlae import QLAE
from factorgrid.latents.straight_through import WAY_BACK, returning_tanh

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(size=(50, 3)) * 3
QUANTISERS = {"fslq": FSLQ(3, 7), "fsq": FSQ(3, 7), "qlae": QLAE(3, 7)}
KEY = jax.random.key(0)


def posterior_of(name: str, outputs=OUTPUTS):
    latent = QUANTISERS[name]
    return latent.read(jnp.asarray(outputs, jnp.float32), latent.init(KEY))


@pytest.mark.parametrize("levels", [2, 5, 8, 64])
def test_fsq_is_its_formula_and_reaches_every_level(levels):
    e = np.linspace(-12, 12, 4001)
    half, offset = (levels - 1) * 1.001 / 2, 0.0 if levels % 2 else 0.5
    bounded = np.tanh(e + np.arctanh(offset / half)) * half - offset
    found = FSQ(1, levels).read(jnp.asarray(e, jnp.float32)[:, None])
    away = np.abs(bounded - np.floor(bounded) - 0.5) > 1e-4  # where float32 rounds as float64 does
    np.testing.assert_allclose(np.asarray(found.hard())[away, 0], (np.round(bounded) / (levels // 2))[away], atol=1e-6)
    categories = np.asarray(found.categories())[:, 0]
    assert set(categories) == set(range(levels))
    np.testing.assert_allclose(FSQ(1, levels).positions()[0, categories], found.hard()[:, 0], atol=1e-6)


def test_qlae_takes_the_nearest_value_of_each_dimension():
    values = np.sort(RNG.normal(size=(3, 7)), axis=1)
    found = QUANTISERS["qlae"].read(jnp.asarray(OUTPUTS, jnp.float32), jnp.asarray(values, jnp.float32))
    nearest = np.abs(OUTPUTS[:, :, None] - values[None]).argmin(axis=-1)
    np.testing.assert_array_equal(found.categories(), nearest)
    np.testing.assert_allclose(found.codes(), np.take_along_axis(values.T, nearest, axis=0), rtol=1e-6)


AUTHORS = json.loads((Path(__file__).parent / "golden" / "quantisers_public.json").read_text())


def single(values):
    return jnp.asarray(values, jnp.float32)


def test_qlae_is_its_authors():
    known = AUTHORS["qlae"]
    latent, outputs, values = (
        QLAE(3, 5, quantization=1.0, commitment=1.0),
        single(known["outputs"]),
        single(known["values"]),
    )
    found = latent.read(outputs, values)
    np.testing.assert_array_equal(found.categories(), known["categories"])
    np.testing.assert_allclose(found.codes(), known["quantized"], atol=1e-6)
    np.testing.assert_allclose(found.sample(KEY, 1.0), known["decoded"], atol=1e-6)
    np.testing.assert_allclose(QLAE(2, 5).init(KEY), [known["first_values"]] * 2, atol=1e-7)

    def term(name, outputs, values):
        """Theirs are means over the three latents, ours sums."""
        return latent.terms(latent.read(outputs, values))[name] / 3

    def seen(outputs):
        return term("commitment", outputs, values) + jnp.sum(jnp.sin(latent.read(outputs, values).sample(KEY, 1.0)))

    for name in ("quantization", "commitment"):
        assert float(term(name, outputs, values)) == pytest.approx(known[name], rel=1e-5)
    to_values = jax.grad(lambda values: term("quantization", outputs, values))(values)
    np.testing.assert_allclose(to_values, known["gradient_of_values"], atol=1e-6)
    np.testing.assert_allclose(jax.grad(seen)(outputs), known["gradient_of_outputs"], atol=1e-5)


def test_fslq_is_its_authors():
    known = AUTHORS["fslq"]
    latent, outputs = FSLQ(2, known["num_categories"]), single(known["outputs"])
    found = latent.read(outputs)
    np.testing.assert_allclose(found.soft(), known["bounded"], atol=1e-6)
    np.testing.assert_allclose(found.codes(), known["quantized"], atol=1e-6)
    slope = jax.grad(lambda outputs: jnp.sum(jnp.sin(latent.read(outputs).sample(KEY, 1.0))))(outputs)
    np.testing.assert_allclose(slope, known["gradient_of_outputs"], atol=1e-5)


@pytest.mark.parametrize("name", QUANTISERS)
def test_the_decoder_sees_rounded_codes_with_the_gradient_of_unrounded_ones(name):
    posterior = posterior_of(name)
    np.testing.assert_allclose(posterior.sample(KEY, 1.0), posterior.hard(), atol=1e-6)

    def total(which):
        return jax.grad(lambda x: jnp.sum(jnp.sin(which(QUANTISERS[name].read(x, QUANTISERS[name].init(KEY))))))

    x = jnp.asarray(OUTPUTS, jnp.float32)
    straight = total(lambda p: p.sample(KEY, 1.0))(x)
    slope = jax.grad(lambda x: jnp.sum(QUANTISERS[name].read(x, QUANTISERS[name].init(KEY)).soft()))(x)
    np.testing.assert_allclose(straight, jnp.cos(posterior.hard()) * slope, atol=1e-5)


def test_qlae_terms_are_squared_distances_and_pull_both_ways():
    latent = QLAE(3, 7, quantization=2.0, commitment=0.5)
    codebook = latent.init(KEY)

    def terms(outputs, codebook):
        found = latent.terms(latent.read(outputs, codebook))
        return found["quantization"], found["commitment"]

    outputs = jnp.asarray(OUTPUTS, jnp.float32)
    posterior = latent.read(outputs, codebook)
    distance = float(np.mean(np.sum((np.asarray(posterior.hard(), np.float64) - OUTPUTS) ** 2, axis=1)))
    assert [float(term) for term in terms(outputs, codebook)] == pytest.approx([2 * distance, 0.5 * distance], rel=1e-5)
    to_outputs, to_values = jax.grad(lambda *args: terms(*args)[0], argnums=(0, 1))(outputs, codebook)
    assert not np.asarray(to_outputs).any()
    used = np.zeros((3, 7), bool)
    used[np.arange(3)[None], np.asarray(posterior.categories())] = True
    np.testing.assert_array_equal(np.asarray(to_values) != 0, used)
    to_outputs, to_values = jax.grad(lambda *args: terms(*args)[1], argnums=(0, 1))(outputs, codebook)
    assert np.asarray(to_outputs).any()
    assert not np.asarray(to_values).any()


def test_abilities_follow_from_methods():
    can = {name: {a.__name__ for a in (Divergent, Dense, Discrete, Probabilistic, Real, Enumerable, Maskable)
                  if has(latent, a)} for name, latent in LATENTS.items()}  # fmt: skip
    assert can == {
        "plain": set(),
        "gaussian": {"Divergent", "Dense", "Real"},
        "categorical": {"Divergent", "Dense", "Discrete", "Probabilistic", "Enumerable", "Maskable"},
        "fslq": {"Discrete", "Enumerable"},
        "fsq": {"Discrete", "Enumerable"},
        "qlae": {"Discrete", "Enumerable"},
        "qvae": {"Divergent", "Dense", "Discrete", "Probabilistic", "Enumerable"},
        "vq": {"Discrete", "Enumerable"},
    }


@pytest.mark.parametrize("name", [name for name, latent in LATENTS.items() if has(latent, Discrete)])
def test_categories_lie_where_positions_say(name):
    latent = LATENTS[name](3, 7)
    codebook = latent.init(KEY)
    posterior = latent.read(jnp.asarray(RNG.normal(size=(20, latent.num_parameters)), jnp.float32), codebook)
    table, categories = latent.positions(codebook), np.asarray(posterior.categories())
    assert table.shape == (3, 7)
    seen = latent.embed(jnp.asarray(table[np.arange(3), categories]), codebook)
    assert seen.shape == (20, latent.width)
    np.testing.assert_allclose(posterior.latents(posterior.hard()), seen, atol=1e-6)


@settings(deadline=None)  # the first call compiles
@given(st.floats(-2.5, 2.5), st.floats(-3, 3))
def test_where_a_tanh_is_steep_enough_its_gradient_is_its_own(x, weight):
    value, gradient = jax.value_and_grad(lambda x: weight * returning_tanh(x))(single(x))
    assert value == pytest.approx(weight * np.tanh(x), rel=1e-5, abs=1e-6)
    assert gradient == pytest.approx(weight / np.cosh(x) ** 2, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_saturated_latent_can_return_and_is_pushed_no_further(side):
    slope = jax.grad(lambda x, weight: weight * returning_tanh(x))
    far = single(side * 20.0)
    assert jax.grad(jnp.tanh)(far) == 0
    assert slope(far, side * 3.0) == pytest.approx(side * 3.0 * WAY_BACK)  # descent goes inwards
    assert slope(far, side * -3.0) == 0  # outwards


@pytest.mark.parametrize("latent", [FSLQ(3, 64), FSQ(3, 64)])
def test_quantisers_return_from_the_ends_of_their_grids(latent):
    def loss(parameters):
        posterior = latent.read(parameters)
        return ((posterior.sample(jax.random.key(0), 1.0) - 0.25) ** 2).sum()

    parameters = jnp.asarray([[-15.0, 0.0, 15.0]])
    ends = latent.read(parameters).codes()
    descend = jax.jit(lambda start: jax.lax.fori_loop(0, 6_000, lambda _, x: x - jax.grad(loss)(x), start))
    parameters = descend(parameters)
    assert np.abs(ends[0, [0, 2]]).min() > 0.9
    np.testing.assert_allclose(latent.read(parameters).codes(), 0.25, atol=1 / 32)
