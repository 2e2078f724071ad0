"""The compiled group step: members are independent, seeds and the step decide everything, divergence is contained."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid import datasets
from factorgrid.errors import Error
from factorgrid.latents.schedule import cosine
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.labelled import labelled_batch, labelled_sets
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance, program
from factorgrid.training.weights import member_of

# One configuration wherever it will do: compiling is what these tests wait for.
CIRCLES = datasets.load("circles", image_size=32)
BASE = Config(
    data="circles", model="dvae", steps=50, architecture="mlp", num_latents=2, num_categories=8, learning_rate=1e-3
)


def run(config: Config, num_steps: int, dataset=CIRCLES):
    """State and terms after some steps of a fresh group."""
    group = make_group(config, Shapes.of(dataset))
    sets = labelled_sets(config, dataset)
    return advance(initial_state(group), group, dataset, sets[0] if sets else None, jnp.asarray(num_steps, jnp.int32))


def assert_close(one, other, *, rtol=2e-4, atol=2e-5) -> None:
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol)


@pytest.mark.parametrize("data_seed", [0, None])
def test_a_member_of_a_group_equals_the_same_member_trained_alone(data_seed):
    group = dataclasses.replace(
        BASE, model="beta_dvae", seeds=(3, 5), hyperparameters={"beta": (1.0, 4.0)}, data_seed=data_seed
    )
    state, _ = run(group, 10)
    for index, member in enumerate(group.members):
        grid = {"beta": (member.hyperparameters["beta"],)}
        alone = dataclasses.replace(group, seeds=(member.seed,), hyperparameters=grid)
        assert_close(member_of(state.params.model, index), member_of(run(alone, 10)[0].params.model, 0))


def test_members_with_other_seeds_differ():
    state, _ = run(dataclasses.replace(BASE, seeds=(0, 1)), 1)
    weights = np.asarray(state.params.model.encoder.layers[0].weight)
    assert not np.allclose(weights[0], weights[1])


def test_steps_taken_in_parts_equal_steps_taken_at_once():
    group = make_group(BASE, Shapes.of(CIRCLES))
    in_parts = initial_state(group)
    for count in (3, 1, 4):
        in_parts, _ = advance(in_parts, group, CIRCLES, None, jnp.asarray(count, jnp.int32))
    at_once, _ = run(BASE, 8)
    for a, b in zip(jax.tree.leaves(in_parts), jax.tree.leaves(at_once), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_any_number_of_steps_is_one_program():
    group = make_group(BASE, Shapes.of(CIRCLES))
    state = initial_state(group)
    state, _ = advance(state, group, CIRCLES, None, jnp.asarray(2, jnp.int32))
    before = program(group)._cache_size()
    for count in (1, 3, 5):
        state, _ = advance(state, group, CIRCLES, None, jnp.asarray(count, jnp.int32))
    assert program(group)._cache_size() == before
    assert int(state.step) == 11


def test_training_lowers_the_loss():
    group = make_group(BASE, Shapes.of(CIRCLES))
    state, first = advance(initial_state(group), group, CIRCLES, None, jnp.asarray(5, jnp.int32))
    state, _ = advance(state, group, CIRCLES, None, jnp.asarray(250, jnp.int32))
    _, last = advance(state, group, CIRCLES, None, jnp.asarray(5, jnp.int32))
    assert float(last["loss"][0]) < 0.7 * float(first["loss"][0])


def test_the_noise_scale_of_step_t_is_the_schedule_at_t_minus_1():
    _, terms = run(BASE, 1)
    assert float(terms["noise_scale"][0]) == pytest.approx(0.5)
    _, terms = run(BASE, 2)
    assert float(terms["noise_scale"][0]) == pytest.approx((0.5 + float(cosine(0.5, 2.0, 1, BASE.steps))) / 2)


def test_a_gaussian_sample_keeps_its_standard_deviation_all_through_training():
    config = dataclasses.replace(BASE, model="vae")
    for num_steps in (1, 40):
        _, terms = run(config, num_steps)
        assert float(terms["noise_scale"][0]) == 1.0


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.5), (75_000, 0.71967), (150_000, 1.25), (225_000, 1.78033), (300_000, 2.0)]
)
def test_schedule_values_of_the_paper_code(step, expected):
    assert float(cosine(0.5, 2.0, step, 300_000)) == pytest.approx(expected, abs=1e-5)


def test_a_member_that_diverges_is_frozen_at_its_last_finite_state_and_the_rest_goes_on():
    config = dataclasses.replace(BASE, model="beta_dvae", hyperparameters={"learning_rate": (1e-4, 1e12, 2e-4)})
    state, terms = run(config, 5)
    np.testing.assert_array_equal(np.asarray(state.alive), [True, False, True])
    assert np.isfinite(np.asarray(terms["loss"])[[0, 2]]).all()
    assert np.isnan(np.asarray(terms["loss"])[1])
    once, _ = run(config, 1)  # one step of that size leaves huge weights, and their loss overflows
    assert_close(member_of(state.params.model, 1), member_of(once.params.model, 1), rtol=0, atol=0)
    sound = dataclasses.replace(config, hyperparameters={"learning_rate": (1e-4, 2e-4)})
    assert_close(member_of(state.params.model, 0), member_of(run(sound, 5)[0].params.model, 0))


def test_labelled_batches_go_round_in_order():
    config = dataclasses.replace(BASE, labels=100, batch_size=64)
    sets = labelled_sets(config, CIRCLES)
    assert sets is not None
    assert [len(part.images) for part in sets] == [90, 10]
    batch = labelled_batch(sets[0], 64, jnp.asarray(1, jnp.int32))
    wanted = [*range(64, 90), *range(38)]
    np.testing.assert_array_equal(np.asarray(batch.images), np.asarray(sets[0].images)[wanted])
    np.testing.assert_array_equal(np.asarray(batch.factors), np.asarray(sets[0].factors)[wanted])


def test_the_labelled_set_does_not_depend_on_the_member_seed_but_on_its_own():
    images = [
        np.asarray(labelled_sets(dataclasses.replace(BASE, labels=20, **change), CIRCLES)[0].images)
        for change in ({}, {"seeds": (7,)}, {"label_seed": 1})
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (images[0] != images[2]).any()


def test_of_few_images_of_ones_own_none_trains_and_validates(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 64, 64), dtype=np.uint8)
    factors = np.stack([np.arange(30) % 3, np.arange(30) % 5], axis=1)
    factors[20:] = -1  # without labels
    np.savez(tmp_path / "own.npz", images=images, factors=factors)
    data = str(tmp_path / "own.npz")
    for resident in ("device", "host"):
        dataset = datasets.load(data, resident=resident)
        config = Config(data=data, model="dvae", labels=20, architecture="mlp")
        sets = labelled_sets(config, dataset)
        assert sets is not None
        assert [len(part.images) for part in sets] == [18, 2]
        seen = np.concatenate([np.asarray(part.images) for part in sets]).reshape(20, -1)
        assert len(np.unique(seen, axis=0)) == 20
        by_image = {image.tobytes(): label for image, label in zip(images, factors)}
        for part in sets:
            for image, label in zip(np.asarray(part.images), np.asarray(part.factors)):
                np.testing.assert_array_equal(by_image[(255 * image[..., 0]).round().astype(np.uint8).tobytes()], label)
        with pytest.raises(Error, match="has 20 labelled images, and labels=21"):
            labelled_sets(dataclasses.replace(config, labels=21), dataset)
