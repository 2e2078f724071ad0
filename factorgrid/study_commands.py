"""`factorgrid study ...`: plan, run, status, report, and the studies that come with the library."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from tyro.conf import Positional, arg, subcommand

from factorgrid.errors import Error

_SOURCE = (
    "A study that comes with the library (see: factorgrid study list), the path of a .toml file, "
    "or the folder of a study that was begun."
)
Source = Annotated[Positional[str], arg(metavar="STUDY", help=_SOURCE)]
Out = Annotated[Path | None, arg(help="The study's folder; runs/NAME by default.")]
Twins = Annotated[bool, arg(help="Rendered twins instead of the published data sets: nothing to download.")]


@dataclasses.dataclass(frozen=True)
class StudyList:
    """Say which studies come with the library."""


@dataclasses.dataclass(frozen=True)
class StudyShow:
    """Print a study's TOML file, to copy and change: factorgrid study show small-circles > mine.toml."""

    study: Annotated[Positional[str], arg(metavar="STUDY")]
    """A study that comes with the library."""


@dataclasses.dataclass(frozen=True)
class StudyPlan:
    """Say what a study would train, how much memory it takes, and how long on this hardware.

    Every kind of network in it is compiled and trained for a moment: about half a minute each the first time.
    """

    study: Source
    out: Out = None
    twins: Twins = False
    measure: bool = True
    """Measure speed and memory; --no-measure counts groups and members only, at once."""


@dataclasses.dataclass(frozen=True)
class StudyRun:
    """Train and score a study. Stop it at any time: the same command goes on where it was.

    A group that fails is tried once more; then its error is kept, the rest goes on, and the next call tries it again.
    """

    study: Source
    out: Out = None
    twins: Twins = False
    models: Path | None = None
    """The folder of another study: its groups of the same name and settings are scored, not trained again."""
    only: tuple[str, ...] = ()
    """Names of groups, with wildcards, such as "dsprites_twin-*"; all by default."""
    ray: str | None = None
    """Run groups as tasks of a Ray cluster: its address ("auto" within one), or "local" to start one here."""
    cpus: float | None = None
    """Ray: processor cores for a group; by default those of a whole node, or 1 where there are GPUs."""
    gpus: float | None = None
    """Ray: GPUs for a group; by default 1 where there are any."""
    quiet: bool = False
    """No progress bar."""


@dataclasses.dataclass(frozen=True)
class StudyStatus:
    """Say which groups of a study are done, running, failed or waiting."""

    study: Source
    out: Out = None


@dataclasses.dataclass(frozen=True)
class StudyReport:
    """Write a study's report: one HTML page, figures (PNG, PDF) and tables (CSV, LaTeX). It may be unfinished."""

    study: Source
    out: Out = None
    report: Path | None = None
    """Folder of the report; FOLDER/report by default."""


def study_list(options: StudyList) -> None:
    """`factorgrid study list`."""
    from factorgrid.study import load_study, plan, preset_names
    from factorgrid.terminal import print_studies

    studies = [load_study(name) for name in preset_names()]
    print_studies([(study, sum(group.num_members for group in plan(study))) for study in studies], Console())


def study_show(options: StudyShow) -> None:
    """`factorgrid study show`."""
    from factorgrid.study import preset_text

    print(preset_text(options.study), end="")


def study_plan(options: StudyPlan) -> None:
    """`factorgrid study plan`."""
    from factorgrid.study import estimate
    from factorgrid.terminal import counting_progress, print_plan

    study, _ = _study(options.study, options.out, twins=options.twins)
    with counting_progress("measuring") as progress:
        print_plan(study, estimate(study, measure=options.measure, progress=progress), Console())


def study_run(options: StudyRun) -> None:
    """`factorgrid study run`."""
    from factorgrid.study import outcome, run_study

    study, folder = _study(options.study, options.out, twins=options.twins)
    if options.ray is None:
        run_study(study, folder, models=options.models, only=options.only, quiet=options.quiet)
    else:
        from factorgrid.study.cluster import run_on_cluster

        run_on_cluster(
            study,
            folder,
            address=options.ray,
            models=options.models,
            only=options.only,
            cpus=options.cpus,
            gpus=options.gpus,
            quiet=options.quiet,
        )
    found = outcome(folder)
    count = {state: sum(group.state == state for group in found.groups) for state in ("done", "failed")}
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{count['done']} of {len(found.groups)} groups are done: {folder}")
    console.print(f"look at them: factorgrid study report {folder}")
    if count["failed"]:
        raise Error(f"{count['failed']} groups failed; see: factorgrid study status {folder}")


def study_status(options: StudyStatus) -> None:
    """`factorgrid study status`."""
    from factorgrid.study import outcome
    from factorgrid.terminal import print_groups

    _, folder = _study(options.study, options.out)
    print_groups(outcome(folder), Console())


def study_report(options: StudyReport) -> None:
    """`factorgrid study report`."""
    from factorgrid.papers import friede2023
    from factorgrid.report import study_report as write
    from factorgrid.study import outcome

    _, folder = _study(options.study, options.out)
    print(write(outcome(folder), options.report or folder / "report", paper=friede2023))


Command = (
    Annotated[StudyList, subcommand("list")]
    | Annotated[StudyShow, subcommand("show")]
    | Annotated[StudyPlan, subcommand("plan")]
    | Annotated[StudyRun, subcommand("run")]
    | Annotated[StudyStatus, subcommand("status")]
    | Annotated[StudyReport, subcommand("report")]
)


@dataclasses.dataclass(frozen=True)
class StudyCommand:
    """Studies: many methods, data sets and seeds from one file; planned, run, resumed, and reported.

    Begin with: factorgrid study list. Then plan, run and report one, by its name.
    """

    command: Annotated[Command, arg(name="")]


def study(options: StudyCommand) -> None:
    """`factorgrid study list|show|plan|run|status|report`."""
    commands: dict[type, Callable[[Any], None]] = {
        StudyList: study_list,
        StudyShow: study_show,
        StudyPlan: study_plan,
        StudyRun: study_run,
        StudyStatus: study_status,
        StudyReport: study_report,
    }
    commands[type(options.command)](options.command)


def _study(source: str, out: Path | None, *, twins: bool = False) -> tuple[Any, Path]:
    """The study that `source` names, and its folder."""
    from factorgrid.study import StudyFolder, load_study, preset_names

    asked = out is not None or twins
    if (Path(source) / "study.json").exists() and not (asked and source in preset_names()):
        if asked:
            raise Error(f"{source} is a study that was begun: it has its folder and its data; leave --out and --twins")
        folder = StudyFolder.open(Path(source))
        return folder.study, folder.path
    study = load_study(source)
    if twins:
        study = study.on_twins()
    return study, out or Path("runs") / (study.name + ("-twins" if twins else ""))
