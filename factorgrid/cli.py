"""The command line: demo, data, train, evaluate, traverse, study. Flags follow from the tables of methods."""

import dataclasses
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.console import Console
from tyro.conf import Positional, arg, subcommand

from factorgrid import api
from factorgrid.datasets import DATASETS
from factorgrid.errors import Error
from factorgrid.methods import METHODS, PRESETS, preset
from factorgrid.metrics import METRICS
from factorgrid.selectors import SELECTORS
from factorgrid.study_commands import StudyCommand, study

ABOUT = "Learn disentangled discrete representations: train groups of models, score them, look at them."


@dataclasses.dataclass(frozen=True)
class Demo:
    """Train five VAEs and five D-VAEs on Circles, score both, and draw how their latent planes differ.

    Takes about six minutes on two cores. Run it again to see the results without training again.
    """

    out: Path = Path("runs/demo")
    """Folder for the two runs and the pictures."""


@dataclasses.dataclass(frozen=True)
class DataList:
    """Say which data sets there are, which are on this machine, where, and how large."""


@dataclasses.dataclass(frozen=True)
class DataDownload:
    """Fetch a published data set: with a progress bar, resumed where it broke off, verified, unpacked."""

    name: Positional[str]
    """A published data set, such as smallnorb; see: factorgrid data list."""
    accept_changed: bool = False
    """Take files whose checksum is not the published one, if they are sound."""


@dataclasses.dataclass(frozen=True)
class DataPreview:
    """Draw the factors of a data set, one row each, into a PNG."""

    name: Positional[str]
    """A data set, or the path of your own images (an npz file or a folder)."""
    out: Path | None = None
    """The picture; NAME.png by default."""
    seed: int = 0
    """Decides which images are drawn."""


@dataclasses.dataclass(frozen=True)
class Evaluate:
    """Score every member of a run: print a table, a row a member, and write scores.parquet."""

    run: Positional[Path]
    """The run's folder."""
    metrics: Annotated[
        tuple[str, ...],
        arg(help=f"Which scores: six (the paper's metrics), all, or any of {', '.join([*METRICS, *SELECTORS])}."),
    ] = (
        "mig",
        "st_gap",
    )
    seed: int = 0
    """Decides every draw of every metric."""
    quick: bool = False
    """A first look: a tenth of the published sample counts, a fiftieth of the gap's batches."""
    jobs: int | None = None
    """Threads, and processes for slow metrics; all cores by default."""


@dataclasses.dataclass(frozen=True)
class Traverse:
    """Draw a run: reconstructions, latent traversals, KL of each dimension, training curves, latent planes."""

    run: Positional[Path]
    """The run's folder."""
    member: str = "best"
    """A member's name, its number, `best` (by straight-through gap, else MIG), or `all`."""
    out: Path | None = None
    """Folder for the pictures; RUN/figures by default."""
    seed: int = 0
    """Decides which images are drawn."""


