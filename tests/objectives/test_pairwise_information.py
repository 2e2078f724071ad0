"""Pairwise information from category probabilities against exact values of known joints."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.latents import CategoricalPosterior
from factorgrid.latents.categorical import Categorical
from factorgrid.models import Forward
from factorgrid.objectives.grid_tc_running import GridTCRunning
from factorgrid.objectives.pairwise_information import chance_information, joint_of, merged, pairwise_information

RNG = np.random.default_rng(0)
JOINT = np.array([[0.3, 0.05, 0.05], [0.05, 0.2, 0.05], [0.0, 0.1, 0.2]])
EXACT = float(
    np.nansum(JOINT * np.log(np.where(JOINT > 0, JOINT, np.nan) / np.outer(JOINT.sum(axis=1), JOINT.sum(axis=0))))
)


def draws(num: int) -> np.ndarray:
    cells = RNG.choice(9, size=num, p=JOINT.ravel())
    return np.eye(3, dtype=np.float32)[np.stack(np.divmod(cells, 3), axis=1)]


def test_many_one_hot_draws_give_the_information_of_their_joint():
    assert float(pairwise_information(joint_of(jnp.asarray(draws(200_000))))) == pytest.approx(EXACT, abs=0.005)


def test_without_dependence_there_is_none_and_with_three_copies_three_times_the_entropy():
    uniform = jnp.full((8, 3, 4), 0.25)
    assert float(pairwise_information(joint_of(uniform))) == pytest.approx(0, abs=1e-6)
    assert float(chance_information(uniform)) == pytest.approx(0, abs=1e-6)
    copies = jnp.asarray(np.repeat(np.eye(4, dtype=np.float32)[:, None], 3, axis=1))
    assert float(pairwise_information(joint_of(copies))) == pytest.approx(3 * np.log(4), rel=1e-5)


def test_small_batches_have_too_much_by_chance_and_the_correction_takes_most_of_it_off():
    batches = jnp.asarray(draws(64 * 4000).reshape(4000, 64, 2, 3))
    raw = float(jnp.mean(jax.vmap(lambda q: pairwise_information(joint_of(q)))(batches)))
    chance = float(jnp.mean(jax.vmap(chance_information)(batches)))
    assert raw - EXACT > 0.02
    assert abs(raw - chance - EXACT) < 0.25 * (raw - EXACT)


def test_for_one_hot_draws_the_correction_is_millers_by_occupied_cells():
    batch = draws(64)
    cells = len({tuple(row) for row in batch.argmax(axis=-1)})
    occupied = [len(set(column)) for column in batch.argmax(axis=-1).T]
    expected = ((cells - 1) - (occupied[0] - 1) - (occupied[1] - 1)) / (2 * 64)
    assert float(chance_information(jnp.asarray(batch))) == pytest.approx(expected, rel=1e-4)


def test_neighbours_are_merged_and_keep_their_probability():
    q = jnp.asarray(RNG.dirichlet(np.ones(64), size=(5, 2)), jnp.float32)
    found = merged(q, 8)
    assert found.shape == (5, 2, 8)
    np.testing.assert_allclose(found, np.asarray(q).reshape(5, 2, 8, 8).sum(axis=-1), rtol=1e-5)


def test_the_running_histogram_comes_to_the_exact_value_from_small_batches():
    objective = GridTCRunning(forgetting=0.005)
    memory = objective.init_memory(Categorical(2, 3))
    for _ in range(400):
        logits = jnp.asarray(np.where(draws(64) > 0, 30.0, 0.0), jnp.float32)
        posterior = CategoricalPosterior(logits)
        memory = objective.update(memory, (Forward(posterior, logits, logits[..., 0], logits[:, None]),))
    assert float(pairwise_information(memory.sums / memory.weight)) == pytest.approx(EXACT, abs=0.03)
