"""Pairs of linear maps that know each other's transpose."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Shaped

LinearMap = Callable[[Shaped[Array, "..."]], Shaped[Array, "..."]]


class Adjoints(NamedTuple):
    """A linear map and its transpose."""

    forward: LinearMap
    transpose: LinearMap

    @property
    def turned(self) -> "Adjoints":
        """The transpose and its transpose."""
        return Adjoints(self.transpose, self.forward)


def _same(x: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    return x


SAME = Adjoints(_same, _same)


def moving(fn: LinearMap) -> LinearMap:
    """A map that only moves numbers and puts zeros between them.

    Sixteen-bit numbers move as integers: XLA's CPU compiler would convert them to float32, move those, and convert
    them back.
    """

    def moved(x: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
        if x.dtype.itemsize != 2:
            return fn(x)
        return jax.lax.bitcast_convert_type(fn(jax.lax.bitcast_convert_type(x, jnp.uint16)), x.dtype)

    return moved


def differentiable(pair: Adjoints) -> Adjoints:
    """Both maps, differentiated by one another.

    Autodiff's own transpose of a concatenation of slices is a sum of padded pieces, which is slow.
    """

    def with_gradient(one: LinearMap, other: Callable[[], LinearMap]) -> LinearMap:
        mapped = jax.custom_vjp(one)
        mapped.defvjp(lambda x: (one(x), None), lambda _, cotangent: (other()(jnp.asarray(cotangent)),))
        return mapped

    first: LinearMap = with_gradient(pair.forward, lambda: second)
    second: LinearMap = with_gradient(pair.transpose, lambda: first)
    return Adjoints(first, second)
