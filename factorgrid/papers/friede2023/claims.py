"""The paper's claims about scores: what compares two methods, or a method with all others."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from factorgrid.config import Config
from factorgrid.papers.friede2023.methods import (
    D_VAE,
    FACTOR_D_VAE,
    FACTOR_VAE,
    PREVIOUS,
    VAE,
    all_played,
    played,
    six,
    supervised,
    title_of,
)
from factorgrid.papers.friede2023.published import LABELS, TWIN, published_metric, published_mig, published_supervised
from factorgrid.report.claims import Finding, Test, Verdict, demoted, judge
from factorgrid.report.comparisons import compare_rows
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.values import NOTHING, Absent, Cell, Number
from factorgrid.study.outcomes import Kind
from factorgrid.study.select import cell_scores, models, wins
from factorgrid.study.statistics import Wins, count_wins

REVERSED = "smallnorb"  # the paper claims nothing for it: its own numbers go the other way
RANK_TEST = "two-sided Mann-Whitney U test"
DIFFERENCE = "difference of the medians in points"


def name(row: Row) -> str:
    """What summaries and columns call a method: the paper's name, so that all studies have the same columns."""
    labels = f", {row.kind.labels} labels" if row.kind.labels else ""
    return title_of(row.kind) + labels


def dvae_mig(cells: Cells) -> Finding | Absent:
    """Higher MIG of D-VAE than of VAE, on all data sets but SmallNORB."""
    return _mig_of_pair(cells, VAE, D_VAE)


def factor_dvae_mig(cells: Cells) -> Finding | Absent:
    """Higher MIG of FactorDVAE than of FactorVAE, on all data sets but SmallNORB."""
    return _mig_of_pair(cells, FACTOR_VAE, FACTOR_D_VAE)


def _mig_of_pair(cells: Cells, first: Kind, second: Kind) -> Finding | Absent:
    pair = played(cells, first), played(cells, second)
    if pair[0] is None or pair[1] is None:
        return Absent(f"this study has no pair of {title_of(first)} and {title_of(second)}")
    found = compare_rows(cells, [(pair[0], pair[1])], name=name)
    tests = [_with_gain(cells, one.result, first, second) for one in found]
    return judge(tests, effect=DIFFERENCE, test=RANK_TEST)


def _with_gain(cells: Cells, test: Test | Absent, first: Kind, second: Kind) -> Test | Absent:
    """With the relative gain of the medians, ours and the paper's."""
    if isinstance(test, Absent):
        return test
    return replace(
        test,
        counts=test.where.removesuffix(TWIN) != REVERSED,
        published=_published_gain(test.where, first.model, second.model),
        more={**test.more, "gain in %": _gain(list(test.beside.values()))},
    )


def _gain(medians: Sequence[Cell]) -> Cell:
    """Of the first over the second."""
    better, worse = medians
    if isinstance(better, Number) and isinstance(worse, Number) and worse.value > 0:
        return Number(100 * (better.value / worse.value - 1), 0, signed=True)
    return Absent()


def _published_gain(data: str, worse: str, better: str) -> Cell:
    one, other = published_mig(better, data), published_mig(worse, data)
    if one is None or other is None:
        return Absent() if one is None else Number(one.median, after=f"% {title_of(Kind(better))}")
    return Number(100 * (one.median / other.median - 1), 0, signed=True, after="% gain")


