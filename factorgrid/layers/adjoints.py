"""Pairs of linear maps that know each other's transpose."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LinearMap = Callable[[Float[Array, "..."]], Float[Array, "..."]]


def adjoints(forward: LinearMap, transpose: LinearMap) -> tuple[LinearMap, LinearMap]:
    """Two linear maps, each the other's transpose, which are differentiated by one another.

    Autodiff's own transpose of a concatenation of slices is a sum of padded pieces, which is slow.
    """

    def with_gradient(one: LinearMap, other: Callable[[], LinearMap]) -> LinearMap:
        mapped = jax.custom_vjp(one)
        mapped.defvjp(lambda x: (one(x), None), lambda _, cotangent: (other()(jnp.asarray(cotangent)),))
        return mapped

    first: LinearMap = with_gradient(forward, lambda: second)
    second: LinearMap = with_gradient(transpose, lambda: first)
    return first, second
