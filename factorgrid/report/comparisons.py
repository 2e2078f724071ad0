"""Two methods against each other on every data set and metric, by one rule, with the tests that carry it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from factorgrid.report.study_cells import Cell, Cells, Row
from factorgrid.study.statistics import ALPHA, Comparison, compare, holm

SUPPORTED = "supported"
NOT_SUPPORTED = "not supported"
NO_DIFFERENCE = "no difference seen at this size"
NOT_TESTED = "not tested in this study"


@dataclass(frozen=True)
class Tested:
    """One data set and metric: is the second method better?

    Attributes:
        data, metric: where.
        first, second: the methods.
        cells: the scores of both.
        comparison: None if one of them has none.
        holm: p after correction over the tests of the same metric; NaN without a test.
    """

    data: str
    metric: str
    first: Row
    second: Row
    cells: tuple[Cell, Cell]
    comparison: Comparison | None
    holm: float = float("nan")

    @property
    def verdict(self) -> str:
        """By the corrected p at 0.05, in the direction of the superiority."""
        if self.comparison is None:
            return NOT_TESTED
        if not self.holm < ALPHA:
            return NO_DIFFERENCE
        return SUPPORTED if self.comparison.superiority > 0.5 else NOT_SUPPORTED

    @property
    def reason(self) -> str:
        """Why it was not tested."""
        return "; ".join(cell.reason for cell in self.cells if not len(cell.values))


def compare_methods(
    cells: Cells,
    pairs: Sequence[tuple[Row, Row]],
    *,
    metrics: Sequence[str] = ("mig",),
    resamples: int,
) -> list[Tested]:
    """Every pair (first, second) on every data set and metric, higher being better.

    Holm's correction is over the pairs and data sets of each metric: one family is one question.
    """
    found = []
    for first, second in pairs:
        for name in cells.outcome.data:
            for metric in metrics:
                both = cells.cell(name, first, metric), cells.cell(name, second, metric)
                tested = all(len(cell.values) for cell in both)
                comparison = compare(both[0].values, both[1].values, resamples=resamples) if tested else None
                found.append(Tested(name, metric, first, second, both, comparison))
    corrected = np.full(len(found), np.nan)
    for metric in metrics:
        family = [i for i, one in enumerate(found) if one.metric == metric]
        corrected[family] = holm([_p(found[i]) for i in family])
    return [replace(one, holm=float(p)) for one, p in zip(found, corrected)]


def _p(one: Tested) -> float:
    return np.nan if one.comparison is None else one.comparison.p