def factor_dvae_best(cells: Cells) -> Finding | Absent:
    """FactorDVAE over the best of the previous methods, on all data sets but SmallNORB.

    It is better than the best one only if it is better than each: the p of a data set is the largest of them.
    """
    ours, previous = played(cells, FACTOR_D_VAE), all_played(cells, [Kind(model) for model in PREVIOUS])
    if ours is None or len(previous) < 2:
        return Absent("this study has no FactorDVAE beside two or more of the previous methods of Table 1")
    found = compare_rows(cells, [(row, ours) for row in previous], name=name)
    tests: list[Test | Absent] = []
    for data in cells.outcome.data:
        results = [one.result for one in found if one.data == data]
        made = [result for result in results if isinstance(result, Test)]
        if len(made) < len(results):
            tests += [result for result in results if isinstance(result, Absent)][:1]
            continue
        closest = min(made, key=lambda one: one.effect.value)
        weakest = max(made, key=lambda one: one.p if one.supports else 2 - one.p)
        # the least of several p is corrected for their number, the largest needs none
        p = weakest.p if weakest.supports else min(1.0, len(made) * weakest.p)
        least = max(one.least_p for one in made)
        best = max((published_mig(model, data) for model in PREVIOUS), key=lambda one: one.median if one else -1.0)
        paper = published_mig(FACTOR_D_VAE.model, data)
        published: Cell = NOTHING
        if best is not None and paper is not None:
            published = Number(100 * (paper.median / best.median - 1), 0, signed=True, after="% gain")
        tests.append(
            replace(closest, p=p, least_p=least, supports=weakest.supports, published=published,
                    counts=data.removesuffix(TWIN) != REVERSED)
        )  # fmt: skip
    also = [f"Previous methods here: {', '.join(name(row) for row in previous)}."]
    how = (
        "largest p of the two-sided Mann-Whitney U tests against each previous method; if one is better, the smallest "
        "p of those that are, times the number of tests"
    )
    return judge(tests, effect=f"{DIFFERENCE}, to the best previous one", test=how, also=also)


def mpi3d_all(cells: Cells) -> Finding | Absent:
    """The D-VAE is better than the VAE on MPI3D by each of the six metrics."""
    pair = played(cells, VAE), played(cells, D_VAE)
    data = [one for one in cells.outcome.data if one.startswith("mpi3d")]
    if pair[0] is None or pair[1] is None or not data:
        return Absent("this study has no pair of VAE and D-VAE on MPI3D")
    tests = []
    for one in compare_rows(cells, [(pair[0], pair[1])], metrics=six(cells), data=data, name=name):
        where = metric_title(one.metric) + (f" on {one.data}" if len(data) > 1 else "")
        published = published_metric(one.metric, one.data)
        paper = Absent() if published is None else Number(published.median, after="% D-VAE")
        found = one.result
        tests.append(replace(found, where=where, published=paper) if isinstance(found, Test) else found)
    return judge(tests, effect=DIFFERENCE, test=RANK_TEST, unit="metrics")


def cells_won(cells: Cells) -> Finding | Absent:
    """The D-VAE's median is higher in 31 of the paper's 36 pairs of a data set and a metric."""
    pair = played(cells, VAE), played(cells, D_VAE)
    if pair[0] is None or pair[1] is None:
        return Absent("this study has no pair of VAE and D-VAE")
    found = _wins(cells, [pair[0], pair[1]], {1}, published=Number(31, 0, after="of 36 cells"))
    return found if isinstance(found, Absent) else _best_in_most([found], title_of(D_VAE), "tests")


def figure_7(cells: Cells) -> Finding | Absent:
    """The unregularised discrete method, masked or not, is the best semi-supervised one in most cells."""
    labelled: dict[int, list[Row]] = {}
    for row in supervised(cells):
        labelled.setdefault(row.kind.labels, []).append(row)
    results: list[tuple[Test, Wins] | Absent] = []
    also = []
    for num, rows in labelled.items():
        side = {place for place, row in enumerate(rows) if row.kind.model == D_VAE.model}
        if side and len(side) < len(rows):
            results.append(_wins(cells, rows, side, where=f"{num} labels"))
            scores = cell_scores({row: cells.models([row]) for row in rows}, metrics=six(cells))
            won = wins(scores)
            best = [title_of(row.kind) for row in won.index[(won > 0) & (won == won.max())]]
            if best:
                also.append(f"Best most often with {num} labels: {', '.join(best)}.")
    made = [one for one in results if not isinstance(one, Absent)]
    if not made:
        missing = Absent("this study has no semi-supervised D-VAE beside a method that is none")
        return next((one for one in results if isinstance(one, Absent)), missing)
    return _best_in_most(made, title_of(D_VAE), "numbers of labels", also=also)


