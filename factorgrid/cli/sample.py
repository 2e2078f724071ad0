"""`factorgrid sample`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Options:
    """Draw pictures from the prior of a trained model: what it takes the data to look like."""

    model: Positional[Path]
    """The run's folder, or a file of factorgrid export."""
    num: int = 64
    """How many."""
    out: Path = Path("samples.png")
    """One sheet (.png), or a folder for a PNG each."""
    member: str = "best"
    """Of a run: a member's name, its number, or `best` (by straight-through gap, else MIG)."""
    refined: bool = True
    """Of a run: decode by the decoder of factorgrid refine, where there is one; else by the run's own."""
    seed: int = 0
    """Decides what is drawn."""


def run(options: Options) -> None:
    from factorgrid.cli.chosen import chosen_model
    from factorgrid.own_files import write_pictures

    model = chosen_model(options.model, options.member, refined=options.refined)
    write_pictures(options.out, model.sample(options.num, seed=options.seed))
    print(f"{options.num} pictures: {options.out}")