@dataclasses.dataclass(frozen=True)
class _Train:
    """Train a group of models at once: every combination of hyperparameter values, each with every seed.

    The same command again resumes a run that was stopped. Several values after a hyperparameter make several members:

        factorgrid train --data dsprites_twin --model factor_dvae --gamma 10 20 30 --seeds 5
    """

    data: str
    """A data set (see: factorgrid data list), or the path of your own images."""
    model: Annotated[str, arg(metavar="{" + ",".join(METHODS) + "}")]
    """What to train."""
    seeds: tuple[int, ...] = (1,)
    """One number: how many seeds (0, 1, ...). Several numbers: which."""
    steps: int = 300_000
    """Training steps; the paper's number by default."""
    out: Path | None = None
    """The run's folder; runs/DATA-MODEL-HASH by default."""
    batch_size: int = 64
    learning_rate: float = 1e-4
    architecture: str = "conv64"
    """conv64 (the paper's, 64 x 64 images), broadcast (its decoder for Circles), or mlp (small, any size)."""
    latents: int = 10
    """Latent dimensions."""
    categories: int = 64
    """Categories of each latent dimension (discrete models)."""
    init: str = "truncated_normal"
    """truncated_normal (the paper's code) or glorot (disentanglement_lib)."""
    own_data_streams: bool = False
    """Every member draws its own batches; by default all see the same ones, as in the paper's code."""
    labels: int = 0
    """How many labelled images for semi-supervised training; 0 for none."""
    label_seed: int = 0
    """Which images are labelled; the same for all members."""
    supervision: str | None = None
    """Gaussian models: bce (default), l2, l2_learned_scale; discrete ones: cross_entropy (default)."""
    reduction: str = "sum"
    """Of the supervised term over the labelled batch: sum, as in disentanglement_lib, or mean."""
    masked: bool = False
    """Masked attention: only as many categories as the factor has values stay active (discrete models)."""
    spacing: str = "bins"
    """Which categories stand for the values of a factor: bins, or endpoint to span the whole grid."""
    precision: str = "tf32"
    """Of products: tf32 (float32 where the device has no TF32), float32, or bfloat16 (weights stay float32)."""
    preset: Annotated[str | None, arg(help="; ".join(f"{name}: {text}" for name, text in PRESETS.items()))] = None
    image_size: int | None = None
    """Pixels a side of circles, or of your own images (64 by default)."""
    resident: str | None = None
    """Where a table of images lies: device, host, or auto (on the device if it fits)."""
    subset: str | None = None
    """mpi3d: `paper` restricts today's files to the colours and shapes of the paper's edition (inferred)."""
    checkpoint_seconds: float = 60.0
    """How much training time may be lost when the process is killed."""
    quiet: bool = False
    """No progress bar."""


def _train_command() -> type:
    """`_Train` with a flag for every hyperparameter of any method."""
    takers: dict[str, list[str]] = {}
    for name, method in METHODS.items():
        for hyperparameter in method.hyperparameters:
            takers.setdefault(hyperparameter, []).append(name)
    takers["omega"] = ["any model with --labels: the weight of the supervised term"]
    kind = tuple[float, ...]
    fields = [
        (name, Annotated[kind, arg(help=f"For {', '.join(models)}.")], dataclasses.field(default=()))
        for name, models in takers.items()
    ]
    made = dataclasses.make_dataclass("Train", fields, bases=(_Train,), frozen=True)
    made.__doc__ = _Train.__doc__
    return made


def train(options: Any) -> None:
    """`factorgrid train`."""
    settings = {
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "architecture": options.architecture,
        "num_latents": options.latents,
        "num_categories": options.categories,
        "init": options.init,
        "data_seed": None if options.own_data_streams else 0,
        "labels": options.labels,
        "label_seed": options.label_seed,
        "supervision": options.supervision,
        "reduction": options.reduction,
        "spacing": options.spacing,
        "precision": options.precision,
        "masked": options.masked,
        "data_options": {
            name: getattr(options, name)
            for name in ("image_size", "resident", "subset")
            if getattr(options, name) is not None
        },
    }
    own = {f.name for f in dataclasses.fields(options)} - {f.name for f in dataclasses.fields(_Train)}
    grid: dict[str, tuple[float, ...]] = {
        name: getattr(options, name) for name in sorted(own) if getattr(options, name)
    }
    if options.preset is not None:
        grid = {**preset(options.preset, options.model, supervised=options.labels > 0), **grid}
    run = api.train(
        data=options.data,
        model=options.model,
        seeds=options.seeds[0] if len(options.seeds) == 1 else options.seeds,
        steps=options.steps,
        out=options.out,
        quiet=options.quiet,
        checkpoint_seconds=options.checkpoint_seconds,
        **settings,
        **grid,
    )
    Console().print(
        f"trained {len(run.members)} members into {run.path}\n"
        f"score them: factorgrid evaluate {run.path}\ndraw them:  factorgrid traverse {run.path}",
        highlight=False,
    )


