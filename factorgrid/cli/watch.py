"""`factorgrid watch`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional


@dataclass(frozen=True)
class Options:
    """Keep a page up to date while a run or a study trains: how far it is, curves, reconstructions and traversals.

    The page refreshes itself in the browser; it shows what the last checkpoint holds (train --checkpoint-seconds).
    Ends when training has finished.
    """

    path: Positional[Path]
    """The folder of a run or of a study, in training or not."""
    out: Path | None = None
    """The page; watch.html in that folder by default."""
    every: float = 10.0
    """Seconds between two looks."""
    once: bool = False
    """Write the page once, and end."""


def run(options: Options) -> None:
    from factorgrid.watch import watch

    page = watch(options.path, out=options.out, every=options.every, once=options.once, say=print)
    if not options.once:
        print(f"finished: {page}")
