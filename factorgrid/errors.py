"""The one exception that users meet: one line with what is wrong, where, and what to do about it."""

import difflib
from collections.abc import Iterable


class Error(Exception):
    """Anything a user can get wrong. The command line prints its text and exits with status 2."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> Error:
    """The error for a name that is in no table, with the nearest known one.

    >>> print(unknown_name("objective", "betavae", ["vae", "beta_vae"]))
    unknown objective 'betavae'; did you mean 'beta_vae'? Known: vae, beta_vae
    """
    names = list(known)
    lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    hint = f"did you mean '{lower[near[0]]}'? " if near else ""
    return Error(f"unknown {kind} '{name}'; {hint}Known: {', '.join(names)}")
