"""`factorgrid demo`."""

from dataclasses import dataclass
from pathlib import Path

STOPPED = "what is trained is kept, and the same command again goes on from there"


@dataclass(frozen=True)
class Options:
    """Train five VAEs and five D-VAEs on Circles, score both, and draw how their latent planes differ.

    Takes about eight minutes on two cores, installation included. Run it again to see the results without training
    again.
    """

    out: Path = Path("runs/demo")
    """Folder for the two runs and the pictures."""


def run(options: Options) -> None:
    from factorgrid.demo import demo

    demo(options.out)
