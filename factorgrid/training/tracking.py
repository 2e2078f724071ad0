"""History to other people's tools while a group trains: one small interface, a tracker each for three of them.

A tracker gets every row of `history.parquet` once it is complete: a table with a row for each member, columns
`member`, `step` and the loss terms. Their packages are extras: `pip install 'factorgrid[tensorboard]'`.
"""

import contextlib
import importlib
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from factorgrid.errors import Error, unknown_name
from factorgrid.training.run import Run


@runtime_checkable
class Tracker(Protocol):
    """What is told of a training; write your own and give it to `train(track=[...])`."""

    def log(self, rows: pd.DataFrame) -> None:
        """A row for each member of one step."""

    def close(self) -> None:
        """Training has ended, well or not."""


class TensorBoard:
    """Event files in `tensorboard/MEMBER` of the run's folder: `tensorboard --logdir RUN/tensorboard`."""

    def __init__(self, run: Run) -> None:
        writer = _package("tensorboardX", "tensorboard").SummaryWriter
        folder = run.path / "tensorboard"
        self._writers = {member.name: writer(logdir=str(folder / member.name)) for member in run.members}

    def log(self, rows: pd.DataFrame) -> None:
        for member, step, terms in _each(rows):
            for name, value in terms.items():
                self._writers[member].add_scalar(name, value, step)
            self._writers[member].flush()  # so that it is seen while it trains

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


class WandB:
    """One Weights & Biases run for the group; curves are named MEMBER/TERM."""

    def __init__(self, run: Run) -> None:
        self._run = _package("wandb", "wandb").init(
            project="factorgrid", name=run.path.name, dir=str(run.path), config=run.config.to_json()
        )

    def log(self, rows: pd.DataFrame) -> None:
        self._run.log(*_joined(rows))

    def close(self) -> None:
        self._run.finish()


class MLflow:
    """One MLflow run for the group, where MLFLOW_TRACKING_URI says; curves are named MEMBER/TERM."""

    def __init__(self, run: Run) -> None:
        self._mlflow = _package("mlflow", "mlflow")
        self._mlflow.start_run(run_name=run.path.name)
        self._mlflow.log_params({name: str(value) for name, value in run.config.to_json().items()})

    def log(self, rows: pd.DataFrame) -> None:
        metrics, step = _joined(rows)
        self._mlflow.log_metrics(metrics, step=step)

    def close(self) -> None:
        self._mlflow.end_run()


TRACKERS: dict[str, Any] = {"tensorboard": TensorBoard, "wandb": WandB, "mlflow": MLflow}


@contextlib.contextmanager
def tracking(run: Run, wanted: Sequence[str | Tracker]) -> Iterator[list[Tracker]]:
    """The trackers of a training, by name or as they are; they are closed when the block ends.

    Raises:
        Error: an unknown name, or a package that is not installed.
    """
    with contextlib.ExitStack() as stack:
        trackers: list[Tracker] = []
        for one in wanted:
            if isinstance(one, str) and one not in TRACKERS:
                raise unknown_name("tracker", one, TRACKERS)
            tracker: Any = TRACKERS[one](run) if isinstance(one, str) else one
            stack.callback(tracker.close)
            trackers.append(tracker)
        yield trackers


def _package(name: str, extra: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Error(f"tracking with {extra} needs the package {name}: pip install 'factorgrid[{extra}]'") from None


def _each(rows: pd.DataFrame) -> Iterator[tuple[str, int, dict[str, float]]]:
    """Member, step and finite terms of every row; members that have diverged have none."""
    for row in rows.to_dict("records"):
        member, step = str(row.pop("member")), int(row.pop("step"))
        yield member, step, {str(name): float(value) for name, value in row.items() if math.isfinite(value)}


def _joined(rows: pd.DataFrame) -> tuple[dict[str, float], int]:
    """All members in one: {"MEMBER/TERM": value}, and the step."""
    each = list(_each(rows))
    return {f"{member}/{name}": value for member, _, terms in each for name, value in terms.items()}, each[0][1]
