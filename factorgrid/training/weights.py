"""Published weights: one safetensors file a member, arrays named by their place in the model. Nothing is unpickled."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from factorgrid.errors import Error
from factorgrid.files import read_arrays, write_arrays


def named_leaves(tree: Any) -> dict[str, Any]:
    """Arrays of a pytree by readable names, such as "encoder.convolutions.0.weight"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def save_weights(path: Path, tree: Any, metadata: dict[str, str]) -> None:
    """Write the arrays of a pytree, whole or not at all, with a checksum."""
    write_arrays(path, {name: np.asarray(leaf) for name, leaf in named_leaves(tree).items()}, metadata)


def load_weights(path: Path, like: Any) -> Any:
    """A pytree of the structure of `like` (arrays, or shapes from `eqx.filter_eval_shape`) with the file's arrays.

    Raises:
        Error: the file is missing or damaged, or its arrays have other names or shapes.
    """
    expected = named_leaves(like)
    if not path.exists():
        raise Error(f"{path} does not exist; has this run finished training?")
    stored = {_today(name): array for name, array in read_arrays(path)[0].items()}
    for name, leaf in expected.items():
        found = stored[name].shape if name in stored else None
        if found != leaf.shape:
            raise Error(f"{path}: array '{name}' should have shape {leaf.shape}, found {found or 'none'}")
    leaves = [jnp.asarray(stored[name].astype(leaf.dtype)) for name, leaf in expected.items()]  # 16 bits become 32
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _today(name: str) -> str:
    """Names of arrays in files of version 0.1, which had (model, critic, alive) for the whole."""
    old = {"0.label_scale": "params.head", "2": "alive"}
    if name in old:
        return old[name]
    first, _, rest = name.partition(".")
    return {"0": "params.model.", "1": "params.critic."}.get(first, f"{first}.") + rest if rest else name


def member_of(tree: Any, member: int) -> Any:
    """One member of a pytree whose arrays have a leading member axis."""
    return jax.tree.map(lambda leaf: leaf[member] if eqx.is_array(leaf) else leaf, tree)
