"""`factorgrid traverse`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Options:
    """Draw a run: reconstructions, latent traversals, KL of each dimension, training curves, latent planes."""

    run: Positional[Path]
    """The run's folder."""
    member: str = "best"
    """A member's name, its number, `best` (by straight-through gap, else MIG), or `all`."""
    out: Path | None = None
    """Folder for the pictures; RUN/figures by default."""
    data: str | None = None
    """Where the run's images are, if they have moved since."""
    refined: bool = True
    """Decode by the decoder of factorgrid refine, where there is one; else by the run's own."""
    seed: int = 0
    """Decides which images are drawn."""
    whole_plane: bool = False
    """Latent planes of circles show all of [-1, 1], not just the part that a member uses."""


def run(options: Options) -> None:
    from factorgrid import api, report

    opened = api.load_run(options.run, data=options.data, refined=options.refined)
    member = int(options.member) if options.member.lstrip("-").isdigit() else options.member
    shown = report.traverse(opened, member=member, out=options.out, seed=options.seed, whole_plane=options.whole_plane)
    for path in shown:
        print(path)
