"""`factorgrid export`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from factorgrid.errors import Error


@dataclass(frozen=True)
class Options:
    """Write one trained model to one file that says what it is: weights, configuration, data, scores.

    Read it with factorgrid.load_model(FILE), or give it to factorgrid encode, generate and sample.
    """

    run: Positional[Path]
    """The run's folder."""
    out: Path = Path("model.safetensors")
    """The file; its ending says the format."""
    member: str = "best"
    """A member's name, its number, or `best` (by straight-through gap, else MIG)."""


def run(options: Options) -> None:
    from factorgrid import api
    from factorgrid.cli.chosen import chosen_member

    write = FORMATS.get(options.out.suffix)
    if write is None:
        raise Error(f"{options.out} should end in {' or '.join(FORMATS)}")
    opened = api.load_run(options.run)
    print(write(opened.path, chosen_member(opened, options.member), options.out))


def _safetensors(run: Path, member: str, out: Path) -> Path:
    from factorgrid.api import export

    return export(run, member, out)


FORMATS: dict[str, Callable[[Path, str, Path], Path]] = {".safetensors": _safetensors}
