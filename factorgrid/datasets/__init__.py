"""Data sets: each declares its factors and draws images of them; loaders, rendered twins, a user's own images.

Contract: every data set is a `Dataset` (datasets/dataset.py): a frozen pytree with a `FactorSpace` and pure
functions `sample(key, num)` and `images(key, factors)`. May import: `factors`, `errors`.
To add one: write a file, and give it an entry in `DATASETS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from factorgrid.datasets.dataset import Batch as Batch
from factorgrid.datasets.dataset import Dataset as Dataset
from factorgrid.datasets.rendered.circles import Circles
from factorgrid.datasets.rendered.dsprites_twin import ColorDSpritesTwin, DSpritesTwin
from factorgrid.datasets.rendered.shapes3d_twin import Shapes3DTwin
from factorgrid.errors import unknown_name


@dataclass(frozen=True)
class Source:
    """An entry of `DATASETS`.

    Attributes:
        description: one line for lists.
        load: (data root) -> the data set; raises an Error that says what to do when files are missing.
        kind: "rendered" needs no files; "published" reads the authors' files.
    """

    description: str
    load: Callable[[Path], Dataset]
    kind: str


DATASETS: dict[str, Source] = {
    "circles": Source("one disc at a continuous position", lambda root: Circles(), "rendered"),
    "dsprites_twin": Source("dSprites drawn from its measured geometry", lambda root: DSpritesTwin(), "rendered"),
    "color_dsprites_twin": Source("the same in random colours", lambda root: ColorDSpritesTwin(), "rendered"),
    "shapes3d_twin": Source("Shapes3D traced from its measured geometry", lambda root: Shapes3DTwin(), "rendered"),
}


def load(name: str, *, root: Path | None = None) -> Dataset:
    """The data set called `name`.

    Raises:
        Error: no such name, or files that it needs are missing or damaged.
    """
    if name not in DATASETS:
        raise unknown_name("data set", name, DATASETS)
    return DATASETS[name].load(root or Path("data"))
