"""`factorgrid data list|download|preview`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from factorgrid.errors import Error

STOPPED = "what was downloaded is kept, and the same command again goes on from there"


@dataclass(frozen=True)
class List:
    """Say which data sets there are, which are on this machine, where, and how large."""

    def run(self) -> None:
        from rich.console import Console

        from factorgrid.datasets import DATASETS
        from factorgrid.datasets.published.download import status
        from factorgrid.terminal import print_status

        print_status(status(), {name: one.description for name, one in DATASETS.items()}, Console())


@dataclass(frozen=True)
class Download:
    """Fetch a published data set: with a progress bar, resumed where it broke off, verified, unpacked."""

    name: Positional[str]
    """A published data set, such as smallnorb; see: factorgrid data list."""
    accept_changed: bool = False
    """Take files whose checksum is not the published one, if they are sound."""

    def run(self) -> None:
        from factorgrid.datasets.published.download import download

        download(self.name, accept_changed=self.accept_changed)
        print(f"{self.name} is ready; look at it: factorgrid data preview {self.name}")


@dataclass(frozen=True)
class Preview:
    """Draw the factors of a data set, one row each, into a PNG."""

    name: Positional[str]
    """A data set, or the path of your own images (an npz file or a folder)."""
    out: Path | None = None
    """The picture; NAME.png by default."""
    seed: int = 0
    """Decides which images are drawn."""

    def run(self) -> None:
        from factorgrid import api
        from factorgrid.datasets.preview import preview

        path = self.out or Path(f"{Path(self.name).stem}.png")
        if path.suffix.lower() != ".png":
            raise Error(f"the picture is a PNG, so --out must end in .png, got {path}")
        preview(api.load_dataset(self.name), path, seed=self.seed)
        print(path)


Command = (
    Annotated[List, subcommand("list")]
    | Annotated[Download, subcommand("download")]
    | Annotated[Preview, subcommand("preview")]
)


@dataclass(frozen=True)
class Options:
    """Data sets: list them, download the published ones, look at them."""

    command: Annotated[Command, arg(name="")]


def run(options: Options) -> None:
    options.command.run()
