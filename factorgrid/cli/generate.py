"""`factorgrid generate`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from factorgrid.errors import Error


@dataclass(frozen=True)
class Options:
    """Draw pictures of given categories with a trained model.

        factorgrid generate runs/a --categories 3,17,0,5 "3,*,0,5" --out pictures.png

    Each text is one picture; a * stands for every category of that latent.
    """

    model: Positional[Path]
    """The run's folder, or a file of factorgrid export."""
    categories: tuple[str, ...] = ()
    """A category for each latent, with commas; several pictures with spaces."""
    table: Path | None = None
    """Instead: a table as factorgrid encode writes it; its categories, or the codes of a model without any."""
    out: Path = Path("generated.png")
    """One sheet (.png), or a folder for a PNG each."""
    member: str = "best"
    """Of a run: a member's name, its number, or `best` (by straight-through gap, else MIG)."""
    refined: bool = True
    """Of a run: decode by the decoder of factorgrid refine, where there is one; else by the run's own."""


def run(options: Options) -> None:
    from factorgrid.cli.chosen import chosen_model
    from factorgrid.own_files import parse_categories, read_codes, write_pictures

    if bool(options.categories) == (options.table is not None):
        raise Error("give either --categories or --table")
    model = chosen_model(options.model, options.member, refined=options.refined)
    if options.table is not None:
        codes = read_codes(model, options.table)
    else:
        codes = parse_categories(model, options.categories)
    write_pictures(options.out, model.decode(codes))
    print(f"{len(codes)} pictures: {options.out}")
