"""The claims of the paper over several studies, as one Markdown table: what the README shows is made by this."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from factorgrid.report.claims import Finding, Test
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_page import judge_claims
from factorgrid.report.values import Absent, Number, P, text
from factorgrid.study import outcome

HEAD = ("claim", "study", "where", "paper", "ours", "interval", "n", "p", "verdict")


def summarise_studies(folders: Sequence[Path]) -> str:
    """A row for each test of each claim that a study can say something to; claims that none can, below.

    Args:
        folders: of studies that were run.

    Raises:
        Error: a folder that holds no study.
    """
    from factorgrid.papers.friede2023 import CLAIMS

    studies = [Cells(outcome(folder)) for folder in folders]
    earlier = [folder / "report" / "tables" / "claims.csv" for folder in folders]
    judged = [
        {one.name: one.found for one in judge_claims(cells, CLAIMS, path)} for cells, path in zip(studies, earlier)
    ]
    lines, untested = [], []
    for name, entry in CLAIMS.items():
        found = [(cells, claims[name]) for cells, claims in zip(studies, judged)]
        rows = [row for cells, one in found if isinstance(one, Finding) for row in _rows(cells, one)]
        if rows:
            lines += [[f"{entry.title} ({entry.where})" if not place else "", *row] for place, row in enumerate(rows)]
        else:
            untested.append(entry.title)
    table = [_line(HEAD), _line(["---"] * len(HEAD)), *map(_line, lines)]
    none = "".join(f"\n- {title}" for title in untested)
    return "\n".join(table) + "\n" + (f"\nNot tested by these studies:\n{none}\n" if untested else "")


def _rows(cells: Cells, finding: Finding) -> Iterable[list[str]]:
    """The cells of each test; the claim's verdict where it has one test, else each test's own, and the claim's last."""
    for test in finding.tests:
        single = len(finding.tests) == 1
        verdict = finding.words if single else test.verdict.value
        yield [cells.outcome.name, test.where, *_numbers(test, finding.effect), verdict]
    if not finding.tests:
        yield [cells.outcome.name, "by its earlier report", "", finding.summary, "", "", "", finding.words]
    if len(finding.tests) > 1:
        yield [cells.outcome.name, "all", "", "", "", "", "", f"**{finding.words}**"]


def _numbers(test: Test, effect: str) -> list[str]:
    paper = "" if isinstance(test.published, Absent) else text(test.published)
    beside = ", ".join(f"{name} {text(cell)}" for name, cell in test.beside.items())
    plain = Number(test.effect.value, test.effect.digits, test.effect.signed, after=test.effect.after)
    low_high = test.effect.interval
    interval = "" if low_high is None else f"{low_high[0]:+.1f} to {low_high[1]:+.1f}"
    ours = f"{effect} {text(plain)}" + (f" ({beside})" if beside else "")
    return [paper, ours, interval, str(test.num), text(P(test.corrected))]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