def _wins(
    cells: Cells, rows: Sequence[Row], side: set[int], *, where: str = "all cells", published: Cell = NOTHING
) -> tuple[Test, Wins] | Absent:
    """One test of whether a side is better over all data sets and metrics, and in how many it is the best."""
    pools = []
    for data in cells.outcome.data:
        wide = [models(table[table["data"] == data]) for table in (cells.models([row]) for row in rows)]
        shared = [key for key in six(cells) if all(key in one for one in wide)]
        scores = [one.loc[np.isfinite(one[shared]).all(axis=1), shared].to_numpy(np.float64) for one in wide]
        if shared and all(len(one) for one in scores):
            pools.append(scores)
    if not pools:
        return Absent("no data set and metric is scored for all of these methods")
    found = count_wins(pools, side)
    test = Test(
        where,
        Number(found.won, 0 if found.won.is_integer() else 1, after=f"of {found.cells} cells"),
        min(len(one) for scores in pools for one in scores),
        found.p,
        supports=found.superiority > 0.5,
        least_p=found.least_p,
        published=published,
        beside={"superiority in %": Number(100 * found.superiority)},
    )
    return test, found


def _best_in_most(
    found: Sequence[tuple[Test, Wins]], method: str, unit: str, *, also: Sequence[str] = ()
) -> Finding | Absent:
    """The tests say whether its models score higher; the claim, that it is best in most cells, needs both."""
    how = "two-sided permutation test of the superiority over all cells: whole models change places; ties are split"
    tests = [test for test, _ in found]
    result = judge(tests, effect=f"cells in which {method} is best by its median", test=how, unit=unit, also=also)
    in_most = [one.won > one.cells / 2 for _, one in found]
    if isinstance(result, Finding) and result.verdict is Verdict.SUPPORTED and not all(in_most):
        return demoted(result, "its models score higher, but it is not best in most cells")
    if isinstance(result, Finding) and result.verdict is Verdict.NOT_SUPPORTED and any(in_most):
        return demoted(result, "best in most cells, but its models score lower")
    return result


def masked_mig(cells: Cells) -> Finding | Absent:
    """Higher MIG with masked attention, of either semi-supervised discrete method."""
    pairs = [
        (row, masked)
        for row in supervised(cells)
        if not row.kind.masked and (masked := _masked_alike(cells, row)) is not None
    ]
    if not pairs:
        return Absent("this study has no pair of a semi-supervised method without and with masked attention")
    found = compare_rows(cells, pairs, name=partial(_masked_name, several=len(pairs) > 1))
    tests = []
    for one in found:
        where = one.data if len(pairs) == 1 else f"{one.data}, {one.first.title}"
        paper = _published_masked(one.first, one.data)
        result = one.result
        tests.append(replace(result, where=where, published=paper) if isinstance(result, Test) else result)
    return judge(tests, effect=DIFFERENCE, test=RANK_TEST, unit="tests" if len(pairs) > 1 else "data sets")


def _masked_alike(cells: Cells, row: Row) -> Row | None:
    """The masked method that is trained as this one is in all else; of studies that do not say how, the first."""
    masked = [one for one in supervised(cells) if one.kind == replace(row.kind, masked=True)]
    recipe = _recipes(cells, row)
    return next((one for one in masked if _recipes(cells, one) == recipe), None)


def _recipes(cells: Cells, row: Row) -> dict[str, Config]:
    """By data set, how the models of a method are trained, whatever their seeds and whether they are masked."""
    return {
        data: replace(cells.outcome.configs[group.name], masked=False, seeds=(0,))
        for data in cells.outcome.data
        for group in cells.groups(data, row)[:1]
        if group.name in cells.outcome.configs
    }


def _published_masked(row: Row, data: str) -> Cell:
    """The paper's difference of the medians with and without the mask."""
    masked, plain = (published_supervised(row.kind.model, mask, data) for mask in (True, False))
    if masked is None or plain is None or row.kind.labels != LABELS:
        return Absent()
    return Number(masked.median - plain.median, 1, signed=True, after="points")


def _masked_name(row: Row, *, several: bool) -> str:
    if several:
        return "masked" if row.kind.masked else "unmasked"
    return name(row)
