"""What a paper adds to the report of a study: its tables, figures and claims, as plain dicts of entries.

An entry's function gets the study's `Cells` and gives its result, or `Absent` with the reason. Adding one: a function,
and an entry in the paper's dict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from factorgrid.report.claims import Finding
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn.

    Attributes:
        caption: how to read it.
        draw: writes it to a path, in the format of its suffix.
        numbers: the table behind it.
        photographs: whether it shows images, which a palette of 256 colours would spoil.
        alt: what it shows, in words, for those who do not see it; "" where the caption says that.
    """

    caption: str
    draw: Callable[[Path], object]
    numbers: Table | None = None
    photographs: bool = False
    alt: str = ""


@dataclass(frozen=True)
class TableEntry:
    """A table: its title, where in the paper, and the function that makes it."""

    title: str
    where: str
    make: Callable[[Cells], Table | Absent]


@dataclass(frozen=True)
class FigureEntry:
    """A figure: its title, where in the paper, and the function that says how to draw it."""

    title: str
    where: str
    make: Callable[[Cells], Drawing | Absent]


@dataclass(frozen=True)
class ClaimEntry:
    """A claim in the paper's words, where it stands, and the function that tests it."""

    title: str
    where: str
    judge: Callable[[Cells], Finding | Absent]


@runtime_checkable
class Paper(Protocol):
    """A paper's folder, as reports see it: a module with these names."""

    @property
    def TITLE(self) -> str: ...
    @property
    def TABLES(self) -> Mapping[str, TableEntry]: ...
    @property
    def FIGURES(self) -> Mapping[str, FigureEntry]: ...
    @property
    def CLAIMS(self) -> Mapping[str, ClaimEntry]: ...
    def applies(self, cells: Cells, /) -> bool:
        """Whether the study has anything to do with the paper."""
        ...
