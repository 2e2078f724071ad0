"""Every loss against its formula, written out in NumPy and float64 on fixed small inputs; and published constants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, log_softmax, logsumexp, softmax

from factorgrid.datasets import Batch
from factorgrid.latents import CategoricalPosterior, GaussianPosterior
from factorgrid.latents.categorical import MASKED, Categorical
from factorgrid.latents.plain import Plain
from factorgrid.models import Forward
from factorgrid.objectives import OBJECTIVES, Context, Loss
from factorgrid.objectives.beta_tcvae import minibatch_total_correlation
from factorgrid.objectives.dip_vae import covariance
from factorgrid.objectives.factor_vae import Discriminator
from factorgrid.objectives.objective import reconstruction

MEAN = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, 0.5]])
LOG_VARIANCE = np.array([[0.0, -1.0], [-0.5, 0.0], [0.5, -2.0]])
SAMPLES = np.array([[0.1, 0.9], [1.2, -0.3], [-0.8, 0.4]])

RNG = np.random.default_rng(0)
K = 5
CATEGORY_LOGITS = RNG.normal(size=(3, 2, K)) * 2
CHOICE = softmax(RNG.normal(size=(3, 2, K)) * 3, axis=-1)
PIXEL_LOGITS = RNG.normal(size=(3, 4, 4, 2)) * 5
IMAGES = RNG.random((3, 4, 4, 2))
STEP = jnp.asarray(7, jnp.int32)


def single(array: np.ndarray) -> jax.Array:
    return jnp.asarray(array, jnp.float32)


def gaussian_forward() -> Forward:
    posterior = GaussianPosterior(single(MEAN), single(LOG_VARIANCE))
    return Forward(posterior, single(SAMPLES), single(SAMPLES), single(PIXEL_LOGITS))


def categorical_forward() -> Forward:
    posterior = CategoricalPosterior(single(CATEGORY_LOGITS))
    return Forward(posterior, single(CHOICE), posterior.latents(single(CHOICE)), single(PIXEL_LOGITS))


def loss_of(objective, forward: Forward, critic=None, step=STEP, memory=None) -> Loss:
    batch = (Batch(single(IMAGES), jnp.zeros((3, 0), jnp.int32)),)
    return objective.loss((forward,), batch, Context(None, critic, jax.random.key(0), step, 10, memory))


FORWARDS = {"gaussian": gaussian_forward, "categorical": categorical_forward}

# ------------------------------------------------------------------------------- the formulas, float64, from the papers
GRID = np.linspace(-1, 1, K)
Q = softmax(CATEGORY_LOGITS, axis=-1)
CODES = {"gaussian": MEAN, "categorical": Q @ GRID}
VARIANCES = {"gaussian": np.exp(LOG_VARIANCE), "categorical": Q @ GRID**2 - (Q @ GRID) ** 2}
PRIOR = {"gaussian": 1.0, "categorical": np.mean(GRID**2)}
LATENTS = {"gaussian": SAMPLES, "categorical": CHOICE @ GRID}
RECONSTRUCTION = -np.mean(
    np.sum(IMAGES * np.log(expit(PIXEL_LOGITS)) + (1 - IMAGES) * np.log(expit(-PIXEL_LOGITS)), axis=(1, 2, 3))
)
KL = {
    "gaussian": np.mean(0.5 * np.sum(MEAN**2 + np.exp(LOG_VARIANCE) - LOG_VARIANCE - 1, axis=1)),
    "categorical": np.mean(np.sum(Q * np.log(Q) + np.log(K) / K, axis=(1, 2))),
}


def log_densities(latent: str) -> np.ndarray:
    """[sample j, posterior i, dimension]; for categories the expected log probability of the relaxed choice."""
    if latent == "gaussian":
        return stats.norm(MEAN[None], np.exp(0.5 * LOG_VARIANCE)[None]).logpdf(SAMPLES[:, None])
    return np.einsum("jlk,ilk->jil", CHOICE, log_softmax(CATEGORY_LOGITS, axis=-1))


def minibatch_tc(latent: str) -> float:
    density = log_densities(latent)
    joint = [logsumexp(density[j].sum(axis=1)) for j in range(3)]
    marginals = [sum(logsumexp(density[j, :, d]) for d in range(2)) for j in range(3)]
    return float(np.mean(np.array(joint) - np.array(marginals)))


def dip(matrix: np.ndarray, od: float, d: float, prior: float = 1.0) -> float:
    size = len(matrix)
    outside = sum(matrix[i, j] ** 2 for i in range(size) for j in range(size) if i != j)
    return od * outside + d * sum((matrix[i, i] - prior) ** 2 for i in range(size))


def moments(latent: str) -> np.ndarray:
    """Covariance of the codes, divided by the number of images."""
    return np.cov(CODES[latent], rowvar=False, bias=True)


def annealed(latent: str, c_max: float, gamma: float, iterations: float) -> float:
    return RECONSTRUCTION + gamma * abs(KL[latent] - min(c_max, c_max * 7 / iterations))


def within(latent: str) -> np.ndarray:
    return moments(latent) + np.diag(VARIANCES[latent].mean(axis=0))


# objective -> [(hyperparameters, expected total given the latent)]
CASES = [
    ("vae", {}, lambda l: RECONSTRUCTION + KL[l]),
    ("beta_vae", {"beta": 1.0}, lambda l: RECONSTRUCTION + KL[l]),
    ("beta_vae", {"beta": 16.0}, lambda l: RECONSTRUCTION + 16 * KL[l]),
    ("annealed_vae", {}, lambda l: annealed(l, 25, 1000, 100_000)),
    ("annealed_vae", {"c_max": 10.0, "gamma": 3.0, "iterations": 100.0}, lambda l: annealed(l, 10, 3, 100)),
    ("annealed_vae", {"c_max": 50.0, "gamma": 3.0, "iterations": 4.0}, lambda l: annealed(l, 50, 3, 4)),
    ("annealed_vae", {"c_max": 0.0, "gamma": 1.0}, lambda l: RECONSTRUCTION + KL[l]),
    ("beta_tcvae", {"beta": 1.0}, lambda l: RECONSTRUCTION + KL[l]),
    ("beta_tcvae", {"beta": 6.0}, lambda l: RECONSTRUCTION + KL[l] + 5 * minibatch_tc(l)),
    ("dip_vae_i", {"lambda_od": 5.0}, lambda l: RECONSTRUCTION + KL[l] + dip(moments(l), 5, 50, PRIOR[l])),
    (
        "dip_vae_i",
        {"lambda_od": 2.0, "lambda_d_factor": 3.0},
        lambda l: RECONSTRUCTION + KL[l] + dip(moments(l), 2, 6, PRIOR[l]),
    ),
    ("dip_vae_i", {"lambda_od": 0.0}, lambda l: RECONSTRUCTION + KL[l]),
    ("dip_vae_ii", {"lambda_od": 5.0}, lambda l: RECONSTRUCTION + KL[l] + dip(within(l), 5, 5, PRIOR[l])),
    ("dip_vae_ii", {"lambda_od": 0.0}, lambda l: RECONSTRUCTION + KL[l]),
]


@pytest.mark.parametrize("latent", FORWARDS)
@pytest.mark.parametrize(("name", "values", "expected"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_losses_equal_their_formulas(name, values, expected, latent):
    loss = loss_of(OBJECTIVES[name](**values), FORWARDS[latent]())
    assert float(loss.total) == pytest.approx(expected(latent), rel=2e-6)
    assert float(loss.terms["reconstruction"]) == pytest.approx(RECONSTRUCTION, rel=1e-6)
    assert float(loss.terms["kl"]) == pytest.approx(KL[latent], rel=1e-6)


# -------------------------------------------------------------------------------------- the discriminator's estimate
def discriminator_in_numpy(network: Discriminator, x: np.ndarray) -> np.ndarray:
    for depth, layer in enumerate(network.layers):
        x = x @ np.asarray(layer.weight, np.float64) + np.asarray(layer.bias, np.float64)
        if depth < len(network.layers) - 1:
            x = np.where(x > 0, x, network.slope * x)
    return x


@pytest.mark.parametrize("latent", FORWARDS)
@pytest.mark.parametrize("slope", [0.01, 0.2])
def test_factor_vae_adds_the_mean_log_odds_of_its_discriminator(latent, slope):
    objective = OBJECTIVES["factor_vae"](gamma=30.0, slope=slope, width=20)
    network = jax.tree.map(lambda leaf: leaf + 0.1, objective.init_critic(jax.random.key(0), Plain(2)))
    assert len(network.layers) == 7
    logits = discriminator_in_numpy(network, LATENTS[latent])
    total_correlation = np.mean(logits[:, 0] - logits[:, 1])
    loss = loss_of(objective, FORWARDS[latent](), network)
    assert abs(total_correlation) > 1e-3
    assert float(loss.terms["total_correlation"]) == pytest.approx(total_correlation, rel=1e-4)
    assert float(loss.total) == pytest.approx(RECONSTRUCTION + KL[latent] + 30 * total_correlation, rel=1e-5)
    odds = log_softmax(logits, axis=1)
    assert total_correlation == pytest.approx(np.mean(odds[:, 0] - odds[:, 1]))  # softmax log odds, not clipped


# --------------------------------------------------------------------------------------------- published constants
def test_constants_of_disentanglement_lib():
    """Computed once with its formulas on these means, log variances and samples."""
    forward = gaussian_forward()
    objectives = {name: OBJECTIVES[name](lambda_od=5.0) for name in ("dip_vae_i", "dip_vae_ii")}
    assert float(forward.posterior.kl().sum(axis=1).mean()) == pytest.approx(0.8347444225, rel=1e-6)
    found = minibatch_total_correlation(forward.posterior.log_density(forward.choice))
    assert float(found) == pytest.approx(-0.8980781888, rel=1e-6)
    for name, diagonal, expected in (("dip_vae_i", 50, 40.5555556), ("dip_vae_ii", 5, 3.6554123085)):
        terms = loss_of(objectives[name], forward).terms
        assert 5 * float(terms["off_diagonal"]) + diagonal * float(terms["diagonal"]) == pytest.approx(
            expected, rel=1e-6
        )


def test_reconstruction_takes_pixels_outside_zero_one_and_extreme_logits():
    """SmallNORB's resized pixels leave [0, 1]: the same formula goes on, and nothing overflows."""
    images = single(np.array([1.2, -0.1, 0.0, 1.0]).reshape(1, 2, 2, 1))
    logits = single(np.array([3.0, -2.0, 1e4, -1e4]).reshape(1, 2, 2, 1))
    expected = (3 - 3.6 + np.log1p(np.exp(-3))) + (-0.2 + np.log1p(np.exp(-2))) + 1e4 + 1e4
    assert float(reconstruction(logits, images)) == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(jax.grad(lambda a: reconstruction(a, images))(logits)).all()


