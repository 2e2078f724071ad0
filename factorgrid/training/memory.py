"""Device memory against the size of a group, as the compiler counts it: nothing is run and nothing allocated."""

from typing import Any

import jax
import jax.numpy as jnp

from factorgrid.training.state import Group, state_shapes
from factorgrid.training.step import Stream, on_one_device


def group_bytes(group: Group, stream: Stream) -> int:
    """Bytes that training the group takes on one device: its state, the data, and what a step leaves behind."""
    abstract: Any = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), (group, stream))
    state = state_shapes(group)
    number = jax.ShapeDtypeStruct((), jnp.int32)
    lowered = on_one_device(group.method.precision).lower(state, *abstract, None, number)
    memory = lowered.compile().memory_analysis()
    assert memory is not None
    return int(memory.argument_size_in_bytes + memory.temp_size_in_bytes)


def largest_group(few: tuple[int, int], many: tuple[int, int], budget: int) -> int:
    """How many members fit into `budget` bytes, from (members, bytes) of two groups: memory is linear in members.

    >>> largest_group((1, 300), (3, 500), 1000)
    8
    """
    each = (many[1] - few[1]) / (many[0] - few[0])
    return int(few[0] + (budget - few[1]) // each)
