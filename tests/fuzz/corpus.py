"""A corpus of things that go wrong, made by a generator: damaged folders and files, bad values, bad command lines.

A case goes through a public door of the library and ends in one of a few ways; `held` are those in which the user gets
one line, or the right result. Nothing here knows how the library is made inside.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# what must become of a case: an error of one line; either that or a result that is as if nothing had happened; a result
Expected = Literal["refused", "either", "accepted"]


@dataclass(frozen=True)
class World:
    """What cases need to stand on.

    Attributes:
        place: an empty folder for this case alone.
        run: a trained and scored run, not to be changed.
    """

    place: Path
    run: Path


class Silent(Exception):
    """Raised by a case that noticed that something wrong was accepted."""


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        door: which way in.
        name: unique within the door; says what is wrong.
        go: does it.
        expected: see `Expected`.
    """

    door: str
    name: str
    go: Callable[[World], None]
    expected: Expected = "refused"


WRONG: tuple[Any, ...] = (None, True, -1, 0.5, float("inf"), float("nan"), 10**30, "", "x", [], {}, [[]])


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values in a JSON tree, inner ones too."""
    if path:
        yield path
    items: Any = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


def at(tree: Any, path: tuple[Any, ...]) -> Any:
    """The value at a place."""
    for key in path:
        tree = tree[key]
    return tree


def changed(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the tree with another value at a place; `GONE` takes it away."""
    if not path:
        return value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    if len(path) == 1 and value is GONE:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(copy[path[0]], path[1:], value)
    return copy


GONE = object()


def damages(content: bytes, rng: random.Random, flips: int) -> Iterator[tuple[str, bytes]]:
    """Ways in which a file may be damaged."""
    yield "empty", b""
    yield "text", b"hello\n"
    yield "zeros", bytes(len(content))
    yield "twice", content + content
    for share in (0.1, 0.5, 0.9):
        yield f"cut at {share}", content[: int(share * len(content))]
    yield "cut by one byte", content[:-1]
    for i in range(flips):
        copy = bytearray(content)
        copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
        yield f"flip {i}", bytes(copy)


def same_kind(old: Any, new: Any) -> bool:
    """Whether a value could be meant in place of another: no schema could tell."""
    if isinstance(old, bool) or isinstance(new, bool) or old is None:
        return False
    number = isinstance(old, int | float) and isinstance(new, int | float) and new == new and abs(new) < 1e20
    return number or (isinstance(old, str) and isinstance(new, str))