def evaluate(options: Evaluate) -> None:
    """`factorgrid evaluate`."""
    from factorgrid.evaluation import evaluate as score_run
    from factorgrid.metrics import PUBLISHED, QUICK
    from factorgrid.report import print_scores
    from factorgrid.terminal import counting_progress

    with counting_progress("scoring") as progress:
        scores = score_run(
            options.run,
            options.metrics,
            seed=options.seed,
            counts=QUICK if options.quick else PUBLISHED,
            gap_batches=20 if options.quick else 1000,
            jobs=options.jobs,
            progress=progress,
        )
    console = Console()
    print_scores(scores, console)
    console.print(f"written to {options.run / 'scores.parquet'}", highlight=False)


def traverse(options: Traverse) -> None:
    """`factorgrid traverse`."""
    from factorgrid import report

    run = api.load_run(options.run)
    member = int(options.member) if options.member.lstrip("-").isdigit() else options.member
    for path in report.traverse(run, member=member, out=options.out, seed=options.seed):
        print(path)


def data_list(options: DataList) -> None:
    """`factorgrid data list`."""
    from factorgrid.datasets.published.download import status
    from factorgrid.terminal import print_status

    print_status(status(), {name: source.description for name, source in DATASETS.items()}, Console())


def data_download(options: DataDownload) -> None:
    """`factorgrid data download`."""
    from factorgrid.datasets.published.download import download

    download(options.name, accept_changed=options.accept_changed)
    print(f"{options.name} is ready; look at it: factorgrid data preview {options.name}")


def data_preview(options: DataPreview) -> None:
    """`factorgrid data preview`."""
    from factorgrid.datasets.preview import preview

    path = options.out or Path(f"{Path(options.name).stem}.png")
    preview(api.load_dataset(options.name), path, seed=options.seed)
    print(path)


def demo(options: Demo) -> None:
    """`factorgrid demo`."""
    from factorgrid.demo import demo as run_demo

    run_demo(options.out)


DataCommand = (
    Annotated[DataList, subcommand("list")]
    | Annotated[DataDownload, subcommand("download")]
    | Annotated[DataPreview, subcommand("preview")]
)


@dataclasses.dataclass(frozen=True)
class Data:
    """Data sets: list them, download the published ones, look at them."""

    command: Annotated[DataCommand, arg(name="")]


def data(options: Data) -> None:
    """`factorgrid data list|download|preview`."""
    commands: dict[type, Callable[[Any], None]] = {
        DataList: data_list,
        DataDownload: data_download,
        DataPreview: data_preview,
    }
    commands[type(options.command)](options.command)


COMMANDS: dict[str, tuple[type, Callable[[Any], None]]] = {
    "demo": (Demo, demo),
    "data": (Data, data),
    "train": (_train_command(), train),
    "evaluate": (Evaluate, evaluate),
    "traverse": (Traverse, traverse),
    "study": (StudyCommand, study),
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point of `factorgrid`. What a user can get wrong is one line on stderr and exit status 2."""
    warnings.showwarning = _say_warning
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except Error as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("stopped; the same command again goes on from the last checkpoint", 130)
    except BrokenPipeError:
        sys.exit(1)
    except MemoryError as error:
        _fail(f"out of memory ({error}); use fewer seeds, a smaller batch, or --resident host", 2)
    except RuntimeError as error:
        # the device's own allocator says so in words
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        _fail("out of device memory; use fewer seeds, a smaller batch, or --resident host", 2)


def _run(arguments: list[str]) -> None:
    kinds: Any = None
    for name, (kind, _) in COMMANDS.items():
        named: Any = Annotated[kind, subcommand(name)]
        kinds = named if kinds is None else kinds | named
    options = tyro.cli(kinds, args=arguments, prog="factorgrid", description=ABOUT)
    for kind, run in COMMANDS.values():
        if type(options) is kind:
            run(options)


def _fail(text: str, status: int) -> None:
    print(f"factorgrid: {text}", file=sys.stderr)
    sys.exit(status)


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"factorgrid: warning: {message}", file=sys.stderr)
