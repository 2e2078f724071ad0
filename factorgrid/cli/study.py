"""`factorgrid study ...`: plan, run, status, report, and the studies that come with the library."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from tyro.conf import Positional, arg, subcommand

from factorgrid.errors import Error

STOPPED = "what is trained and scored is kept, and the same command again goes on from there"

_SOURCE = (
    "A study that comes with the library (see: factorgrid study list), the path of a .toml file, "
    "or the folder of a study that was begun."
)
Source = Annotated[Positional[str], arg(metavar="STUDY", help=_SOURCE)]
Out = Annotated[Path | None, arg(help="The study's folder; runs/NAME by default.")]
Twins = Annotated[bool, arg(help="Rendered twins instead of the published data sets: nothing to download.")]


@dataclasses.dataclass(frozen=True)
class List:
    """Say which studies come with the library."""

    def run(self) -> None:
        from factorgrid.study import load_study, plan, preset_names
        from factorgrid.terminal import print_studies

        studies = [load_study(name) for name in preset_names()]
        print_studies([(study, sum(group.num_members for group in plan(study))) for study in studies], Console())


@dataclasses.dataclass(frozen=True)
class Show:
    """Print a study's TOML file, to copy and change: factorgrid study show small-circles > mine.toml."""

    study: Annotated[Positional[str], arg(metavar="STUDY")]
    """A study that comes with the library."""

    def run(self) -> None:
        from factorgrid.study import preset_text

        print(preset_text(self.study), end="")


@dataclasses.dataclass(frozen=True)
class Plan:
    """Say what a study would train, how much memory it takes, and how long on this hardware.

    Every kind of network in it is compiled and trained for a moment: about half a minute each the first time. The
    speeds of a study that was begun are kept in its folder, for the report.
    """

    study: Source
    out: Out = None
    twins: Twins = False
    measure: bool = True
    """Measure speed and memory; --no-measure counts groups and members only, at once."""

    def run(self) -> None:
        from factorgrid.study import StudyFolder, estimate
        from factorgrid.terminal import counting_progress, print_plan

        study, folder = _study(self.study, self.out, twins=self.twins)
        with counting_progress("measuring") as progress:
            estimates = estimate(study, measure=self.measure, progress=progress)
            print_plan(study, estimates, Console())
        if self.measure and (folder / "study.json").exists():
            begun = StudyFolder.open(folder)
            known = {one.group.name: one.speed.seconds for one in estimates if one.speed and one.group in begun.groups}
            begun.write_speeds(known)


@dataclasses.dataclass(frozen=True)
class Run:
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
    checkpoint_seconds: float = 60.0
    """How much training time may be lost when the process is killed."""
    quiet: bool = False
    """No progress bar."""

    def run(self) -> None:
        from factorgrid.papers import friede2023
        from factorgrid.study import outcome, run_study

        study, folder = _study(self.study, self.out, twins=self.twins)
        if self.ray is None:
            if self.cpus is not None or self.gpus is not None:
                raise Error("--cpus and --gpus are for a Ray cluster; add --ray local, or leave them")
            run_study(
                study,
                folder,
                models=self.models,
                only=self.only,
                checkpoint_seconds=self.checkpoint_seconds,
                quiet=self.quiet,
            )
        else:
            from factorgrid.study.cluster import run_on_cluster

            run_on_cluster(
                study,
                folder,
                address=self.ray,
                models=self.models,
                only=self.only,
                cpus=self.cpus,
                gpus=self.gpus,
                checkpoint_seconds=self.checkpoint_seconds,
                quiet=self.quiet,
            )
        found = outcome(folder)
        friede2023.save_arrays(found)  # so that figures can be drawn where the models are not
        count = {state: sum(group.state == state for group in found.groups) for state in ("done", "failed")}
        console = Console(soft_wrap=True, highlight=False, markup=False)
        console.print(f"{count['done']} of {len(found.groups)} groups are done: {folder}")
        console.print(f"look at them: factorgrid study report {folder}")
        if count["failed"]:
            raise Error(f"{count['failed']} groups failed; see: factorgrid study status {folder}")


@dataclasses.dataclass(frozen=True)
class Status:
    """Say which groups of a study are done, running, failed or waiting."""

    study: Source
    out: Out = None

    def run(self) -> None:
        from factorgrid.study import outcome
        from factorgrid.terminal import print_groups

        _, folder = _study(self.study, self.out)
        print_groups(outcome(folder), Console())


@dataclasses.dataclass(frozen=True)
class Report:
    """Write a study's report: one HTML page, figures (PNG, PDF) and tables (CSV, LaTeX). It may be unfinished.

    Several studies make one report: seeds of one method that were trained in different folders count together.
    """

    study: Annotated[Positional[tuple[str, ...]], arg(metavar="STUDY ...", help=_SOURCE)]
    out: Out = None
    report: Path | None = None
    """Folder of the report; FOLDER/report by default, of several studies ./report."""

    def run(self) -> None:
        from factorgrid.papers import friede2023
        from factorgrid.report import study_report as write
        from factorgrid.study import merged, outcome

        if not self.study:
            raise Error("which study? Give a folder, or several")
        if self.out is not None and len(self.study) > 1:
            raise Error("several studies have folders of their own; leave --out, and say --report for the report's")
        folders = [_study(source, self.out)[1] for source in self.study]
        place = folders[0] / "report" if len(folders) == 1 else Path("report")
        print(write(merged([outcome(folder) for folder in folders]), self.report or place, paper=friede2023))


Command = (
    Annotated[List, subcommand("list")]
    | Annotated[Show, subcommand("show")]
    | Annotated[Plan, subcommand("plan")]
    | Annotated[Run, subcommand("run")]
    | Annotated[Status, subcommand("status")]
    | Annotated[Report, subcommand("report")]
)


@dataclasses.dataclass(frozen=True)
class Options:
    """Studies: many methods, data sets and seeds from one file; planned, run, resumed, and reported.

    Begin with: factorgrid study list. Then plan, run and report one, by its name.
    """

    command: Annotated[Command, arg(name="")]


def run(options: Options) -> None:
    options.command.run()


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
