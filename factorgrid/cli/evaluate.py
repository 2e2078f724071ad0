"""`factorgrid evaluate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from factorgrid.cli.declared import DEFAULT_SCORES, SCORES

_HELP = f"Which scores: six (the paper's metrics), all, or any of {', '.join(SCORES)}."


@dataclass(frozen=True)
class Options:
    """Score every member of a run: print a table, a row a member, and write scores.parquet."""

    run: Positional[Path]
    """The run's folder."""
    metrics: Annotated[tuple[str, ...], arg(help=_HELP)] = DEFAULT_SCORES
    data: str | None = None
    """Where the run's images are, if they have moved since."""
    seed: int = 0
    """Decides every draw of every metric."""
    quick: bool = False
    """A first look: a tenth of the published sample counts, a fiftieth of the gap's batches."""
    jobs: int | None = None
    """Threads, and processes for slow metrics; all cores by default."""


def run(options: Options) -> None:
    from rich.console import Console

    from factorgrid.evaluation import evaluate
    from factorgrid.report import print_scores
    from factorgrid.terminal import counting_progress
    from factorgrid.training import Run

    with counting_progress("scoring") as progress:
        scores = evaluate(
            Run.open(options.run, data=options.data),
            options.metrics,
            seed=options.seed,
            quick=options.quick,
            jobs=options.jobs,
            progress=progress,
        )
    console = Console()
    print_scores(scores, console)
    console.print(f"written to {options.run / 'scores.parquet'}", highlight=False)
