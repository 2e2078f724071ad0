"""Published files: where they come from, where they lie, and what a missing or damaged one is called."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from factorgrid.datasets.files import DAMAGE, one_line
from factorgrid.errors import Error

# The second name is disentanglement_lib's; the layout below the root is the same, so the files can be shared.
ROOT_VARIABLES = ("FACTORGRID_DATA", "DISENTANGLEMENT_LIB_DATA")


@dataclass(frozen=True)
class RemoteFile:
    """A file that authors publish.

    Attributes:
        url: where from. A plain http address needs an md5, because anybody on the way can change what comes.
        path: where to, below the data root: a file, or for unpacked archives a folder.
        md5: of the file at `url`; None if its authors publish none.
        unpack: "gz" writes the content to `path`; "tar" moves the members below `member` into the folder `path`.
        member: folder inside the archive.
    """

    url: str
    path: str
    md5: str | None = None
    unpack: Literal["no", "gz", "tar"] = "no"
    member: str = ""


def data_root(root: str | Path | None = None) -> Path:
    """`root`, or the folder named by FACTORGRID_DATA or DISENTANGLEMENT_LIB_DATA, or ./data."""
    if root is not None:
        return Path(root)
    named = (os.environ.get(variable) for variable in ROOT_VARIABLES)
    return Path(next((name for name in named if name), "data"))


def missing(path: Path, name: str) -> Error:
    """The error for a published file that is not there."""
    return Error(f"{path} is missing; run: factorgrid data download {name}")


def damaged(path: Path, what: str, name: str) -> Error:
    """The error for a published file that is not what it should be."""
    return Error(f"{path} is damaged ({what}); remove it and run: factorgrid data download {name}")


@contextmanager
def reading(path: Path, name: str) -> Iterator[None]:
    """Turns what readers raise about the file `path` of data set `name` into one line."""
    try:
        yield
    except FileNotFoundError:
        raise missing(path, name) from None
    except PermissionError:
        raise Error(f"{path} cannot be read: permission denied; change its permissions") from None
    except (*DAMAGE, OSError) as problem:
        raise damaged(path, one_line(problem), name) from problem
