"""Tripod (Hsu, Ibn Hamid et al. 2024, https://arxiv.org/abs/2404.10282): quantisation, independence, a plain decoder.

The latent is quantised (FSLQ in the paper); two terms are added to the reconstruction. The kernel latent
multi-information asks for independent codes: a kernel density of all dimensions against the product of those of single
ones. The normalised Hessian penalty asks that latents do not interact in the decoder: mixed second derivatives of its
activations against all second derivatives, both from finite differences along random directions.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, Key

from factorgrid.datasets import Batch
from factorgrid.errors import Error
from factorgrid.latents.abilities import Scalar as OneNumber
from factorgrid.layers.product import products_in
from factorgrid.models import Forward
from factorgrid.models.autoencoder import Layered
from factorgrid.objectives.objective import Context, Loss, Objective, Scalar, reconstruction

TINY = 1e-10


class Tripod(Objective):
    """reconstruction + lambda_m * multi-information + lambda_h * Hessian penalty.

    Attributes:
        lambda_m, lambda_h: weights. The authors' 1e-4 and 1e-2 (Shapes3D) of means over pixels are 1.23 and 123 of our
            sums for 64 x 64 x 3 images.
        step: of the finite differences, in standard deviations of the latents before rounding.
        directions: of each kind, an image and batch.
    """

    requires: ClassVar[tuple[type, ...]] = (OneNumber,)
    lambda_m: Scalar | float = 1.23
    lambda_h: Scalar | float = 123.0
    step: float = eqx.field(static=True, default=0.1)
    directions: int = eqx.field(static=True, default=2)

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        latents, posterior = passes[0].latents, passes[0].posterior
        number: Any = posterior
        spread = jnp.std(number.unrounded(), axis=0) + 1e-6
        decoder = context.model.decoder
        if not isinstance(decoder, Layered):
            raise Error("objective 'tripod' looks into the decoder's layers: use an architecture of this library's own")
        with products_in("float32"):  # of second differences, fewer digits would leave rounding errors
            hessian = hessian_penalty(decoder.activations, latents, spread, self.step, self.directions, context.key)
        terms = {
            "reconstruction": reconstruction(passes[0].logits, batch[0].images),
            "multi_information": kernel_multi_information(latents, spread),
            "hessian": hessian,
        }
        weighted = self.lambda_m * terms["multi_information"] + self.lambda_h * terms["hessian"]
        return Loss(terms["reconstruction"] + weighted, terms)


def kernel_multi_information(latents: Float[Array, "batch latent"], spread: Float[Array, " latent"]) -> Scalar:
    """Mean log ratio of two kernel densities at the points themselves: of all dimensions, and the product of each's.

    Silverman's factor narrows the joint kernel and not those of single dimensions, as in the authors' code.
    """
    num_points, num_latents = latents.shape
    factor = float((4 / (num_latents + 2)) ** (1 / (num_latents + 4)) * num_points ** (-1 / (num_latents + 4)))
    scaled = ((latents[:, None] - latents[None]) / spread) ** 2
    logs = -jnp.log(spread) - 0.5 * float(np.log(2 * np.pi))
    joint = logsumexp(jnp.sum(-0.5 * scaled / factor**2 + logs - float(np.log(factor)), axis=2), axis=1)
    single = jnp.sum(logsumexp(-0.5 * scaled + logs, axis=1) - float(np.log(num_points)), axis=1)
    return jnp.mean(joint - float(np.log(num_points)) - single)


def hessian_penalty(
    activations: Callable[[Array], tuple[Array, ...]],
    latents: Float[Array, "batch latent"],
    spread: Float[Array, " latent"],
    step: float,
    directions: int,
    key: Key[Array, ""],
) -> Scalar:
    """Sum over the decoder's inner layers of the share of mixed second derivatives.

    Along signs (Rademacher) the variance of the second difference is twice the sum of squared mixed derivatives, along
    normal directions twice that of all. Both are averaged over the batch before their ratio is taken: a ReLU network is
    bent in few places, and the ratio of one image may have nothing below it.
    """
    shape = (directions, *latents.shape)
    signs = jax.random.rademacher(jax.random.fold_in(key, 0), shape, latents.dtype)
    normal = jax.random.normal(jax.random.fold_in(key, 1), shape, latents.dtype)
    moves = step * spread * jnp.stack([signs, normal])
    points = jnp.concatenate([(latents + moves).reshape(-1, latents.shape[1]),
                              (latents - moves).reshape(-1, latents.shape[1]), latents])  # fmt: skip
    layers = activations(points)
    return sum((_mixed_share(layer, directions, len(latents), step) for layer in layers), jnp.zeros(()))


def _mixed_share(layer: Float[Array, "..."], directions: int, num_images: int, step: float) -> Scalar:
    units = layer.reshape(len(layer), -1)
    forth, back = jnp.split(units[:-num_images], 2)
    second = (forth + back).reshape(2, directions, num_images, -1) - 2 * units[-num_images:]
    mixed, every = jnp.mean(jnp.var(second / step**2, axis=1), axis=(1, 2))
    return mixed / (every + TINY)
