"""Proposition 2, measured: what turning a trained plane costs a VAE, and what it costs a D-VAE.

A latent plane of two dimensions is turned by an angle, and the decoder turns it back before it decodes. A Gaussian
encoder can express the turned code as well as its own: the mean turns with it, the KL does not change, and where both
variances are equal the noise is the same too. A grid cannot: turned points fall between its points, or beyond its
ends, and only quarter turns map it onto itself.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key
from numpy import ndarray

from factorgrid.errors import Error
from factorgrid.latents.abilities import Discrete, Divergent, Real
from factorgrid.models import Autoencoder
from factorgrid.models.trained import TrainedModel
from factorgrid.objectives.objective import reconstruction

NUM_SAMPLES = 16  # of the noise; the same ones at every angle


def loss_along_rotation(
    model: TrainedModel,
    images: Float[ndarray, "image height width channel"],
    degrees: Float[ndarray, " angle"],
    *,
    seed: int = 0,
) -> Float[ndarray, " angle"]:
    """The model's loss in nats an image, with its plane turned by each angle and turned back before decoding.

    Of a Gaussian model the negative ELBO, its means turned and its variances kept. Of a discrete one the
    reconstruction from its hard codes, each turned and then moved to the nearest point of the grid; the KL of a hard
    code is the same everywhere.

    Raises:
        Error: a model without two latents, or whose latent is neither discrete nor Gaussian.
    """
    inner = model.autoencoder
    if model.num_latents != 2:
        raise Error(f"a plane has 2 latents, and this model has {model.num_latents}")
    turns = jnp.asarray(degrees, jnp.float32)
    batch = jnp.asarray(images, jnp.float32)
    if model.can(Discrete):
        return np.asarray(_discrete(inner, batch, jnp.asarray(model.position_table), turns))
    if not (model.can(Divergent) and model.can(Real)):
        raise Error("the model's latent is neither discrete nor Gaussian")
    return np.asarray(_gaussian(inner, batch, turns, jax.random.key(seed)))


def ratio_of_deviations(
    model: TrainedModel, images: Float[ndarray, "image height width channel"]
) -> Float[ndarray, " image"]:
    """Smaller over larger standard deviation of each image's Gaussian posterior: 1 where Proposition 2 holds."""
    posterior = model.autoencoder.posterior(jnp.asarray(images, jnp.float32))
    deviations = np.sqrt(np.asarray(posterior.variance()))  # type: ignore[attr-defined]
    return deviations.min(axis=1) / deviations.max(axis=1)


def turned(points: Float[Array, "point 2"], degrees: Float[Array, ""]) -> Float[Array, "point 2"]:
    """Points of a plane, turned around its origin."""
    # exact at quarter turns, so that a grid falls onto itself there
    quarters = jnp.round(degrees / 90)
    rest = jnp.deg2rad(degrees - 90 * quarters)
    cos, sin = jnp.cos(rest), jnp.sin(rest)
    x, y = points[:, 0] * cos - points[:, 1] * sin, points[:, 0] * sin + points[:, 1] * cos
    options = jnp.stack([jnp.stack(pair, axis=1) for pair in ((x, y), (-y, x), (-x, -y), (y, -x))])
    return options[jnp.mod(quarters.astype(jnp.int32), 4)]


@eqx.filter_jit
def _gaussian(model: Autoencoder, images: Array, degrees: Array, key: Key[Array, ""]) -> Array:
    posterior = model.posterior(images)
    means, deviations = posterior.codes(), jnp.sqrt(posterior.variance())  # type: ignore[attr-defined]
    noise = jax.random.normal(key, (NUM_SAMPLES, *means.shape))
    kl = posterior.kl().sum(axis=1).mean()  # type: ignore[attr-defined]

    def at(angle: Array) -> Array:
        # noise of a circular distribution may be turned too; where variances are equal, nothing at all then changes
        own = turned(noise.reshape(-1, 2), angle).reshape(noise.shape)
        sampled = turned(means, angle) + deviations * own
        back = turned(sampled.reshape(-1, 2), -angle)
        return reconstruction(model.decode(back), jnp.tile(images, (NUM_SAMPLES, 1, 1, 1))) + kl

    return jax.lax.map(at, degrees)


@eqx.filter_jit
def _discrete(model: Autoencoder, images: Array, table: Array, degrees: Array) -> Array:
    categories = model.posterior(images).categories()  # type: ignore[attr-defined]
    codes = jnp.take_along_axis(table.T, categories, axis=0)

    def at(angle: Array) -> Array:
        moved = turned(codes, angle)
        nearest = jnp.argmin(jnp.abs(moved[:, :, None] - table[None]), axis=2)
        back = turned(jnp.take_along_axis(table.T, nearest, axis=0), -angle)
        return reconstruction(model.decode(back), images)

    return jax.lax.map(at, degrees)
