"""Precision of products: what each option rounds, in gradients too, and that the default is exact on a CPU."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.errors import Error
from factorgrid.layers.product import PRECISIONS, product, products_in
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance

RNG = np.random.default_rng(0)
X, W = (jnp.asarray(RNG.normal(size=size), jnp.float32) for size in ((3, 5, 40), (40, 7)))


def rounded(a: jax.Array) -> np.ndarray:
    return np.asarray(a.astype(jnp.bfloat16), np.float64)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_products_and_gradients_have_the_precision(precision: str) -> None:
    with products_in(precision):
        out, pull = jax.vjp(product, X, W)
        gradient_x, gradient_w = pull(jnp.ones_like(out) * 0.3)
    operand = rounded if precision == "bfloat16" else np.asarray
    cotangent = operand(jnp.full((3, 5, 7), 0.3, jnp.float32)).astype(np.float64)
    assert {leaf.dtype for leaf in (out, gradient_x, gradient_w)} == {jnp.dtype("float32")}
    # 40 terms of size 1 summed in float32
    np.testing.assert_allclose(out, operand(X).astype(np.float64) @ operand(W), atol=2e-5)
    np.testing.assert_allclose(gradient_x, cotangent @ operand(W).T, atol=2e-5)
    expected = operand(X).astype(np.float64).reshape(-1, 40).T @ cotangent.reshape(-1, 7)
    np.testing.assert_allclose(gradient_w, expected, atol=2e-5)


def test_a_gradient_has_the_precision_of_the_block_its_product_was_in() -> None:
    """As in a training step, where only the loss is computed inside: the backward pass is traced later."""

    def loss(w):
        with products_in("bfloat16"):
            return product(X, w).sum()

    gradient = jax.grad(loss)(W)
    expected = rounded(X).reshape(-1, 40).T @ np.ones((15, 7))
    np.testing.assert_allclose(gradient, expected, atol=2e-5)
    assert np.abs(gradient - np.asarray(X, np.float64).reshape(-1, 40).T @ np.ones((15, 7))).max() > 1e-3


def test_sixteen_bit_activations_stay_so_and_sums_are_float32() -> None:
    x = X.astype(jnp.bfloat16)
    bias = jnp.linspace(-20.0, 20.0, 7)
    with products_in("bfloat16"):
        out, pull = jax.vjp(lambda x, w, b: product(x, w, b, relu=True), x, W, bias)
    expected = np.maximum(rounded(X) @ rounded(W) + np.asarray(bias), 0)
    assert out.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(out, np.float64), expected, rtol=2**-8)  # rounded once
    gradient_x, gradient_w, gradient_bias = pull(jnp.full_like(out, 3.0))
    assert (gradient_x.dtype, gradient_w.dtype, gradient_bias.dtype) == (jnp.bfloat16, jnp.float32, jnp.float32)
    passed = 3.0 * (expected > 0)
    np.testing.assert_allclose(np.asarray(gradient_x, np.float64), passed @ rounded(W).T, rtol=2**-8, atol=1e-6)
    np.testing.assert_allclose(gradient_w, rounded(X).reshape(-1, 40).T @ passed.reshape(-1, 7), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(gradient_bias, passed.sum((0, 1)))


def test_the_precision_ends_with_its_block() -> None:
    with products_in("bfloat16"):
        coarse = product(X, W)
    assert np.abs(product(X, W) - X @ W).max() == 0
    assert np.abs(coarse - X @ W).max() > 1e-3


@pytest.mark.parametrize("architecture", ["mlp", "conv64", "broadcast"])
def test_a_group_trains_in_bfloat16_with_float32_weights(architecture: str) -> None:
    data = datasets.load("circles", image_size=16)
    config = Config(
        data="circles", model="dvae", steps=20, batch_size=4, architecture=architecture, num_latents=2,
        num_categories=4,
    )  # fmt: skip
    losses = {}
    for precision in PRECISIONS:
        group = make_group(dataclasses.replace(config, precision=precision), Shapes.of(data))
        state, terms = advance(initial_state(group), group, data, None, jnp.asarray(20, jnp.int32))
        assert {leaf.dtype for leaf in jax.tree.leaves(state.params.model)} == {jnp.dtype("float32")}
        losses[precision] = float(terms["loss"][0])
    assert losses["tf32"] == losses["float32"]  # a CPU has no TF32
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.01)


def test_unknown_precision() -> None:
    with pytest.raises(Error, match=r"unknown precision 'bf16'.*bfloat16"):
        Config(data="circles", model="dvae", precision="bf16")
