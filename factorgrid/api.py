"""The functions that the command line, the tutorials and a notebook share."""

import dataclasses
import inspect
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Unpack

from factorgrid import datasets
from factorgrid.config import MOST_SEEDS, Config, check_names, split_options, without_effect
from factorgrid.datasets import Dataset
from factorgrid.errors import Error, unknown_name
from factorgrid.methods import method
from factorgrid.options import Options
from factorgrid.training import Run
from factorgrid.training import train as train_group
from factorgrid.training.single_file import export as export
from factorgrid.training.single_file import load_model as load_model
from factorgrid.training.tracking import Tracker
from factorgrid.training.training import OnStep


def train(
    *,
    data: str,
    model: str,
    seeds: int | Sequence[int] = 1,
    steps: int = 300_000,
    out: str | Path | None = None,
    quiet: bool = False,
    checkpoint_seconds: float = 60.0,
    keep_checkpoints: bool = False,
    snapshot_every: int | None = None,
    on_step: OnStep | None = None,
    track: Sequence[str | Tracker] = (),
    **options: Unpack[Options],
) -> Run:
    """Train a group of members, all at once: every combination of hyperparameter values, each with every seed.

    The same call again resumes a run that was stopped, and returns one that has finished.

    Args:
        data: a data set's name (`factorgrid data list`), or the path of your own images.
        model: a method's name, such as "dvae" or "factor_dvae".
        seeds: how many (0, 1, ...), or which.
        steps: of training; the paper trains for 300,000.
        out: the run's folder; "runs/DATA-MODEL-HASH" by default.
        quiet: no progress bar.
        checkpoint_seconds: how often training can be resumed from, at least.
        keep_checkpoints: keep them when the run has finished; its weights are there without.
        snapshot_every: keep what members have learned every so many steps, as runs that can be scored
            (`Run.snapshots`, `learning_curve`).
        on_step: called now and then with the number of steps taken so far and the loss terms of every member, averaged
            since the last call: {term: [member]}.
        track: who gets the history while it trains: "tensorboard", "wandb", "mlflow" (extras), or a `Tracker`.
        options: hyperparameters of the method (`gamma=[10, 20, 30]` or `beta=4`), fields of `Config`
            (`architecture="mlp"`, `num_latents=2`, `labels=100`, ...), and options of the data set (`image_size=32`).

    Returns:
        The run: its members' weights, history and configuration on disk.

    Raises:
        Error: a name or value that does not exist or fit, or training that diverged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = train(data="circles", model="vae", steps=2, architecture="mlp", num_latents=2, out=folder, quiet=True)
    >>> [member.name for member in run.members]
    ['seed0']
    """
    config = make_config(data=data, model=model, seeds=seeds, steps=steps, **options)
    if snapshot_every is not None and snapshot_every >= config.steps:
        warnings.warn(f"snapshot_every {snapshot_every} keeps nothing, training takes {steps} steps", stacklevel=2)
    return train_group(
        config,
        out or default_folder(config),
        checkpoint_seconds=checkpoint_seconds,
        keep_checkpoints=keep_checkpoints,
        snapshot_every=snapshot_every,
        quiet=quiet,
        on_step=on_step,
        track=track,
    )


def make_config(*, data: str, model: str, seeds: int | Sequence[int], **options: Any) -> Config:
    """A configuration from plain arguments; hyperparameters may be one value or several.

    What changes nothing is warned of, at the line that called whoever calls this.

    Raises:
        Error: a name or value that does not exist or fit.
    """
    method(model)  # first of all: a misspelt model should not be reported as something else
    grid, fields = split_options(model, options)
    own = inspect.signature(train).parameters.keys() - {"options", *(one.name for one in dataclasses.fields(Config))}
    for name in sorted(own & fields.keys()):
        raise Error(f"'{name}' is a keyword of fg.train, and none of a configuration")
    check_names("option", fields, also=sorted(own))
    named = {"data": data, "model": model, "seeds": as_seeds(seeds), "hyperparameters": grid}
    config = Config.from_json({**named, **fields})
    for name, why in without_effect(config).items():
        warnings.warn(f"{name} {why}", stacklevel=3)
    return config


def as_seeds(seeds: Any) -> tuple[int, ...]:
    """How many seeds (0, 1, ...), or which.

    Raises:
        Error: not a whole number, nor several.
    """
    if isinstance(seeds, bool) or not (hasattr(seeds, "__index__") or isinstance(seeds, Iterable)):
        raise Error(f"seeds must be a whole number or several, got {seeds!r}")
    if not hasattr(seeds, "__index__"):
        return tuple(seeds)
    if not 1 <= int(seeds) <= MOST_SEEDS:
        raise Error(f"seeds must be between 1 and {MOST_SEEDS:,}, got {seeds}")
    return tuple(range(int(seeds)))


def default_folder(config: Config) -> Path:
    """Where a run goes when nobody says: named by data, model and the hash of the whole configuration."""
    return Path("runs") / f"{Path(config.data).stem}-{config.model}-{config.identity[:8]}"


def load_run(path: str | Path, *, data: str | Path | None = None, refined: bool = True) -> Run:
    """The run in a folder.

    Args:
        path: the folder.
        data: where its images are, if they have moved since it was trained.
        refined: whether models decode by the decoder of `refine`, where they have one, or by their own.
    """
    return Run.open(path, data=data, refined=refined)


def load_dataset(name: str | Path, **options: Any) -> Dataset:
    """The data set called `name`, or a user's own images at that path.

    Args:
        name: see `factorgrid data list`.
        options: see `datasets.load`, such as `image_size=32`.

    Returns:
        The data set.

    Raises:
        Error: no such name or option, or files that it needs are missing or damaged.
    """
    known = (*datasets.OPTIONS, "root")
    for option in options:
        if option not in known:
            raise unknown_name("option of a data set", option, known)
    return datasets.load(name, **options)
