"""The categorical latent: the paper's propositions, closed forms in float64, and behaviour at extreme logits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.special import log_softmax, softmax

from factorgrid.latents import Categorical, CategoricalPosterior
from factorgrid.latents.categorical import MASKED, grid

K = 64
GRID = np.linspace(-1, 1, K)
LOGITS = np.random.default_rng(0).normal(size=(5, 3, K)) * 3
# Dimension 0 has four active categories, 1 has two, 2 all.
ACTIVE = ((0, 16, 32, 48), (0, 32), tuple(range(K)))
INACTIVE = np.array([[k not in active for k in range(K)] for active in ACTIVE])

any_logits = hnp.arrays(np.float32, (2, 3, K), elements=st.floats(-1e4, 1e4, width=32))
some = settings(max_examples=50, deadline=None, derandomize=True, database=None)


def posterior_of(logits: np.ndarray, active=None, temperature: float = 1.0) -> CategoricalPosterior:
    """Through `Categorical`, as a model does, so that masks apply."""
    batch, latents, categories = logits.shape
    latent = Categorical(latents, categories, temperature, active=active)
    return latent.read(jnp.asarray(logits, jnp.float32).reshape(batch, -1))


def samples(posterior: CategoricalPosterior, num: int, noise_scale: float) -> jax.Array:
    return jax.jit(jax.vmap(lambda key: posterior.sample(key, noise_scale)))(jax.random.split(jax.random.key(3), num))


# ---------------------------------------------------------------------------------------------- layout and grid
def test_the_grid_is_equidistant_with_both_ends():
    np.testing.assert_allclose(grid(K), GRID, atol=1e-7)
    assert grid(K)[0] == -1
    assert grid(K)[-1] == 1
    np.testing.assert_allclose(np.diff(grid(K)), 2 / 63, atol=2e-7)


def test_parameters_are_read_dimension_by_dimension():
    latent = Categorical(3, 4)
    assert latent.num_parameters == 12
    np.testing.assert_array_equal(latent.read(jnp.arange(12.0)[None]).logits[0], np.arange(12).reshape(3, 4))


# ----------------------------------------------------------------------------------------- codes, variance, KL
def test_codes_variance_and_kl_equal_float64():
    posterior, q = posterior_of(LOGITS), softmax(LOGITS, axis=-1)
    codes = q @ GRID
    np.testing.assert_allclose(posterior.codes(), codes, atol=1e-6)
    np.testing.assert_allclose(posterior.variance(), q @ GRID**2 - codes**2, atol=1e-6)
    np.testing.assert_allclose(
        posterior.kl(), np.sum(q * log_softmax(LOGITS, axis=-1), axis=-1) + np.log(K), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(posterior.categories(), LOGITS.argmax(axis=-1))
    assert posterior.categories().dtype == jnp.int32


def test_kl_is_zero_for_uniform_and_log_k_for_one_hot():
    uniform, one_hot = np.full((1, 10, K), 7.0), 1e4 * np.eye(K)[None, :10]
    np.testing.assert_allclose(posterior_of(uniform).kl(), 0, atol=1e-6)
    np.testing.assert_allclose(posterior_of(one_hot).kl(), 4.1588831, rtol=1e-6)
    assert float(posterior_of(one_hot).kl().sum()) == pytest.approx(41.5888, abs=1e-4)


@some
@given(any_logits)
def test_kl_is_within_its_bounds_and_codes_within_the_grid(logits):
    for active, categories in ((None, (K, K, K)), (ACTIVE, (4, 2, K))):
        posterior = posterior_of(logits, active)
        assert (np.asarray(posterior.kl()) >= -1e-5).all()
        assert (np.asarray(posterior.kl()) <= np.log(categories) + 1e-5).all()
        assert (np.abs(posterior.codes()) <= 1 + 1e-6).all()


def test_ties_go_to_the_lowest_category():
    assert int(posterior_of(np.zeros((1, 1, K))).categories()[0, 0]) == 0
    logits = np.zeros((1, 1, K))
    logits[..., [5, 9]] = 1
    assert int(posterior_of(logits).categories()[0, 0]) == 5


# --------------------------------------------------------------------------------------------------- sampling
@some
@given(any_logits)
def test_without_noise_sampling_gives_the_codes(logits):
    posterior = posterior_of(logits)
    first, second = (posterior.sample(jax.random.key(seed), 0.0) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(posterior.latents(first), posterior.codes())


@pytest.mark.parametrize("noise_scale", [0.5, 1.0, 2.0])
def test_the_most_probable_category_of_a_sample_follows_softmax_of_logits_over_scale(noise_scale):
    logits = np.array([[[0.0, 1.0, -1.0, 0.5, 2.0]]])
    num = 40_000
    counts = np.bincount(samples(posterior_of(logits), num, noise_scale).argmax(axis=-1).ravel(), minlength=5)
    assert stats.chisquare(counts, num * softmax(logits[0, 0] / noise_scale)).pvalue > 1e-3


def test_samples_are_the_softmax_of_noisy_logits_over_temperature():
    """Eq. 2: log ratios of a sample are (logits + scale * noise) / temperature, noise being standard Gumbel."""
    cold, warm = (
        np.log(samples(posterior_of(LOGITS[:, :, :6] / 9, temperature=temperature), 4_000, 0.5))
        for temperature in (1.0, 2.0)
    )
    np.testing.assert_allclose(np.diff(cold), 2 * np.diff(warm), atol=2e-4)
    # a difference of two Gumbel variables is logistic
    noise = (np.diff(cold, axis=-1)[..., ::2] - np.diff(LOGITS[:, :, :6] / 9)[..., ::2]) / 0.5
    assert stats.kstest(noise.ravel(), stats.logistic.cdf).pvalue > 1e-3


def test_samples_lie_between_the_outermost_possible_categories():
    """Proposition 1 of the paper: samples lie between the first and last category of non-zero weight."""
    logits = np.full((1, 1, K), MASKED)
    logits[..., 20:31] = np.linspace(-1, 1, 11)
    posterior = posterior_of(logits)
    latents = np.asarray(jax.vmap(posterior.latents)(samples(posterior, 20_000, 1.0)))
    assert latents.min() > GRID[20]
    assert latents.max() < GRID[30]
    assert latents.min() < GRID[21]  # the interval is used up to its ends
    assert latents.max() > GRID[29]


def test_a_category_of_probability_one_is_its_grid_position():
    """Proposition 1, second part."""
    logits = np.zeros((1, 1, K))
    logits[..., 17] = 200
    posterior = posterior_of(logits)
    latents = jax.vmap(posterior.latents)(samples(posterior, 1_000, 2.0))
    np.testing.assert_allclose(latents, GRID[17], atol=1e-6)


# ------------------------------------------------------------------------------------------- soft and hard choices
def test_hard_choices_are_the_most_probable_categories_and_soft_ones_their_probabilities():
    posterior = posterior_of(LOGITS)
    np.testing.assert_array_equal(posterior.latents(posterior.hard()), grid(K)[LOGITS.argmax(axis=-1)])
    np.testing.assert_allclose(posterior.soft(), jnp.exp(posterior.log_probabilities()), rtol=1e-5)
    np.testing.assert_array_equal(posterior.latents(posterior.soft()), posterior.codes())


# --------------------------------------------------------------------------------------------------- densities
def test_log_density_is_exact_for_categories():
    posterior = posterior_of(LOGITS)
    chosen = np.random.default_rng(1).integers(K, size=(5, 3))
    found = posterior.log_density(jax.nn.one_hot(chosen, K))
    log_q = log_softmax(LOGITS, axis=-1)
    for j, i, latent in np.ndindex(5, 5, 3):
        assert float(found[j, i, latent]) == pytest.approx(log_q[i, latent, chosen[j, latent]], rel=1e-5)


# ------------------------------------------------------------------------------------------- masked attention
def test_inactive_categories_are_never_sampled_and_carry_no_probability():
    posterior = posterior_of(LOGITS, ACTIVE)
    many = np.asarray(samples(posterior, 4_000, 2.0))
    assert (many[..., INACTIVE] == 0).all()
    assert (np.asarray(posterior.logits)[:, INACTIVE] == MASKED).all()
    for latent, active in enumerate(ACTIVE):
        assert set(many[:, :, latent].argmax(axis=-1).ravel()) <= set(active)
        assert set(np.asarray(posterior.categories())[:, latent]) <= set(active)


def test_masked_quantities_are_those_of_a_smaller_categorical():
    posterior = posterior_of(LOGITS, ACTIVE)
    for latent, active in enumerate(ACTIVE):
        part, where = LOGITS[:, latent, list(active)], GRID[list(active)]
        q = softmax(part, axis=-1)
        np.testing.assert_allclose(posterior.codes()[:, latent], q @ where, atol=1e-6)
        np.testing.assert_allclose(
            posterior.kl()[:, latent],
            np.sum(q * log_softmax(part, axis=-1), axis=-1) + np.log(len(active)),
            rtol=1e-5,
            atol=1e-6,
        )
        np.testing.assert_allclose(
            posterior.variance()[:, latent], q @ where**2 - (q @ where) ** 2, rtol=1e-4, atol=1e-6
        )


def everything(logits: jax.Array, active) -> jax.Array:
    """One number that depends on all that a posterior computes."""
    posterior = Categorical(3, K, active=active).read(logits.reshape(len(logits), -1))
    choice = posterior.sample(jax.random.key(0), 2.0)
    parts = (
        posterior.latents(choice),
        posterior.codes(),
        posterior.latents(posterior.hard()),
        posterior.variance(),
        posterior.kl(),
        1e-3 * posterior.log_density(choice),
        1e-3 * posterior.log_density(jax.lax.stop_gradient(jax.nn.one_hot(posterior.categories(), K))),
    )
    return sum(jnp.sum(part**2) for part in parts)


gradient_of_everything = jax.jit(jax.value_and_grad(everything), static_argnums=1)


@pytest.mark.parametrize("magnitude", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("active", [None, ACTIVE], ids=["all", "masked"])
def test_gradients_are_finite_at_extreme_logits(magnitude, active):
    logits = jnp.asarray(np.sign(LOGITS) * magnitude, jnp.float32)
    value, gradient = gradient_of_everything(logits, active)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_inactive_categories_receive_no_gradient():
    _, gradient = gradient_of_everything(jnp.asarray(LOGITS, jnp.float32), ACTIVE)
    assert (np.asarray(gradient)[:, INACTIVE] == 0).all()
    assert (np.asarray(gradient)[:, ~INACTIVE] != 0).all()


def test_masks_written_into_the_logits_are_harmless_too():
    logits = np.where(INACTIVE, -1e9, LOGITS)
    value, gradient = gradient_of_everything(jnp.asarray(logits, jnp.float32), None)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("active", [None, ((0, 2, 4), (0, 1, 2, 3, 4))])
def test_prior_variance_is_that_of_uniform_codes(active):
    """What the aggregate posterior is drawn to: the variance of a uniform choice among the active categories."""
    positions = np.linspace(-1, 1, 5)
    kept = active or (tuple(range(5)),) * 2
    posterior = Categorical(2, 5, active=active).read(jnp.zeros((1, 10)))
    np.testing.assert_allclose(posterior.prior_variance(), [positions[list(a)].var() for a in kept], rtol=1e-6)
    np.testing.assert_allclose(posterior.prior_variance(), posterior.variance()[0], rtol=1e-6)


def test_prior_variance_has_a_closed_form():
    posterior = Categorical(1, 64).read(jnp.zeros((1, 64)))
    np.testing.assert_allclose(posterior.prior_variance(), [65 / (3 * 63)], rtol=1e-6)
