"""Data sets: each declares its factors and draws images of them; loaders, rendered twins, a user's own images.

Contract: every data set is a `Dataset` (datasets/dataset.py): a frozen pytree with a `FactorSpace` that draws images.
A `DeviceDataset` draws inside compiled programs, by pure functions `sample(key, num)` and `images(key, factors)`; a
table too large for the device is a `HostTable` (datasets/table.py), whose rows are fed to them.
May import: `factors`, `errors`. To add one: write a file, and give it an entry in `DATASETS`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from factorgrid.datasets.custom import load_custom
from factorgrid.datasets.dataset import Batch as Batch
from factorgrid.datasets.dataset import Dataset as Dataset
from factorgrid.datasets.dataset import DeviceDataset as DeviceDataset
from factorgrid.datasets.files import DataWarning as DataWarning
from factorgrid.datasets.pictures import Background, Fit
from factorgrid.datasets.published import cars3d, dsprites, mpi3d, shapes3d, smallnorb
from factorgrid.datasets.published.remote import RemoteFile, data_root
from factorgrid.datasets.rendered.cars3d_twin import Cars3DTwin
from factorgrid.datasets.rendered.circles import sized_circles
from factorgrid.datasets.rendered.dsprites_twin import ColorDSpritesTwin, DSpritesTwin
from factorgrid.datasets.rendered.mpi3d_toy_twin import MPI3DToyTwin
from factorgrid.datasets.rendered.shapes3d_twin import Shapes3DTwin
from factorgrid.datasets.rendered.shrunk import shrunk
from factorgrid.datasets.rendered.smallnorb_twin import SmallNORBTwin
from factorgrid.datasets.table import Residence
from factorgrid.errors import Error, check_whole, unknown_name


@dataclass(frozen=True)
class Source:
    """An entry of `DATASETS`.

    Attributes:
        description: one line for lists.
        load: (data root, **options) -> the data set; raises an Error that says what to do when files are missing.
        kind: "rendered" needs no files; "published" reads the authors' files.
        options: keywords of `load` that `factorgrid.datasets.load` passes on.
        files: what `factorgrid data download` fetches.
    """

    description: str
    load: Callable[..., Dataset]
    kind: str
    options: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = field(default=(), repr=False)


def _mpi3d(variant: mpi3d.Variant, description: str) -> Source:
    def load_variant(root: Path, *, resident: Residence = "auto", subset: str = "all") -> Dataset:
        return mpi3d.load_mpi3d(root, variant, resident=resident, subset=subset)

    return Source(description, load_variant, "published", ("resident", "subset"), mpi3d.files(variant))


def _twin(description: str, make: Callable[..., DeviceDataset], *options: str) -> Source:
    def load_twin(root: Path, *, image_size: int = 64, **rest: Any) -> Dataset:
        return shrunk(make(**rest), image_size)

    return Source(description, load_twin, "rendered", ("image_size", *options))


DATASETS: dict[str, Source] = {
    "circles": Source(
        "one disc at a continuous position",
        lambda root, **options: sized_circles(**options),
        "rendered",
        ("image_size",),
    ),
    "dsprites_twin": _twin("dSprites drawn from its measured geometry", DSpritesTwin),
    "color_dsprites_twin": _twin("the same in random colours", ColorDSpritesTwin),
    "shapes3d_twin": _twin("Shapes3D traced from its measured geometry", Shapes3DTwin),
    "mpi3d_toy_twin": _twin("MPI3D toy traced from its measured geometry", MPI3DToyTwin, "subset"),
    "cars3d_twin": _twin("183 drawn cars from 96 sides", Cars3DTwin),
    "smallnorb_twin": _twin("50 drawn toys on a lit ground", SmallNORBTwin),
    "dsprites": Source(
        "three shapes in 737,280 poses", dsprites.load_dsprites, "published", ("resident",), dsprites.FILES
    ),
    "color_dsprites": Source(
        "the same in random colours", dsprites.load_color_dsprites, "published", ("resident",), dsprites.FILES
    ),
    "smallnorb": Source(
        "photographs of 50 toys", smallnorb.load_smallnorb, "published", ("resident", "clip"), smallnorb.FILES
    ),
    "cars3d": Source("183 cars from 96 sides", cars3d.load_cars3d, "published", ("resident",), cars3d.FILES),
    "shapes3d": Source(
        "one object in a coloured room", shapes3d.load_shapes3d, "published", ("resident",), shapes3d.FILES
    ),
    "mpi3d_toy": _mpi3d("toy", "a robot arm, simple rendering"),
    "mpi3d_realistic": _mpi3d("realistic", "a robot arm, realistic rendering"),
    "mpi3d_real": _mpi3d("real", "a robot arm, photographs"),
}


# options that are one of a few words, and what an error calls them
CHOICES = {
    "resident": ("place for a table", get_args(Residence)),
    "fit": ("fit", get_args(Fit)),
    "background": ("background", get_args(Background)),
    "subset": ("subset of MPI3D", ("all", "paper")),
}
OWN_OPTIONS = ("resident", "image_size", "fit", "background")
LEAST_SIZE, MOST_SIZE = 8, 1024

# name -> (type, what it is): the keywords of `load`, for flags and study files
OPTIONS: dict[str, tuple[type, str]] = {
    "image_size": (int, "Pixels a side (64 by default) of circles, of twins (32, 16 or 8), or of your own images."),
    "resident": (str, "Where a table of images lies: device, host, or auto (on the device if it fits)."),
    "subset": (
        str,
        "mpi3d: `paper` restricts today's files to the colours and shapes of the paper's edition (inferred).",
    ),
    "clip": (bool, "smallnorb: cut values to [0, 1]."),
    "fit": (str, "Your own images that are not square: stretch, crop to the central square, or pad."),
    "background": (str, "Seen through transparent pixels and beside padded images: white or black."),
}


def load(
    name: str | Path,
    *,
    root: str | Path | None = None,
    resident: str | None = None,
    subset: str | None = None,
    clip: bool | None = None,
    image_size: int | None = None,
    fit: str | None = None,
    background: str | None = None,
) -> Dataset:
    """The data set called `name`, or a user's own images at the path `name` (datasets/custom.py).

    Args:
        name: in `DATASETS`; or the path of an npz file or of a folder of images.
        root: where published files lie; by default FACTORGRID_DATA or DISENTANGLEMENT_LIB_DATA, else ./data.
        resident: tables of images: "device", "host", or "auto", on the device if it fits.
        subset: MPI3D: "paper" restricts today's files to the colours and shapes of the edition in the paper (inferred).
        clip: SmallNORB: cut values to [0, 1].
        image_size: pixels a side, 64 by default: any of circles and of a user's own images; 32, 16 or 8 of twins, whose
            pixels then are means.
        fit: a user's own images that are not square: "stretch" (default), "crop" or "pad".
        background: "white" (default) or "black": what transparent and padded pixels of a user's own images show.

    Raises:
        Error: no such name, an option that it does not have, or files that it needs are missing or damaged.
    """
    name = str(name)
    given = {
        "resident": resident,
        "subset": subset,
        "clip": clip,
        "image_size": image_size,
        "fit": fit,
        "background": background,
    }
    options: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
    if name in DATASETS:
        source = DATASETS[name]
        check_options(name, options)
        return source.load(data_root(root), **options)
    if name.endswith(".npz") or os.sep in name or Path(name).exists():
        check_options(name, options)
        return load_custom(Path(name), **options)
    raise unknown_name("data set", name, DATASETS)


def check_options(name: str, given: Mapping[str, object]) -> None:
    """Whether a data set, or a user's own images, has such options with such values.

    Raises:
        Error: the first that it has not.
    """
    known = DATASETS[name].options if name in DATASETS else OWN_OPTIONS
    for option, value in given.items():
        if option not in known:
            raise Error(f"data set '{name}' has no option '{option}'; it has: {', '.join(known)}")
        if option in CHOICES:
            kind, values = CHOICES[option]
            if value not in values:
                raise unknown_name(kind, str(value), values)
        elif OPTIONS[option][0] is int:
            check_whole(value, option, least=LEAST_SIZE, most=MOST_SIZE)
        elif OPTIONS[option][0] is bool and not isinstance(value, bool):
            raise Error(f"{option} must be true or false, got {value!r}")
