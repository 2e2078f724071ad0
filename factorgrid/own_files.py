"""What a trained model makes of a user's files: tables of codes from images, pictures from categories."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from PIL import Image

from factorgrid.datasets import DATASETS
from factorgrid.datasets.custom import image_names, load_custom
from factorgrid.datasets.pictures import Background, Fit
from factorgrid.datasets.table import stored_images
from factorgrid.errors import Error, first_line
from factorgrid.files import read_parquet, replacing, write_parquet
from factorgrid.models.trained import TrainedModel

BATCH = 1024
MOST_PICTURES = 4096
GAP = 2  # pixels between the pictures of a sheet


def encode_files(
    model: TrainedModel, path: str | Path, *, fit: Fit = "stretch", background: Background = "white"
) -> pd.DataFrame:
    """The codes, and for a discrete model the categories, of images on disk.

    Args:
        model: trained on images of known shape (any model of a run, or of `load_model`).
        path: a folder of pictures or an npz, as for training (docs/data.md); resized to what the model needs.
        fit, background: see `datasets.custom.load_custom`.

    Returns:
        A row an image: `file` (below the folder; the row of an npz), code_0, code_1, ..., category_0, ...

    Raises:
        Error: images that cannot be read, or colour images for a model of grey ones.
    """
    path = Path(path)
    if str(path) in DATASETS and not path.exists():
        raise Error(f"'{path}' is a data set, whose images are no files of yours; in Python: "
                    f"model.encode(fg.load_dataset('{path}').draw(1000, seed=0)[0])")  # fmt: skip
    if model.image_shape is None:
        raise Error("this model does not know the shape of its images; take it from a run or from load_model")
    height, width, channels = model.image_shape
    if height != width:
        raise Error(f"images on disk become squares, and the model takes {height} x {width}; use model.encode")
    table = load_custom(path, resident="host", image_size=height, fit=fit, background=background)
    if table.image_shape[2] > channels:
        raise Error(f"{path} holds colour images, and the model was trained on grey ones; make them grey first")
    names, parts = image_names(path), []
    for start in range(0, len(names), BATCH):
        rows = np.arange(start, min(start + BATCH, len(names)))
        images = stored_images(table, rows, 0)
        images = np.broadcast_to(images, (*images.shape[:3], channels))
        categories = [model.categorize(images)] if model.discrete else []
        parts.append([model.encode(images), *categories])
    columns: dict[str, Any] = {"file": names}
    for kind, pieces in zip(("code", "category"), zip(*parts)):
        columns |= {f"{kind}_{i}": column for i, column in enumerate(np.concatenate(pieces).T)}
    return pd.DataFrame(columns)


def write_codes(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV or Parquet, by the ending of `path`.

    Raises:
        Error: another ending, or the file cannot be written.
    """
    check_table_name(path)
    if path.suffix == ".parquet":
        write_parquet(path, table)
    else:
        with replacing(path) as temporary:
            table.to_csv(temporary, index=False)


def check_table_name(path: Path) -> None:
    """Raise an Error unless `path` ends in .csv or .parquet: before hours of encoding, not after."""
    if path.suffix not in (".csv", ".parquet"):
        raise Error(f"{path} should end in .csv or .parquet")


def read_codes(model: TrainedModel, path: Path) -> Shaped[ndarray, "n latent"]:
    """What `decode` takes, from a table as `encode_files` gives it: categories of a discrete model, else codes.

    Raises:
        Error: missing, damaged, or without those columns.
    """
    if path.suffix == ".parquet":
        table = read_parquet(path)
    else:
        try:
            table = pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise Error(f"{path} cannot be read: {first_line(error)}") from None
    kind = "category" if model.discrete else "code"
    names = [f"{kind}_{i}" for i in range(model.num_latents)]
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise Error(f"{path} has no column {missing[0]}; the model has {model.num_latents} latents, so it needs "
                    f"{names[0]} .. {names[-1]}")  # fmt: skip
    values = table[names].to_numpy()
    if values.dtype.kind not in ("iu" if model.discrete else "iuf"):
        raise Error(
            f"{path}: columns {names[0]} .. {names[-1]} must be {'whole ' * model.discrete}numbers in every row"
        )
    return values if model.discrete else values.astype(np.float32)


def parse_categories(model: TrainedModel, texts: Sequence[str]) -> Int[ndarray, "n latent"]:
    """Categories from texts such as "3,17,0", one a picture; "*" stands for every category of that latent.

    Raises:
        Error: a model without categories, or a text with other numbers; the message says which.
    """
    if not model.discrete:
        raise Error("this model has no categories; give its codes in a table, as factorgrid encode writes it: --table")
    active, found = model.active_categories, []
    for text in texts:
        cells = [cell.strip() for cell in text.split(",")]
        if len(cells) != len(active) or not all(re.fullmatch(r"\*|[0-9]+", cell) for cell in cells):
            raise Error(f"categories '{text}' should be {len(active)} whole numbers or *, such as "
                        f"{','.join('0' * (len(active) - 1) + '*')}")  # fmt: skip
        choices = [range_ if cell == "*" else (int(cell),) for cell, range_ in zip(cells, active)]
        if np.prod([float(len(each)) for each in choices]) > MOST_PICTURES:
            raise Error(f"categories '{text}' are more than {MOST_PICTURES} pictures; write fewer *")
        grid = np.meshgrid(*choices, indexing="ij")
        found.append(np.stack([axis.reshape(-1) for axis in grid], axis=1))
    if not found:
        raise Error("no categories given")
    return np.concatenate(found)


def write_pictures(path: Path, images: Float[ndarray, "n height width channel"]) -> None:
    """Write images in [0, 1]: to one sheet if `path` ends in .png, else into a folder, a PNG each: 0000.png, ...

    Raises:
        Error: another ending than .png, or they cannot be written.
    """
    if path.suffix not in ("", ".png") and not path.is_dir():
        raise Error(f"pictures are written to a .png file or into a folder, got {path}")
    pixels = (255 * images).round().clip(0, 255).astype(np.uint8)
    if pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    if path.suffix == ".png":
        _write_picture(path, _sheet(pixels))
        return
    for i, picture in enumerate(pixels):
        _write_picture(path / f"{i:04}.png", picture)


def _sheet(pixels: Shaped[ndarray, "n height width ..."]) -> Shaped[ndarray, "sheet_height sheet_width ..."]:
    """Pictures beside and below each other, as near to a square as they can be."""
    num, height, width = pixels.shape[:3]
    columns = int(np.ceil(np.sqrt(num)))
    rows = -(-num // columns)
    size = rows * (height + GAP) - GAP, columns * (width + GAP) - GAP
    sheet = np.full((*size, *pixels.shape[3:]), 255, np.uint8)
    for i, picture in enumerate(pixels):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def _write_picture(path: Path, pixels: Shaped[ndarray, "height width ..."]) -> None:
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="png")
