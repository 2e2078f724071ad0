"""The one product that all layers are made of, and the precision it is computed in.

`tf32` is the default of JAX and of PyTorch's convolutions: on NVIDIA GPUs that have it, operands are rounded to 10
bits after the leading one on their way into the tensor cores and sums are float32; elsewhere it is float32.
`bfloat16` rounds operands to 7 bits, everywhere. Weights, activations and Adam's state are float32 always.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

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


def product(x: Float[Array, "*batch input"], matrix: Float[Array, "input output"]) -> Float[Array, "*batch output"]:
    """x @ matrix, with all rows in one axis."""
    return _product(x.reshape(-1, x.shape[-1]), matrix).reshape(*x.shape[:-1], matrix.shape[-1])


def _multiply(a: Float[Array, "row inner"], b: Float[Array, "inner column"]) -> Float[Array, "row column"]:
    if _precision.get() != "bfloat16":
        return a @ b
    return jnp.matmul(a.astype(jnp.bfloat16), b.astype(jnp.bfloat16), preferred_element_type=a.dtype)


# Differentiated by hand, so that gradients are products of the same precision, and fast on a CPU.
_product = jax.custom_vjp(_multiply)


def _gradient(
    operands: tuple[Float[Array, "row input"], Float[Array, "input output"]], cotangent: Float[ArrayLike, "row output"]
) -> tuple[Array, Array]:
    (x, matrix), cotangent = operands, jnp.asarray(cotangent)
    narrow, wide = (x, cotangent) if x.shape[1] <= cotangent.shape[1] else (cotangent, x)
    # XLA's CPU products are two or three times as slow on a transposed operand as on a transposed copy of one.
    transposed = jax.lax.optimization_barrier(narrow.T) if jax.default_backend() == "cpu" else narrow.T
    gradient = _multiply(transposed, wide)
    return _multiply(cotangent, matrix.T), gradient if narrow is x else gradient.T


_product.defvjp(lambda x, matrix: (_multiply(x, matrix), (x, matrix)), _gradient)
