"""Members over several devices: each takes an equal share of the group, and none ever waits for another.

Members share nothing but the batch, and every device draws that for itself. So the whole loop of steps runs on each
device alone, over the members that lie there.
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from factorgrid.training.state import State

AXIS = "member"
SPLIT, WHOLE = PartitionSpec(AXIS), PartitionSpec()
# The step is shared; everything else of a state has a leading member axis.
STATE_SPLIT: Any = State(SPLIT, SPLIT, SPLIT, SPLIT, WHOLE)  # type: ignore[arg-type]


def member_mesh(num_members: int) -> Mesh:
    """The most devices of the backend that divide the number of members; one if nothing else does."""
    devices = jax.local_devices()
    num_devices = max(n for n in range(1, len(devices) + 1) if num_members % n == 0)
    return Mesh(np.asarray(devices[:num_devices]), (AXIS,))


def place(tree: Any, mesh: Mesh, part: PartitionSpec) -> Any:
    """Arrays of `tree` laid over the devices of a mesh; as they are if it is one device."""
    if mesh.size == 1:
        return tree
    return jax.tree.map(lambda leaf: jax.device_put(leaf, NamedSharding(mesh, part)), tree)
