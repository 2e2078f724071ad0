"""The Gaussian latent against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from factorgrid.latents import Gaussian, GaussianPosterior

MEAN = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.5]])
LOG_VARIANCE = np.array([[0.0, -1.0], [-0.5, 0.0], [0.5, -2.0]])
SAMPLES = np.array([[0.1, 0.9], [1.2, -0.3], [-0.8, 0.4]])
POSTERIOR = GaussianPosterior(jnp.asarray(MEAN, jnp.float32), jnp.asarray(LOG_VARIANCE, jnp.float32))


def test_parameters_are_means_then_log_variances():
    latent = Gaussian(2)
    assert latent.num_parameters == 4
    posterior = latent.read(jnp.asarray([[1.0, 2.0, 3.0, 4.0]]))
    np.testing.assert_array_equal(posterior.mean, [[1, 2]])
    np.testing.assert_array_equal(posterior.log_variance, [[3, 4]])


def test_kl_equals_the_closed_form():
    """KL(N(m, v) | N(0, 1)), and its golden batch mean, computed once with disentanglement_lib's formula."""
    variance = np.exp(LOG_VARIANCE)
    expected = np.log(1 / np.sqrt(variance)) + (variance + MEAN**2) / 2 - 0.5
    np.testing.assert_allclose(POSTERIOR.kl(), expected, rtol=1e-5, atol=1e-7)
    assert float(POSTERIOR.kl().sum(axis=1).mean()) == pytest.approx(0.8347444225, rel=1e-6)


def test_kl_equals_an_integral():
    line = np.linspace(-15, 15, 200_001)
    density = stats.norm(1.0, np.exp(-0.25)).pdf(line)
    ratio = stats.norm(1.0, np.exp(-0.25)).logpdf(line) - stats.norm(0, 1).logpdf(line)
    assert float(POSTERIOR.kl()[1, 0]) == pytest.approx(np.trapezoid(density * ratio, line), rel=1e-5)


def test_log_density_is_the_normal_density_of_every_pair():
    expected = stats.norm(MEAN[None], np.exp(LOG_VARIANCE / 2)[None]).logpdf(SAMPLES[:, None])
    found = POSTERIOR.log_density(jnp.asarray(SAMPLES, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_samples_have_the_stated_moments_and_no_noise_gives_the_codes():
    many = jax.jit(jax.vmap(lambda key: POSTERIOR.sample(key, 1.0)))(jax.random.split(jax.random.key(0), 20_000))
    np.testing.assert_allclose(many.mean(axis=0), MEAN, atol=0.04)
    np.testing.assert_allclose(many.var(axis=0), np.exp(LOG_VARIANCE), rtol=0.06)
    np.testing.assert_allclose(POSTERIOR.variance(), np.exp(LOG_VARIANCE), rtol=1e-6)
    np.testing.assert_array_equal(POSTERIOR.sample(jax.random.key(1), 0.0), POSTERIOR.codes())
    np.testing.assert_array_equal(POSTERIOR.latents(many[0]), many[0])
    np.testing.assert_allclose(POSTERIOR.codes(), MEAN)


def test_prior_variance_is_one():
    posterior = Gaussian(3).read(jnp.zeros((2, 6)))
    np.testing.assert_array_equal(posterior.prior_variance(), np.ones(3))
