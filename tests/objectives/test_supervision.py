"""Supervised terms against NumPy, their conventions, the labelled stream, and omega = 0 through the trainer."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, log_softmax

from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.errors import Error
from factorgrid.latents import Categorical, Gaussian
from factorgrid.latents.categorical import active_categories
from factorgrid.method import Labelled
from factorgrid.models import Autoencoder
from factorgrid.objectives.supervision import SUPERVISIONS, Labels, Supervision, check_supervision, target_categories
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group, make_latent
from factorgrid.training.labelled import labelled_batch, labelled_sets
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance

RNG = np.random.default_rng(0)
SIZES = (3, 6, 40)
K = 64
FACTORS = RNG.integers(0, SIZES, size=(16, 3))
GAUSSIAN, CATEGORICAL = Gaussian(5), Categorical(5, K)
# Posterior parameters stand in for images: an encoder that hands on what it is given.
MEANS = RNG.normal(size=(16, 10)) * 2
LOGITS = RNG.normal(size=(16, 5 * K)) * 3


class Given(eqx.Module):
    def __call__(self, images: Any) -> Any:
        return images.reshape(len(images), -1)


def model_of(latent) -> Autoencoder:
    return Autoencoder(Given(), Given(), latent)


def loss_of(kind: str, parameters: np.ndarray, factors: np.ndarray, scale: float | None = None, **options) -> float:
    latent = CATEGORICAL if kind == "cross_entropy" else GAUSSIAN
    supervision = Supervision(1.0, kind, SIZES, **options)
    images = jnp.asarray(parameters, jnp.float32)[:, None, None, :]
    return float(
        supervision.loss(
            model_of(latent), None if scale is None else jnp.asarray(scale), images, jnp.asarray(factors, jnp.int32)
        )
    )


def in_numpy(kind: str, parameters: np.ndarray, factors: np.ndarray, scale: float | None = None) -> float:
    """Factor i is tied to dimension i; sums over the labelled batch; labels below 0 count nothing."""
    total = 0.0
    for row, values in zip(parameters, factors):
        for i, (value, size) in enumerate(zip(values, SIZES)):
            if value < 0:
                continue
            target = value / size  # 0 .. 1 - 1/S
            if kind == "bce":
                total -= target * np.log(expit(row[i])) + (1 - target) * np.log(expit(-row[i]))
            elif kind == "l2":
                total += (expit(row[i]) - target) ** 2
            elif kind == "l2_learned_scale":
                total += (scale * row[i] - value) ** 2
            else:
                total -= log_softmax(row.reshape(5, K)[i])[(K * value) // size]
    return total


CASES = [
    ("bce", MEANS, None),
    ("l2", MEANS, None),
    ("l2_learned_scale", MEANS, 1.7),
    ("cross_entropy", LOGITS, None),
]
each_kind = pytest.mark.parametrize(("kind", "parameters", "scale"), CASES, ids=[case[0] for case in CASES])


def test_every_kind_is_tested():
    assert {case[0] for case in CASES} == set(SUPERVISIONS)


@each_kind
def test_supervised_terms_equal_their_formulas(kind, parameters, scale):
    assert loss_of(kind, parameters, FACTORS, scale) == pytest.approx(
        in_numpy(kind, parameters, FACTORS, scale), rel=1e-5
    )


@each_kind
def test_unknown_labels_count_nothing(kind, parameters, scale):
    gaps = np.where(RNG.random(FACTORS.shape) < 0.4, -1, FACTORS)
    assert (gaps < 0).any(axis=0).all()
    assert loss_of(kind, parameters, gaps, scale) == pytest.approx(in_numpy(kind, parameters, gaps, scale), rel=1e-5)
    assert loss_of(kind, parameters, np.full_like(FACTORS, -1), scale) == 0


@each_kind
def test_repeating_the_labelled_batch_doubles_a_sum_and_leaves_a_mean(kind, parameters, scale):
    once = loss_of(kind, parameters, FACTORS, scale)
    twice = (np.repeat(parameters, 2, axis=0), np.repeat(FACTORS, 2, axis=0))
    assert loss_of(kind, *twice, scale) == pytest.approx(2 * once, rel=1e-5)
    mean = loss_of(kind, parameters, FACTORS, scale, reduction="mean")
    assert mean == pytest.approx(once / 16, rel=1e-5)
    assert loss_of(kind, *twice, scale, reduction="mean") == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("kind", ["bce", "cross_entropy"])
def test_gradients_are_finite_at_extremes_and_for_unknown_labels(kind):
    latent, size = (CATEGORICAL, 5 * K) if kind == "cross_entropy" else (GAUSSIAN, 10)
    parameters = jnp.asarray(1e4 * RNG.choice([-1.0, 1.0], size=(4, 1, 1, size)), jnp.float32)
    factors = jnp.asarray([[0, 5, -1], [2, 0, 39], [-1, -1, -1], [1, 3, 20]], jnp.int32)
    gradient = jax.grad(lambda x: Supervision(1.0, kind, SIZES).loss(model_of(latent), None, x, factors))(parameters)
    assert np.isfinite(gradient).all()
    assert not np.asarray(gradient)[2].any()


@pytest.mark.parametrize("spacing", ["bins", "endpoint"])
def test_a_masked_model_keeps_exactly_the_categories_that_labels_hit(spacing):
    """Factors of 3, 6, 40 and 183 values among 64 categories; with 183 nothing is masked and values share bins."""
    sizes = (3, 6, 40, 183)
    config = Config(
        data="cars", model="dvae", masked=True, labels=100, num_latents=6, num_categories=K, spacing=spacing
    )
    latent = make_latent(config, Shapes((64, 64, 1), sizes), {})
    everything = tuple(range(K))
    assert latent.active[3:] == (everything, everything, everything)
    for i, size in enumerate(sizes):
        values = jnp.zeros((size, 4), jnp.int32).at[:, i].set(jnp.arange(size))
        hit = set(np.asarray(target_categories(Labels(values, sizes, spacing, None), K))[:, i].tolist())
        assert hit <= set(latent.active[i])
        if size <= K:
            assert hit == set(latent.active[i]) == set(active_categories(size, K, spacing))
            assert len(hit) == size


def test_what_does_not_fit_is_one_clear_line():
    with pytest.raises(
        Error, match="'bce' does not fit this latent, which lacks a location on the real line; use cross_entropy"
    ):
        check_supervision("bce", Categorical, SIZES, 10)
    with pytest.raises(
        Error,
        match="'cross_entropy' does not fit this latent, which lacks probabilities of categories; use bce or l2",
    ):
        check_supervision("cross_entropy", Gaussian, SIZES, 10)
    with pytest.raises(Error, match="3 factors to a latent dimension, and there are 2"):
        check_supervision("bce", Gaussian, SIZES, 2)
    with pytest.raises(Error, match="unknown supervision 'bec'; did you mean 'bce'"):
        check_supervision("bec", Gaussian, SIZES, 10)
    with pytest.raises(Error, match="unknown spacing 'bin'; did you mean 'bins'"):
        Config(data="circles", model="dvae", labels=100, spacing="bin")


# --------------------------------------------------------------------------------------- through the trainer
DATA = sized_circles(image_size=12)
SMALL: dict[str, Any] = {
    "data": "circles",
    "architecture": "mlp",
    "num_latents": 3,
    "num_categories": 32,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "steps": 100,
    "labels": 30,
}


def test_the_labelled_stream_is_walked_in_order_and_starts_over_within_a_batch():
    labelled = Labelled(jnp.zeros((27, 1, 1, 1)), jnp.arange(27)[:, None])
    walked = [labelled_batch(labelled, 16, jnp.asarray(step)).factors[:, 0] for step in range(4)]
    np.testing.assert_array_equal(np.concatenate(walked), np.arange(64) % 27)


def test_labelled_sets_are_split_in_order_and_the_same_for_all_models():
    config = Config(model="dvae", **SMALL)
    train, held_out = labelled_sets(config, DATA)
    assert (len(train.images), len(held_out.images)) == (27, 3)
    for other in (Config(model="vae", seeds=(5,), **SMALL), dataclasses.replace(config, data_seed=3)):
        np.testing.assert_array_equal(labelled_sets(other, DATA)[0].images, train.images)
    assert not np.array_equal(labelled_sets(dataclasses.replace(config, label_seed=1), DATA)[0].factors, train.factors)


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("vae", {"supervision": "bce"}),
        ("vae", {"supervision": "l2_learned_scale"}),
        ("dvae", {"masked": True}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value.values())),
)
def test_omega_zero_is_the_unsupervised_model_and_a_large_one_learns_the_labels(model, options):
    config = Config(model=model, hyperparameters={"omega": (0.0, 1.0)}, **SMALL, **options)
    recipe, (labelled, _) = make_group(config, Shapes.of(DATA)), labelled_sets(config, DATA)
    start = initial_state(recipe)
    five, terms = advance(jax.tree.map(jnp.array, start), recipe, DATA, labelled, jnp.asarray(5, jnp.int32))

    free = dataclasses.replace(recipe, method=dataclasses.replace(recipe.method, supervision=None))
    without = jax.tree.map(jnp.array, start)
    unsupervised, expected = advance(without, free, DATA, None, jnp.asarray(5, jnp.int32))
    for a, b in zip(jax.tree.leaves(five.params.model), jax.tree.leaves(unsupervised.params.model), strict=True):
        apart = np.abs(np.asarray(a[0], np.float64) - np.asarray(b[0]))
        assert apart.max() < 1e-3  # a rounding error may become a step of Adam where the gradient is zero
        assert np.mean(apart > 2e-6 + 1e-4 * np.abs(b[0])) < 0.02
    np.testing.assert_allclose(terms["loss"][0], expected["loss"][0], rtol=1e-5)
    assert terms["loss"][1] == pytest.approx(
        float(terms["reconstruction"][1] + terms["kl"][1] + terms["supervised"][1]), rel=1e-5
    )
    _, later = advance(five, recipe, DATA, labelled, jnp.asarray(90, jnp.int32))
    assert later["supervised"][1] < 0.95 * terms["supervised"][1]  # binary cross-entropy of soft targets ends above 0
    assert later["supervised"][1] < 0.95 * later["supervised"][0]


def test_the_learned_scale_is_learned_and_published_only_where_it_exists():
    config = Config(model="vae", supervision="l2_learned_scale", **SMALL)
    recipe, (labelled, _) = make_group(config, Shapes.of(DATA)), labelled_sets(config, DATA)
    state = initial_state(recipe)
    np.testing.assert_array_equal(state.params.head, [1.0])
    state, _ = advance(state, recipe, DATA, labelled, jnp.asarray(5, jnp.int32))
    assert float(state.params.head[0]) != 1.0
    plain = initial_state(make_group(dataclasses.replace(config, supervision="l2"), Shapes.of(DATA)))
    assert plain.params.head is None
