"""Networks of a user's own: any Equinox modules, named by import path, "my_module:make_networks".

The path stands in the run's configuration, and nothing of the code does: whoever loads the run needs the module, too.
"""

import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from factorgrid.errors import Error, first_line

Shape = tuple[int, int, int]


class OneByOne(eqx.Module):
    """A network for one example, applied to a batch. Its floats are learned; all else (activations) is fixed.

    Attributes:
        arrays, rest: the network in two halves; functions are no leaves that a program could take.
    """

    arrays: Any
    rest: Any = eqx.field(static=True)

    def __call__(self, x: Float[Array, "batch ..."]) -> Float[Array, "batch ..."]:
        return jax.vmap(eqx.combine(self.arrays, self.rest))(x)


def is_own(architecture: str) -> bool:
    """Whether this is an import path."""
    return ":" in architecture


def own_builder(path: str) -> Callable[..., tuple[Any, Any]]:
    """The function at an import path, as an entry of `ARCHITECTURES` has it.

    It is called as make_networks(image_shape, num_parameters, num_latents, key=...), with `width` and `depth` if it
    takes them and they were given, and returns an encoder, [height width channel] -> [num_parameters], and a decoder,
    [num_latents] -> pixel logits [height width channel]: both for one image, as Equinox's modules are.

    Raises:
        Error: there is no such module or function.
    """
    make = imported(path)

    @functools.wraps(make)
    def build(
        image_shape: Shape, num_parameters: int, num_latents: int, init: Any, key: Key[Array, ""], **options: int
    ) -> tuple[OneByOne, OneByOne]:
        found = make(image_shape, num_parameters, num_latents, key=key, **options)
        if not isinstance(found, tuple) or len(found) != 2:
            raise Error(f"{path} must return an encoder and a decoder, got {type(found).__name__}")
        encoder = fitted(f"the encoder of {path}", found[0], image_shape, (num_parameters,))
        return encoder, fitted(f"the decoder of {path}", found[1], (num_latents,), image_shape)

    return build


def fitted(what: str, network: Any, given: tuple[int, ...], wanted: tuple[int, ...]) -> OneByOne:
    """The network for batches.

    Raises:
        Error: it holds arrays that cannot be learned, or takes or gives another shape.
    """
    arrays, rest = eqx.partition(network, eqx.is_array)
    for leaf in jax.tree.leaves(arrays):
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            raise Error(
                f"{what} holds an array of {leaf.dtype}, and only floats can be learned; make it a static field"
            )
    try:
        out = eqx.filter_eval_shape(network, jax.ShapeDtypeStruct(given, jnp.float32))
    except Exception as error:  # whatever a user's code may raise
        raise Error(f"{what} fails for an input of shape {list(given)}: {first_line(error)}") from error
    if getattr(out, "shape", None) != wanted:
        raise Error(
            f"{what} gives {getattr(out, 'shape', type(out).__name__)} of one {list(given)}, not {list(wanted)}"
        )
    return OneByOne(arrays, rest)


def imported(path: str) -> Callable[..., Any]:
    """The function at an import path; modules of the current folder are found as well.

    Raises:
        Error: there is no such module or function.
    """
    module, _, name = path.partition(":")
    here = os.getcwd()
    try:
        sys.path.append(here)
        found = getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError) as error:
        raise Error(
            f"architecture '{path}' cannot be imported: {error}; put its module into the current folder or PYTHONPATH"
        ) from None
    finally:
        sys.path.remove(here)
    if not callable(found):
        raise Error(f"architecture '{path}': module '{module}' has no function '{name}'")
    return found
