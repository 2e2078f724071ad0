"""The one operation that all layers are made of, and the precision it is computed in.

`tf32` is the default of JAX and of PyTorch's convolutions: on NVIDIA GPUs that have it, operands are rounded to 10
bits after the leading one on their way into the tensor cores and sums are float32; elsewhere it is float32.
`bfloat16` rounds operands to 7 bits, everywhere, and activations between an encoder's or decoder's layers too, which
halves what is moved through memory. Sums, weights, what a latent reads, losses and Adam's state are float32 always.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from factorgrid.layers.adjoints import SAME, Adjoints
from factorgrid.layers.sums import column_sums

PRECISIONS = ("float32", "tf32", "bfloat16")

_precision: ContextVar[str] = ContextVar("precision", default="tf32")


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """What is traced inside multiplies in this precision. It is not part of a program's cache key: trace anew."""
    token = _precision.set(precision)
    try:
        with jax.default_matmul_precision("float32" if precision == "float32" else "tensorfloat32"):
            yield
    finally:
        _precision.reset(token)


def precision() -> str:
    """The precision that products are multiplied in, where this is called."""
    return _precision.get()


def rounded(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """What a network reads first, in the type that its activations have."""
    return x.astype(jnp.bfloat16) if _precision.get() == "bfloat16" else x


def product(
    x: Float[Array, "..."],
    matrix: Float[Array, "input output"],
    bias: Float[Array, " last"] | None = None,
    *,
    gather: Adjoints = SAME,
    scatter: Adjoints = SAME,
    mask: Float[Array, "..."] | None = None,
    relu: bool = False,
) -> Float[Array, "..."]:
    """relu((scatter(gather(x) @ matrix) + bias) * mask), each part but the product optional.

    One operation with a gradient of its own, because only so are sums float32 on both ways while what is moved and
    kept has x's type. After a ReLU the result has x's type as well; without one it is the sums as they are, since
    what reads them is no further layer.

    Args:
        x: of any number of axes; `gather` makes rows of `input` numbers of it.
        gather: moves numbers, each to any number of places.
        scatter: moves and adds up; its adjoint moves only.
        mask: of zeros and ones.
    """
    return _product(Plan(_precision.get(), gather, scatter, relu), x, matrix, bias, mask)


class Plan(NamedTuple):
    """What is fixed when a program is traced."""

    precision: str
    gather: Adjoints
    scatter: Adjoints
    relu: bool


Operands = tuple[Array, Array, Array | None, Array | None]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _product(plan: Plan, x: Array, matrix: Array, bias: Array | None, mask: Array | None) -> Array:
    with products_in(plan.precision):
        out = plan.scatter.forward(_rows_times(plan.gather.forward(x), matrix))
    if bias is not None:
        out = out + bias
    if mask is not None:
        out = out * mask
    return jnp.maximum(out, 0).astype(x.dtype) if plan.relu else out


def _forward(plan: Plan, x: Array, matrix: Array, bias: Array | None, mask: Array | None) -> tuple[Array, Operands]:
    out = _product(plan, x, matrix, bias, mask)
    return out, (x, matrix, bias, out if plan.relu else mask)


def _gradient(plan: Plan, kept: Operands, cotangent: ArrayLike) -> Operands:
    (x, matrix, bias, passed), cotangent = kept, jnp.asarray(cotangent)
    if passed is not None:  # what a mask or a ReLU held back is zero
        cotangent = jnp.where(passed > 0, cotangent, 0)
    of_bias = None if bias is None else column_sums(cotangent, bias.dtype)
    with products_in(plan.precision):  # by now the block that the product was called in may have ended
        rows, shares = plan.gather.forward(x), plan.scatter.transpose(cotangent)
        of_x = plan.gather.transpose(_rows_times(shares, _transposed(matrix)))
        of_matrix = _matrix_gradient(rows.reshape(-1, rows.shape[-1]), shares.reshape(-1, shares.shape[-1]))
    return of_x.astype(x.dtype), of_matrix.astype(matrix.dtype), of_bias, None


_product.defvjp(_forward, _gradient)


def _rows_times(x: Float[Array, "*batch input"], matrix: Float[Array, "input output"]) -> Float[Array, "*batch output"]:
    return _multiply(x.reshape(-1, x.shape[-1]), matrix).reshape(*x.shape[:-1], matrix.shape[-1])


def _multiply(a: Float[Array, "row inner"], b: Float[Array, "inner column"]) -> Float[Array, "row column"]:
    if _precision.get() != "bfloat16":
        return a @ b
    return jnp.matmul(rounded(a), rounded(b), preferred_element_type=jnp.float32)


def _matrix_gradient(
    rows: Float[Array, "row input"], shares: Float[Array, "row output"]
) -> Float[Array, "input output"]:
    """rows.T @ shares; the narrower of the two is the one that is transposed."""
    if rows.shape[1] <= shares.shape[1]:
        return _multiply(_transposed(rows), shares)
    turned = _multiply(_transposed(shares), rows)
    # the barrier keeps XLA from moving this transpose into the product
    return jax.lax.optimization_barrier(turned).T


def _transposed(x: Float[Array, "row column"]) -> Float[Array, "column row"]:
    """x.T, rounded as products read it; on a CPU as a copy, on which XLA's products are two or three times as fast.

    The detour through three axes is for bfloat16: XLA gives a plain transpose the layout of what it reads, and
    products of operands in such a layout are computed in float32.
    """
    x = rounded(x)
    if jax.default_backend() != "cpu":
        return x.T
    return jax.lax.optimization_barrier(x[:, :, None].transpose(1, 2, 0).reshape(x.shape[::-1]))


@jax.custom_vjp
def add_bias(x: Float[Array, "*batch channel"], bias: Float[Array, " channel"]) -> Float[Array, "*batch channel"]:
    """x + bias, with a quick gradient."""
    return x + bias


def _bias_gradient(
    bias: Float[Array, " channel"], cotangent: Float[ArrayLike, "*batch channel"]
) -> tuple[Array, Array]:
    cotangent = jnp.asarray(cotangent)
    return cotangent, column_sums(cotangent, bias.dtype)


add_bias.defvjp(lambda x, bias: (add_bias(x, bias), bias), _bias_gradient)
