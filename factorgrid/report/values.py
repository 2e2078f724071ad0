"""What stands in a table or behind a verdict: numbers with what belongs to them, words, or why there is nothing.

A number stays a number until it is printed: `parts` is the one place that makes text of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

NONE = "–"


@dataclass(frozen=True)
class Absent:
    """Why there is no result, in place of one.

    Attributes:
        reason: in full, for people.
        short: in a word or two, for a table's cell.
        elsewhere: it could be made where the trained models are; what an earlier report made there is kept.
    """

    reason: str = ""
    short: str = ""
    elsewhere: bool = False


@dataclass(frozen=True)
class Number:
    """A number and what is printed with it, all in the unit of the table.

    Attributes:
        value: not finite: printed as a dash.
        digits: behind the decimal point.
        signed: with its sign, as differences are.
        interval: bootstrap interval of a median or a difference.
        quantiles: of a sample, 25 % and 75 %.
        num: how many models it rests on.
        p: of a correlation.
        mark: right behind it, such as "*".
        after: words behind everything else.
    """

    value: float | int
    digits: int = 1
    signed: bool = False
    interval: tuple[float, float] | None = None
    quantiles: tuple[float, float] | None = None
    num: int | None = None
    p: float | None = None
    mark: str = ""
    after: str = ""


@dataclass(frozen=True)
class P:
    """A p value: two significant digits are printed; below 0.001 only that."""

    value: float


NOTHING = Absent()
Cell = str | int | Number | P | Absent


def parts(cell: Cell) -> tuple[str, str]:
    """The text of a cell: the number (or the words), and what belongs to it.

    >>> parts(Number(17.42, interval=(15.1, 19.2), num=50))
    ('17.4', '(15.1 to 19.2) n 50')
    """
    match cell:
        case str():
            return cell, ""
        case int():
            return f"{cell:,}", ""
        case Absent():
            return NONE, cell.short
        case P():
            return p_text(cell.value), ""
        case Number():
            rest = [_interval(cell), _quantiles(cell)]
            rest.append("" if cell.p is None else f"p {p_text(cell.p)}")
            rest.append("" if cell.num is None else f"n {cell.num}")
            return _digits(cell, cell.value) + cell.mark, " ".join(filter(None, [*rest, cell.after]))


def text(cell: Cell) -> str:
    """All of a cell in one line."""
    return " ".join(filter(None, parts(cell)))


def as_float(cell: Cell) -> float | None:
    """What a column of such cells is sorted by; None for words and what is absent."""
    match cell:
        case Number() | P():
            return float(cell.value) if np.isfinite(cell.value) else None
        case int():
            return float(cell)
        case _:
            return None


def p_text(p: float) -> str:
    """
    >>> p_text(0.01234), p_text(1e-5)
    ('0.012', '<0.001')
    """
    if not np.isfinite(p):
        return NONE
    return "<0.001" if p < 0.001 else f"{p:.2g}"


def percent(value: float) -> str:
    """A share in percent with one decimal, as the paper prints."""
    return f"{100 * value:.1f}" if np.isfinite(value) else NONE


def distinct(reasons: Iterable[str]) -> tuple[str, ...]:
    """In order, each once, without blanks."""
    return tuple(dict.fromkeys(reason for reason in reasons if reason))


def _digits(cell: Number, value: float | int) -> str:
    if not np.isfinite(value):
        return NONE
    return f"{value:+,.{cell.digits}f}" if cell.signed else f"{value:,.{cell.digits}f}"


def _interval(cell: Number) -> str:
    if cell.interval is None or not np.isfinite(cell.interval).all():
        return ""
    return f"({_digits(cell, cell.interval[0])} to {_digits(cell, cell.interval[1])})"


def _quantiles(cell: Number) -> str:
    if cell.quantiles is None:
        return ""
    return f"[{_digits(cell, cell.quantiles[0])}, {_digits(cell, cell.quantiles[1])}]"
