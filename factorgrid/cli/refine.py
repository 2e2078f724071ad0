"""`factorgrid refine`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

SHOWN = (("psnr", 2, " dB"), ("ssim", 4, ""))
STOPPED = "a checkpoint is kept, and the same command again goes on from it"


@dataclass(frozen=True)
class Options:
    """Sharper pictures without touching the code: train a new decoder on the categories of a trained run.

    Encoders, codes, categories and their scores stay as they are. Traversals, reconstructions, the explorer, generate
    and sample use the new decoder from then on (--no-refined leaves it out); evaluate scores the run as it was trained.
    The same command again goes on where it was stopped.
    """

    run: Positional[Path]
    """The run's folder; the new decoders go to RUN/refined."""
    decoder: str = "convolutional"
    """convolutional, broadcast, mlp, or your own, my_module:make_networks."""
    width: int | None = None
    """Channels of the layers next to the image, or units of a dense one; twice the architecture's own by default."""
    depth: int | None = None
    """How often images are halved, or how many dense layers; the architecture's own by default."""
    steps: int = 20_000
    """Training steps."""
    learning_rate: float = 1e-3
    """Of Adam."""
    batch_size: int = 64
    """Images a step."""
    member: tuple[str, ...] = ("all",)
    """Members: names, numbers, `best` (by straight-through gap, else MIG), or `all`."""
    data: str | None = None
    """Where the run's images are, if they have moved since."""
    checkpoint_seconds: float = 60.0
    """How much training time may be lost when the process is killed."""
    quiet: bool = False
    """No progress bar."""


def run(options: Options) -> None:
    from factorgrid import api
    from factorgrid.refinement import refine
    from factorgrid.report.captions import choose_members

    opened = api.load_run(options.run, data=options.data)
    wanted = [int(name) if name.lstrip("-").isdigit() else name for name in options.member]
    found = refine(
        opened,
        options.decoder,
        width=options.width,
        depth=options.depth,
        steps=options.steps,
        learning_rate=options.learning_rate,
        batch_size=options.batch_size,
        members=[chosen.name for member in wanted for chosen in choose_members(opened, member)],
        checkpoint_seconds=options.checkpoint_seconds,
        quiet=options.quiet,
    )
    for row in found.to_dict("records"):
        print(f"{row['member']}: " + ", ".join(_said(row, *each) for each in SHOWN if f"{each[0]}_after" in row))
    print(f"the decoders are in {options.run / 'refined'}\nlook at them: factorgrid traverse {options.run}")


def _said(row: dict[str, Any], name: str, digits: int, unit: str) -> str:
    before, after = row[f"{name}_before"], row[f"{name}_after"]
    return f"{name.upper()} {before:.{digits}f} -> {after:.{digits}f}{unit}"
