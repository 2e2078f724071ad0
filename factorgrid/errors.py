"""The one exception that users meet: one line with what is wrong, where, and what to do about it."""

import difflib
from collections.abc import Iterable
from typing import Any


class Error(Exception):
    """Anything a user can get wrong. The command line prints its text and exits with status 2."""


def unknown_name(kind: str, name: str, known: Iterable[str], *, also: Iterable[str] = ()) -> Error:
    """The error for a name that is in no table, with the nearest known one.

    Names in `also` are suggested too, and not listed.

    >>> print(unknown_name("objective", "betavae", ["vae", "beta_vae"]))
    unknown objective 'betavae'; did you mean 'beta_vae'? Known: vae, beta_vae
    """
    names = list(known)
    lower = {known.lower(): known for known in (*names, *also)}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    hint = f"did you mean '{lower[near[0]]}'? " if near else ""
    return Error(f"unknown {kind} '{name}'; {hint}Known: {', '.join(names)}")


def first_line(error: BaseException) -> str:
    """What an exception says first; its kind if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def check_whole(value: Any, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number within bounds; `name` is for the error.

    Raises:
        Error: another number, or no number.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise Error(f"{name} must be a whole number, got {value!r}")
    number = int(value.__index__())
    if number < least:
        raise Error(f"{name} must be at least {least}, got {number}")
    if number > most:
        raise Error(f"{name} must be at most {most:,}, got {number:,}")
    return number
