"""`factorgrid encode`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True)
class Options:
    """Encode images with a trained model: a table with a row an image, its codes and its categories.

    Pictures are resized to what the model was trained on. The columns: file, code_0, code_1, ..., category_0, ...
    """

    model: Positional[Path]
    """The run's folder, or a file of factorgrid export."""
    images: Positional[Path]
    """A folder of pictures, or an npz with an array `images`."""
    out: Path = Path("codes.csv")
    """The table: .csv or .parquet."""
    member: str = "best"
    """Of a run: a member's name, its number, or `best` (by straight-through gap, else MIG)."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """What happens to pictures that are not square."""
    background: Literal["white", "black"] = "white"
    """What transparent pixels and padding show."""


def run(options: Options) -> None:
    from factorgrid.cli.chosen import chosen_model
    from factorgrid.own_files import check_table_name, encode_files, write_codes

    check_table_name(options.out)
    model = chosen_model(options.model, options.member)
    table = encode_files(model, options.images, fit=options.fit, background=options.background)
    write_codes(options.out, table)
    print(f"{len(table)} images are encoded: {options.out}")
