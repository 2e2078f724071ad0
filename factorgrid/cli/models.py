"""`factorgrid models ...`: the trained models that come with the library."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg, subcommand


@dataclass(frozen=True)
class List:
    """Say which trained models come with the library: data, method, steps, scores, size."""

    def run(self) -> None:
        from rich.console import Console

        from factorgrid.pretrained.shipped import shipped
        from factorgrid.terminal import print_pretrained

        print_pretrained(shipped(), Console())


@dataclass(frozen=True)
class Show:
    """Print a model's card: how it was made, its scores with their settings, and the command that makes it again."""

    name: Positional[str]
    """A name of the list."""

    def run(self) -> None:
        from factorgrid.pretrained.shipped import card

        print(card(self.name), end="")


@dataclass(frozen=True)
class Options:
    """The trained models that come with the library: small ones, to try things with.

    In Python: fg.load_pretrained(NAME).
    """

    command: Annotated[
        Annotated[List, subcommand("list")] | Annotated[Show, subcommand("show")],
        arg(name=""),
    ]


def run(options: Options) -> None:
    options.command.run()
