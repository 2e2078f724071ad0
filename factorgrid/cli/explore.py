"""`factorgrid explore`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Options:
    """Write one HTML page in which a model runs: a slider a latent, pictures of its categories, how they are used.

    It opens from disk in any browser, without a network. With two runs or more, their members can be compared.
    """

    run: Positional[tuple[Path, ...]]
    """The folder of a run, or of several of the same data."""
    member: tuple[str, ...] = ("best",)
    """Members of each run: names, numbers, `best` (by straight-through gap, else MIG), or `all`."""
    out: Path | None = None
    """The page; RUN/explorer.html by default."""
    num_images: int = 8
    """How many stored images one can start from."""
    data: str | None = None
    """Where the run's images are, if they have moved since."""
    refined: bool = True
    """Decode by the decoder of factorgrid refine, where there is one; else by the run's own."""
    seed: int = 0
    """Decides which images those are."""


def run(options: Options) -> None:
    from factorgrid.api import load_run
    from factorgrid.explorer import explore

    members = [int(name) if name.lstrip("-").isdigit() else name for name in options.member]
    runs = [load_run(path, data=options.data, refined=options.refined) for path in options.run]
    print(explore(runs, members=members, out=options.out, num_images=options.num_images, seed=options.seed))
