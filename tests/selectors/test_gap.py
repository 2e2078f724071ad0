"""The straight-through gap against its definition in float64: both versions, its limits, and quantisers."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.objectives.factor_vae import FactorVAE
from factorgrid.selectors import straight_through_gap
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group, stack
from factorgrid.training.state import Group, State, initial_state
from factorgrid.training.step import views_of

DATA = sized_circles(image_size=12)
GAMMA = (0.0, 20.0)
NUM_BATCHES = 23  # not a multiple of what is computed at a time
CONFIG = Config(
    data="circles", model="factor_dvae", architecture="mlp", num_latents=3, num_categories=8, batch_size=16,
    hyperparameters={"gamma": GAMMA}, data_seed=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def group() -> Group:
    made = make_group(CONFIG, Shapes.of(DATA))
    narrow = stack([FactorVAE(gamma=gamma, width=16) for gamma in GAMMA])
    return dataclasses.replace(made, method=dataclasses.replace(made.method, objective=narrow))


@pytest.fixture(scope="module")
def state(group: Group) -> State:
    """Fresh weights, with larger logits so that codes are neither flat nor one-hot."""
    return with_logits_times(initial_state(group), 3.0)


def with_logits_times(state: State, factor: float) -> State:
    weight = state.params.model.encoder.layers[2].weight
    return eqx.tree_at(lambda s: s.params.model.encoder.layers[2].weight, state, factor * weight)


def in_numpy(state: State, group: Group) -> dict[str, np.ndarray]:
    """|mean hard - mean soft| over the first batches of the training stream; the KL is the same in both."""
    images = [np.asarray(views_of(group, DATA, jnp.asarray(step), 0)[0].images) for step in range(NUM_BATCHES)]
    x = np.concatenate(images).reshape(-1, 144).astype(np.float64)
    grid, gaps = np.linspace(-1, 1, 8), []
    for member, gamma in enumerate(GAMMA):
        model, network = jax.tree.map(
            lambda leaf, m=member: np.asarray(leaf[m], np.float64), (state.params.model, state.params.critic)
        )
        logits = dense(model.encoder.layers, x, 0).reshape(-1, 3, 8)
        total = {}
        for kind, codes in (("soft", softmax(logits, axis=-1) @ grid), ("hard", grid[logits.argmax(axis=-1)])):
            pixels = dense(model.decoder.layers, codes, 0)
            reconstruction = np.mean(np.sum(np.logaddexp(0, pixels) - pixels * x, axis=1))
            odds = dense(network.layers, codes, 0.01)
            total[kind] = np.array([reconstruction, reconstruction + gamma * np.mean(odds[:, 0] - odds[:, 1])])
        gaps.append([*np.abs(total["hard"] - total["soft"]), total["soft"][1] + kl(logits)])
    elbo, loss, soft = np.array(gaps).T
    return {"st_gap_elbo": elbo, "st_gap_loss": loss, "st_gap_relative": loss / soft}


def kl(logits: np.ndarray) -> float:
    """To the uniform prior, in nats per image."""
    p = softmax(logits, axis=-1)
    return float(np.mean(np.sum(p * np.log(8 * p), axis=(1, 2))))


def dense(layers, x: np.ndarray, slope: float) -> np.ndarray:
    for depth, layer in enumerate(layers):
        x = x if depth == 0 else np.where(x > 0, x, slope * x)
        x = x @ layer.weight + layer.bias
    return x


def test_both_gaps_equal_their_definition(state, group):
    reports = []
    found = straight_through_gap(
        state, group, DATA, num_batches=NUM_BATCHES, progress=lambda *done: reports.append(done)
    )
    expected = in_numpy(state, group)
    for name in ("st_gap_elbo", "st_gap_loss", "st_gap_relative"):
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-3, atol=2e-5)
    assert (found["st_gap_elbo"] > 1e-3).all()
    assert found["st_gap_loss"][0] == pytest.approx(found["st_gap_elbo"][0])  # gamma = 0: the loss is the ELBO
    assert abs(found["st_gap_loss"][1] - found["st_gap_elbo"][1]) > 1e-4
    assert reports == [(20, 23), (23, 23)]


def test_discrete_codes_have_no_gap(state, group):
    found = straight_through_gap(with_logits_times(state, 1e5), group, DATA, num_batches=3)
    assert max(found["st_gap_elbo"].max(), found["st_gap_loss"].max()) < 1e-3
    flat = straight_through_gap(with_logits_times(state, 0.0), group, DATA, num_batches=3)
    assert flat["st_gap_elbo"].min() > 1e-2


# ------------------------------------------------------------------------------------ latents that round without chance
QUANTISERS = ("fslq", "vq_vae_ema")


def quantised(name: str, numbers: np.ndarray, book: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, float]:
    """What the decoder sees before and after rounding, and the latent's own terms."""
    if name == "fslq":
        soft, points = np.tanh(numbers), np.linspace(-1, 1, 8)
        return soft, points[np.abs(soft[..., None] - points).argmin(axis=-1)], 0.0
    soft = numbers.reshape(len(numbers), 3, -1)
    hard = book[((soft[:, :, None] - book) ** 2).sum(axis=-1).argmin(axis=-1)]
    commitment = 4 * ((soft - hard) ** 2).sum(axis=(1, 2)).mean()
    return numbers, hard.reshape(numbers.shape), commitment


@pytest.mark.parametrize("name", QUANTISERS)
def test_of_a_quantiser_it_is_the_loss_with_rounded_codes_minus_the_loss_with_codes_before_rounding(name: str) -> None:
    config = Config(
        data="circles", model=name, architecture="mlp", width=16, depth=2, num_latents=3, num_categories=8,
        batch_size=16, seeds=(0, 1), data_seed=4,
    )  # fmt: skip
    group = make_group(config, Shapes.of(DATA))
    state = initial_state(group)
    found = straight_through_gap(state, group, DATA, num_batches=3)
    images = [np.asarray(views_of(group, DATA, jnp.asarray(step), 0)[0].images) for step in range(3)]
    x = np.concatenate(images).reshape(-1, 144).astype(np.float64)
    for member in range(2):
        model, memory = jax.tree.map(
            lambda leaf, m=member: np.asarray(leaf[m], np.float64), (state.params.model, state.memory.latent)
        )
        book = None if memory is None else memory.sums[0] / memory.uses[0, :, None]
        soft, hard, own = quantised(name, dense(model.encoder.layers, x, 0), book)
        pixels = [dense(model.decoder.layers, codes, 0) for codes in (soft, hard)]
        before, after = (np.mean(np.sum(np.logaddexp(0, each) - each * x, axis=1)) for each in pixels)
        assert abs(after - before) > 1e-3
        # the latent's own terms are the same in both: they compare the two
        for gap in ("st_gap_elbo", "st_gap_loss"):
            assert found[gap][member] == pytest.approx(abs(after - before), rel=2e-3, abs=2e-5)
        assert found["st_gap_relative"][member] == pytest.approx(abs(after - before) / (before + own), rel=2e-3)
