"""Published files: where they lie, what a missing or damaged one is called, and warnings about data."""

import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import scipy.io.matlab

from factorgrid.errors import Error

# The second name is disentanglement_lib's; the layout below the root is the same, so the files can be shared.
ROOT_VARIABLES = ("FACTORGRID_DATA", "DISENTANGLEMENT_LIB_DATA")

# What readers of damaged archives, matrices and images raise, besides OSError.
DAMAGE = (
    EOFError,
    KeyError,
    NotImplementedError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    scipy.io.matlab.MatReadError,
    zipfile.BadZipFile,
    zlib.error,
)


class DataWarning(UserWarning):
    """Something about data that a user should know, but that stops nothing."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that authors publish.

    Attributes:
        url: where from.
        path: where to, below the data root: a file, or for unpacked archives a folder.
        md5: of the file at `url`; None if not known.
        unpack: "gz" writes the content to `path`; "tar" moves the members below `member` into the folder `path`.
        member: folder inside the archive.
    """

    url: str
    path: str
    md5: str | None = None
    unpack: Literal["no", "gz", "tar"] = "no"
    member: str = ""


def data_root(root: Path | None = None) -> Path:
    """`root`, or the folder named by FACTORGRID_DATA or DISENTANGLEMENT_LIB_DATA, or ./data."""
    if root is not None:
        return root
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
    except OSError as problem:
        raise damaged(path, one_line(problem), name) from problem
    except DAMAGE as problem:
        raise damaged(path, one_line(problem), name) from problem


def one_line(problem: BaseException | str) -> str:
    """What an exception says, on one line of readable length."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    return text if len(text) <= 160 else text[:157] + "..."
