"""Two methods against each other on data sets and metrics, by one rule, with the tests that carry it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from factorgrid.report.claims import VERDICT, Test, Verdict, corrected
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, Number, P, distinct
from factorgrid.study.select import higher_is_better
from factorgrid.study.statistics import compare

DIFFERENCE = "difference"
WORDS = {Verdict.SUPPORTED: "better", Verdict.NOT_SUPPORTED: "worse"}


@dataclass(frozen=True)
class Pair:
    """Is the second method better than the first, on one data set, by one metric?

    Attributes:
        data, metric: where.
        first, second: the methods.
        result: the test, before any correction; or why there is none.
    """

    data: str
    metric: str
    first: Row
    second: Row
    result: Test | Absent


def compare_rows(
    cells: Cells,
    pairs: Sequence[tuple[Row, Row]],
    *,
    metrics: Sequence[str] = ("mig",),
    data: Sequence[str] | None = None,
    name: Callable[[Row], str] = lambda row: row.title,
) -> list[Pair]:
    """Every pair (first, second) on every data set and metric.

    Args:
        cells: the study.
        pairs: of methods.
        metrics: keys; their declared direction says what is better.
        data: which data sets; all by default.
        name: what columns call a method.
    """
    return [
        Pair(where, metric, first, second, _compared(cells, where, metric, first, second, name))
        for first, second in pairs
        for where in (cells.outcome.data if data is None else data)
        for metric in metrics
    ]


def pair_table(cells: Cells, pairs: Sequence[Pair], caption: str) -> Table:
    """What the comparisons found, corrected over all of them."""
    tests = iter(corrected([pair.result for pair in pairs if isinstance(pair.result, Test)]))
    rows: list[dict[str, Cell]] = []
    higher = []
    for pair in pairs:
        scale, digits = _unit(pair.metric)
        both = [
            cells.median(cells.sample(pair.data, row, pair.metric), scale=scale, digits=digits)
            for row in (pair.second, pair.first)
        ]
        row: dict[str, Cell] = {
            "data set": pair.data, "metric": metric_title(pair.metric), "method": pair.second.title, "median": both[0],
            "against": pair.first.title, "its median": both[1],
        }  # fmt: skip
        if isinstance(pair.result, Test):
            test = next(tests)
            higher.append((test.effect.value > 0) == higher_is_better(pair.metric) and test.effect.value != 0)
            row |= {DIFFERENCE: test.effect, **test.more, "p": P(test.p), "p (Holm)": P(test.corrected)}
            row |= {VERDICT: WORDS.get(test.verdict, "not different")}
        else:
            row |= {DIFFERENCE: Absent(), "superiority in %": Absent(), "p": Absent(), "p (Holm)": Absent()}
            row |= {VERDICT: "not tested"}
        rows.append(row)
    columns = ["data set", "metric", "method", "median", "against", "its median", DIFFERENCE, "superiority in %", "p",
               "p (Holm)", VERDICT]  # fmt: skip
    told = (
        f"{caption}Medians and their difference with 95 % bootstrap intervals, shares in % and points. Superiority: "
        "how often, in %, a random model of the method scores better than one of the other (50: equal). p: two-sided "
        f"Mann-Whitney U test, then after Holm's correction over the {len(higher)} tests of this table. The method's "
        f"median is the better one in {sum(higher)} of them."
    )
    notes = distinct(pair.result.reason for pair in pairs if isinstance(pair.result, Absent))
    return Table(rows, columns, told, notes)


def _compared(
    cells: Cells, data: str, metric: str, first: Row, second: Row, name: Callable[[Row], str]
) -> Test | Absent:
    both = cells.sample(data, first, metric), cells.sample(data, second, metric)
    if not all(len(sample.values) for sample in both):
        return Absent("; ".join(sample.absent.reason for sample in both if not len(sample.values)))
    found = compare(both[0].values, both[1].values, resamples=cells.resamples)
    scale, digits = _unit(metric)
    sign = 1 if higher_is_better(metric) else -1
    low, high = (scale * end for end in found.interval)
    return Test(
        data,
        Number(scale * found.difference, digits, signed=True, interval=(low, high)),
        min(found.num_first, found.num_second),
        found.p,
        supports=sign * (found.superiority - 0.5) > 0,
        least_p=found.least_p,
        beside={name(row): cells.median(sample, scale=scale, digits=digits)
                for row, sample in zip((second, first), reversed(both))},
        more={"superiority in %": Number(100 * (found.superiority if sign > 0 else 1 - found.superiority))},
    )  # fmt: skip


def _unit(metric: str) -> tuple[float, int]:
    """The factor that a metric is shown with, and its digits: shares in percent."""
    return (100.0, 1) if in_percent(metric) else (1.0, 2)
