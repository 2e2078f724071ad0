"""`factorgrid evaluate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from factorgrid.cli.declared import DEFAULT_SCORES, SCORES

_HELP = (
    f"Which scores: six (the paper's metrics), all, or any of {', '.join(SCORES)}; of hard codes: NAME_hard. By "
    f"default {' and '.join(DEFAULT_SCORES)}, where they apply."
)
STOPPED = "scores of finished members are in scores.parquet; with --only-missing the same command goes on from there"


@dataclass(frozen=True)
class Options:
    """Score every member of a run: print a table, a row a member, and write scores.parquet."""

    run: Positional[Path]
    """The run's folder."""
    metrics: Annotated[tuple[str, ...] | None, arg(help=_HELP)] = None
    data: str | None = None
    """Where the run's images are, if they have moved since."""
    seed: int = 0
    """Decides every draw of every metric."""
    quick: bool = False
    """A first look: a tenth of the published sample counts, a fiftieth of the gap's batches."""
    heat_maps: tuple[str, ...] = ()
    """Metrics whose matrices [latent, factor] are drawn for the best member, into RUN/figures: mig, dci, sap, ..."""
    snapshots: bool = False
    """Score what was kept on the way, too (train --snapshot-every), and draw the scores along the steps."""
    only_missing: bool = False
    """Compute only what scores.parquet lacks with these settings, such as after a call that was stopped."""
    jobs: int | None = None
    """Threads, and processes for slow metrics; all cores by default."""


def run(options: Options) -> None:
    from rich.console import Console

    from factorgrid.evaluation import evaluate, learning_curve
    from factorgrid.report import print_scores, run_heat_map
    from factorgrid.report.heat_maps import check_matrix
    from factorgrid.report.sweeps import draw_learning_curve
    from factorgrid.terminal import counting_progress
    from factorgrid.training import Run

    for name in options.heat_maps:
        check_matrix(name)  # before minutes of scoring, not after
    opened = Run.open(options.run, data=options.data)
    with counting_progress("scoring") as progress:
        scores = (learning_curve if options.snapshots else evaluate)(
            opened,
            options.metrics,
            seed=options.seed,
            quick=options.quick,
            jobs=options.jobs,
            only_missing=options.only_missing,
            progress=progress,
        )
    drawn = [run_heat_map(opened, each, seed=options.seed, quick=options.quick) for each in options.heat_maps]
    if options.snapshots:
        path = opened.path / "figures" / "learning_curve.png"
        drawn.append([draw_learning_curve(opened, scores, path), path.with_suffix(".csv")])
        scores.to_csv(path.with_suffix(".csv"), index=False)
        scores = scores[scores["step"] == opened.config.steps].drop(columns="step")  # the curve is for looking at
    console = Console()
    print_scores(scores, console)
    console.print(f"written to {options.run / 'scores.parquet'}", highlight=False)
    for path in (path for paths in drawn for path in paths):
        console.print(path, highlight=False)
