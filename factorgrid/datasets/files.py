"""What readers of other people's files share: how damage shows, how to say it on one line, and warnings about data."""

import struct
import tarfile
import zipfile
import zlib

import scipy.io.matlab

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


def one_line(problem: BaseException | str) -> str:
    """What an exception says, on one line of readable length."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    return text if len(text) <= 160 else text[:157] + "..."
