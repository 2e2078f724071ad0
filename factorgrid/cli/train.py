"""`factorgrid train`: flags are the fields of `Config`, hyperparameters of all methods, and a few of its own."""

import dataclasses
import warnings
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from factorgrid.cli.declared import FLAGS, MODELS, PRESETS
from factorgrid.errors import Error

STOPPED = "a checkpoint is kept, and the same command again goes on from it"


@dataclasses.dataclass(frozen=True)
class Own:
    """Train a group of models at once: every combination of hyperparameter values, each with every seed.

    The same command again resumes a run that was stopped. Several values after a hyperparameter make several members:

        factorgrid train --data dsprites_twin --model factor_dvae --gamma 10 20 30 --seeds 5
    """

    # help stands in the annotations, since docstrings of fields do not survive `make_dataclass`
    out: Annotated[Path | None, arg(help="The run's folder; runs/DATA-MODEL-HASH by default.")] = None
    seeds: Annotated[tuple[int, ...], arg(help="One number: how many seeds (0, 1, ...). Several numbers: which.")] = (
        1,
    )
    preset: Annotated[str | None, arg(help=PRESETS)] = None
    checkpoint_seconds: Annotated[float, arg(help="How much training time may be lost when the process is killed.")] = (
        60.0
    )
    keep_checkpoints: Annotated[
        bool, arg(help="Keep the checkpoints when the run has finished; its weights are there without.")
    ] = False
    snapshot_every: Annotated[
        int | None,
        arg(help="Keep what members have learned every so many steps; `factorgrid evaluate RUN --snapshots` draws "
                 "the curve."),
    ] = None  # fmt: skip
    quiet: Annotated[bool, arg(help="No progress bar.")] = False
    track: Annotated[
        tuple[str, ...],
        arg(help="Who gets the history while it trains: tensorboard, wandb, mlflow (each an extra to install)."),
    ] = ()


def _options() -> type:
    required: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any, Any]] = []
    for name, kind, default, help, flag in FLAGS:
        metavar = "{" + ",".join(MODELS) + "}" if name == "model" else None
        about = arg(help=help, metavar=metavar, aliases=[f"--{flag}"] if flag else None)
        if default is ...:
            required.append((name, Annotated[kind, about]))
        else:
            optional.append((name, Annotated[kind, about], dataclasses.field(default=default)))
    own = [(f.name, f.type, dataclasses.field(default=f.default)) for f in dataclasses.fields(Own)]
    made = dataclasses.make_dataclass("Options", [*required, *optional, *own], frozen=True)
    made.__doc__ = Own.__doc__
    return made


Options = _options()


def run(options: Any) -> None:
    from factorgrid import api
    from factorgrid.config import LEARNING_RATE
    from factorgrid.methods import preset
    from factorgrid.readable import counted

    given = {f.name: getattr(options, f.name) for f in dataclasses.fields(options) if f.name not in _OWN}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        if value == ():
            raise Error(f"--{name.replace('_', '-')} needs a value")
    if len(given[LEARNING_RATE]) == 1:
        given[LEARNING_RATE] = given[LEARNING_RATE][0]
    if options.data_seed is None:
        given["data_seed"] = None
    if options.preset is not None:
        values = preset(options.preset, options.model, supervised=options.labels > 0)
        if not values:
            idle = f"preset '{options.preset}' changes nothing, '{options.model}' has no hyperparameters"
            warnings.warn(idle, stacklevel=2)
        given = {**values, **given}
    seeds = options.seeds[0] if len(options.seeds) == 1 else options.seeds
    trained = api.train(
        seeds=seeds,
        out=options.out,
        quiet=options.quiet,
        checkpoint_seconds=options.checkpoint_seconds,
        keep_checkpoints=options.keep_checkpoints,
        snapshot_every=options.snapshot_every,
        track=options.track,
        **given,
    )
    print(
        f"trained {counted(len(trained.members), 'member')} into {trained.path}\n"
        f"score them: factorgrid evaluate {trained.path}\ndraw them:  factorgrid traverse {trained.path}"
    )


_OWN = {f.name for f in dataclasses.fields(Own)}