def test_covariance_is_biased_and_centred():
    codes = RNG.normal(size=(50, 3)) + 100
    np.testing.assert_allclose(covariance(single(codes)), np.cov(codes, rowvar=False, bias=True), atol=1e-4)


def test_capacity_grows_linearly_and_stays():
    objective = OBJECTIVES["annealed_vae"](c_max=10.0, gamma=1.0, iterations=100.0)
    kl = KL["gaussian"]
    for step, capacity in ((0, 0.0), (1, 0.1), (50, 5.0), (100, 10.0), (250, 10.0)):
        loss = loss_of(objective, gaussian_forward(), None, jnp.asarray(step))
        assert float(loss.terms["capacity_error"]) == pytest.approx(abs(kl - capacity), rel=1e-5)


# --------------------------------------------------------------------------------------------- extreme posteriors
def total_loss(logits: jax.Array, name: str, active) -> jax.Array:
    posterior = Categorical(2, K, active=active).read(logits.reshape(len(logits), -1))
    choice = posterior.sample(jax.random.key(0), 2.0)
    latents = posterior.latents(choice)
    forward = Forward(posterior, choice, latents, latents[:, 0, None, None, None] * single(np.ones((3, 4, 4, 2))))
    objective = OBJECTIVES[name](**({"width": 8} if name.startswith("factor_") else {}))
    latent = Categorical(2, K)
    critic = objective.init_critic(jax.random.key(1), latent)
    return loss_of(objective, forward, critic, memory=objective.init_memory(latent)).total


gradient_of_total = jax.jit(jax.value_and_grad(total_loss), static_argnums=(1, 2))


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "tripod"])
def test_gradients_are_finite_at_extreme_and_masked_logits(name):
    active = ((0, 2), tuple(range(K)))
    for magnitude in (1e-4, 1e4):
        logits = single(np.sign(CATEGORY_LOGITS) * magnitude)
        for mask in (None, active):
            value, gradient = gradient_of_total(logits, name, mask)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()
            if mask is not None:
                assert (np.asarray(gradient)[:, 0, [1, 3, 4]] == 0).all()
    written = single(np.where(np.arange(K) == 3, MASKED, CATEGORY_LOGITS))
    assert np.isfinite(gradient_of_total(written, name, None)[1]).all()
