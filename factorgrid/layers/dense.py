"""The fully connected layer."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.layers.initializers import Initializer
from factorgrid.layers.product import product


class Dense(eqx.Module):
    """x -> x @ weight + bias on the last axis, and a ReLU if asked for."""

    weight: Float[Array, "input output"]
    bias: Float[Array, " output"]

    def __init__(self, num_inputs: int, num_outputs: int, *, init: Initializer, key: Key[Array, ""]) -> None:
        self.weight = init(key, (num_inputs, num_outputs), num_inputs, num_outputs)
        self.bias = jnp.zeros(num_outputs)

    def __call__(self, x: Float[Array, "*batch input"], *, relu: bool = False) -> Float[Array, "*batch output"]:
        return product(x, self.weight, self.bias, relu=relu)
