"""Checkpoints (Orbax): State at a step, whole or not there, the newest one kept with its predecessor.

Only arrays are stored, under readable names; what they mean follows from the run's configuration.
"""

import logging
import shutil
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from factorgrid.errors import Error, first_line
from factorgrid.files import MOST_SAID, verify_checksums, write_checksums
from factorgrid.readable import readable_bytes
from factorgrid.training.state import State
from factorgrid.training.weights import named_leaves

logging.getLogger("absl").setLevel(logging.ERROR)  # Orbax narrates every step of every save

SPARE_BYTES = 256 * 1024  # for the small files beside the arrays


class Checkpoints:
    """The checkpoints of one run, a context manager; `read_only` for those who look on while another process trains."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder.absolute()
        options = ocp.CheckpointManagerOptions(
            max_to_keep=None if read_only else 2,
            enable_async_checkpointing=False,
            cleanup_tmp_directories=not read_only,
            read_only=read_only,
        )
        self._manager = ocp.CheckpointManager(self._folder, options=options)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self._manager.close()

    def latest(self) -> int | None:
        """The step of the newest whole checkpoint."""
        return self._manager.latest_step()

    def save(self, state: State) -> None:
        """Keep `state`.

        Raises:
            Error: it cannot be written.
        """
        step = int(state.step)
        if step == self.latest():
            return
        leaves = named_leaves(state)
        self._check_space(sum(leaf.nbytes for leaf in leaves.values()))
        try:
            self._manager.save(step, args=ocp.args.StandardSave(leaves))
            self._manager.wait_until_finished()
            write_checksums(self._folder / str(step))
        except (OSError, ValueError) as error:
            reason = first_line(error)[:MOST_SAID]
            raise Error(
                f"cannot write a checkpoint to {self._folder}: {reason}; free some space and run again"
            ) from error

    def _check_space(self, size: int) -> None:
        """Before Orbax finds out: its threads tell of a full disk in hundreds of lines."""
        free = shutil.disk_usage(self._folder).free
        if free < size + SPARE_BYTES:
            raise Error(
                f"cannot write a checkpoint to {self._folder}: it takes {readable_bytes(size)}, and "
                f"{readable_bytes(free)} are free; free some space and run again"
            )

    def restore(self, like: State) -> State:
        """The newest state; arrays as in `like`, which may be shapes.

        Raises:
            Error: the checkpoint is damaged or of another kind of run.
        """
        step = self.latest()
        shapes: dict[str, Any] = {
            name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=getattr(leaf, "sharding", None))
            for name, leaf in named_leaves(like).items()
        }
        try:
            verify_checksums(self._folder / str(step))
            arrays = self._manager.restore(step, args=ocp.args.StandardRestore(shapes))
        except Exception as error:  # Orbax and its storage raise many kinds
            reason = first_line(error)
            raise Error(
                f"checkpoint {self._folder / str(step)} cannot be read ({reason}); delete that folder to go on from "
                "the one before, or the whole run to start over"
            ) from error
        return jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in shapes])
