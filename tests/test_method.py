"""The contract of a method: pairs of images, a memory without gradient, decay, clips and rates of its own."""

import dataclasses
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.config import Config
from factorgrid.datasets import Batch
from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.errors import Error
from factorgrid.latents.fsq import FSQ, FSQPosterior
from factorgrid.latents.latent import Latent, Posterior
from factorgrid.method import Optimizer, Params
from factorgrid.objectives import Context, Loss, Objective
from factorgrid.objectives.objective import reconstruction
from factorgrid.training.groups import Shapes, make_group, stack
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance

DATA = sized_circles(image_size=8)
CONFIG = Config(
    data="circles", model="fsq", seeds=(0, 1), steps=10, batch_size=16, architecture="mlp", num_latents=2,
    num_categories=64, learning_rate=1e-3,
)  # fmt: skip
THREE = jnp.asarray(3, jnp.int32)


def group_with(**parts: Any):
    group = make_group(CONFIG, Shapes.of(DATA))
    return dataclasses.replace(group, method=dataclasses.replace(group.method, **parts))


class TwoViews(Objective):
    """Two images of the same factors should have the same code: an objective that one image cannot express."""

    requires: ClassVar[tuple[type, ...]] = ()
    views: ClassVar[int] = 2
    weight: Any = 1.0

    def draw(self, dataset, key, num):
        first = dataset.sample(key, num)
        return first, Batch(dataset.images(jax.random.fold_in(key, 9), first.factors), first.factors)

    def loss(self, passes, batch, context: Context) -> Loss:
        terms = {"reconstruction": reconstruction(passes[0].logits, batch[0].images)}
        terms["apart"] = jnp.mean((passes[0].posterior.codes() - passes[1].posterior.soft()) ** 2)
        terms["same_factors"] = jnp.mean((batch[0].factors == batch[1].factors).astype(jnp.float32))
        terms["same_images"] = jnp.mean((batch[0].images == batch[1].images).astype(jnp.float32))
        return Loss(terms["reconstruction"] + self.weight * terms["apart"], terms)


def test_an_objective_may_see_two_images_an_example():
    group = group_with(objective=stack([TwoViews(1.0), TwoViews(2.0)]))
    state, terms = advance(initial_state(group), group, DATA, None, THREE)
    assert np.asarray(state.alive).all()
    np.testing.assert_array_equal(terms["same_factors"], 1.0)
    assert (np.asarray(terms["same_images"]) < 1).all()  # a circle lies anywhere within its bin
    np.testing.assert_allclose(
        terms["loss"], terms["reconstruction"] + jnp.asarray([1.0, 2.0]) * terms["apart"], rtol=1e-5
    )


class Counting(Latent):
    """FSQ that counts how often each category is used."""

    posterior: ClassVar[type[Posterior]] = FSQPosterior
    num_latents: int = eqx.field(static=True, default=2)

    @property
    def num_parameters(self) -> int:
        return self.num_latents

    def read(self, parameters, codebook):
        return FSQ(self.num_latents, 8).read(parameters, codebook)

    def init_memory(self, key):
        return jnp.zeros((self.num_latents, 8))

    def update(self, memory, posterior):
        return memory + jnp.sum(jax.nn.one_hot(posterior.categories(), 8), axis=0)


def test_a_memory_is_updated_without_a_gradient_and_kept_between_steps():
    group = group_with(latent=Counting())
    state, _ = advance(initial_state(group), group, DATA, None, THREE)
    np.testing.assert_array_equal(state.memory.latent.sum(axis=-1), 3 * 16)
    state, _ = advance(state, group, DATA, None, THREE)
    np.testing.assert_array_equal(state.memory.latent.sum(axis=-1), 6 * 16)


def test_decay_shrinks_weights_and_not_biases_and_a_clip_is_elementwise():
    params = {"weight": jnp.full(3, 2.0), "bias": jnp.full(3, 2.0)}
    holder = Params(Holder(**params))
    zero = jax.tree.map(jnp.zeros_like, holder)
    rule = Optimizer(0.1, decay=0.5).make()
    with jax.numpy_dtype_promotion("standard"):
        updates, _ = rule.update(zero.model, rule.init(holder.model), holder.model)
    np.testing.assert_allclose(updates.weight, -0.1 * 0.5 * 2.0, rtol=1e-6)
    np.testing.assert_array_equal(updates.bias, 0.0)
    gradient = Holder(jnp.asarray([1e-3, 5.0, -9.0]), jnp.zeros(3))
    rule = Optimizer(1.0, clip=1.0).make()
    with jax.numpy_dtype_promotion("standard"):
        _, state = rule.update(gradient, rule.init(gradient), gradient)
    moments = next(leaf for leaf in jax.tree.leaves(state) if leaf.shape == (3,))
    np.testing.assert_allclose(moments, 0.1 * np.asarray([1e-3, 1.0, -1.0]), rtol=1e-5)


class Holder(eqx.Module):
    weight: jax.Array
    bias: jax.Array


def test_learning_rates_may_differ_within_a_group():
    config = dataclasses.replace(CONFIG, seeds=(0,), hyperparameters={"learning_rate": (1e-3, 1e-5)})
    group = make_group(config, Shapes.of(DATA))
    start = initial_state(group)
    before = np.asarray(start.params.model.decoder.layers[2].bias)
    after = np.asarray(
        advance(start, group, DATA, None, jnp.asarray(1, jnp.int32))[0].params.model.decoder.layers[2].bias
    )
    moved = np.abs(after - before).max(axis=1)
    assert moved[0] == pytest.approx(1e-3, rel=0.01)
    assert moved[1] == pytest.approx(1e-5, rel=0.01)


def test_wrong_widths_and_architecture_options_are_refused():
    with pytest.raises(Error, match="architecture 'broadcast' has no option 'depth'"):
        initial_state(
            make_group(dataclasses.replace(CONFIG, architecture="broadcast", depth=3), Shapes((64, 64, 1), None))
        )
