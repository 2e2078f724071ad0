"""The report of a study: one page, with its tables and figures as files beside it.

`report.html` holds everything it shows; `tables/` has each table as CSV and LaTeX, `figures/` each figure as PNG and
PDF, and `summary.csv` the numbers of all cells in full precision.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import replacing
from factorgrid.report import page
from factorgrid.report.page import Section
from factorgrid.report.published import is_twin
from factorgrid.report.study_cells import Cells, counted, distinct, summary_of
from factorgrid.report.study_claims import Claim, claims
from factorgrid.report.study_evidence import (
    comparison_table,
    correlation_frames,
    correlation_table,
    deviations_table,
    dvae_against_vae,
    selection_table,
    supervised_selection_table,
)
from factorgrid.report.study_pictures import CORRELATIONS, Picture, model_pictures, score_pictures
from factorgrid.report.study_tables import dvae_table, mig_tables, plan_table, supervised_table
from factorgrid.report.style import shrink
from factorgrid.report.table_files import Table, write_table
from factorgrid.study.outcome import COLUMNS, Outcome
from factorgrid.study.statistics import RESAMPLES

FORMATS = ("png", "pdf")
QUICK_RESAMPLES = 300


def study_report(outcome: Outcome, out: Path, *, quick: bool = False) -> Path:
    """Write the report of a study into a folder; what is there already is replaced.

    Args:
        outcome: what the study has found so far.
        out: the folder.
        quick: leave out what needs the models (Figures 3, 8, 10, 11) and the PDFs, and resample less.

    Returns:
        The path of `report.html`.

    Raises:
        Error: a table of other columns, a study without any group, or files that cannot be written.
    """
    _check(outcome)
    cells = Cells(outcome)
    resamples = QUICK_RESAMPLES if quick else RESAMPLES
    formats = FORMATS[:1] if quick else FORMATS
    figures = out / "figures"
    by_models, aligned, why = model_pictures(cells, figures, formats, quick=quick)
    found = claims(cells, aligned, why, resamples=resamples)
    pictures = sorted([*score_pictures(cells, figures, formats), *by_models], key=_figure_number)
    for picture in pictures:
        if picture.path is not None and picture.name != "figure-8":  # that one shows images
            shrink(picture.path)
    tables = study_tables(cells, resamples=resamples)
    for table in [*tables, *(claim.evidence for claim in found if claim.evidence is not None)]:
        write_table(table, out / "tables")
    write_table(claims_table(found), out / "tables")
    write_summary(cells, out / "summary.csv", resamples=resamples)
    path = out / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(_document(cells, found, tables, pictures, formats), encoding="utf-8")
    return path


def study_tables(cells: Cells, *, resamples: int) -> list[Table]:
    """Every table that this study has something for, in the order of the page."""
    tested = dvae_against_vae(cells, resamples=resamples)
    frames = correlation_frames(cells)
    optional = [
        *mig_tables(cells, resamples=resamples),
        dvae_table(cells, resamples=resamples),
        supervised_table(cells, resamples=resamples),
        comparison_table(cells, tested, resamples=resamples) if tested else None,
        selection_table(cells),
        supervised_selection_table(cells),
        *(correlation_table(cells, name, CORRELATIONS[name][0], frame) for name, frame in frames.items()),
    ]
    return [plan_table(cells), *(table for table in optional if table is not None), deviations_table(cells)]


def claims_table(found: Sequence[Claim]) -> Table:
    """All verdicts."""
    rows = [(claim.text, claim.where, claim.verdict, claim.summary, claim.test) for claim in found]
    frame = pd.DataFrame(rows, columns=["claim", "paper", "verdict", "numbers", "test"])
    return Table("claims", "Claims of the paper", "", frame, words=True)


def write_summary(cells: Cells, path: Path, *, resamples: int) -> None:
    """Every cell's numbers in full precision, as scored (shares from 0 to 1)."""
    rows = []
    for row in cells.rows:
        for data in cells.outcome.data:
            for metric in sorted({metric for of, *_, metric in cells.scores if of == data}):
                cell = cells.cell(data, row, metric)
                if len(cell.values):
                    found = summary_of(cell, resamples=resamples)
                    low, high = found.interval
                    numbers = (found.num, cell.lost, found.median, found.low, found.high, low, high)
                    rows.append((data, row.method, row.labels, metric, *numbers))
    names = ["data", "method", "labels", "metric", "num", "not_finite", "median", "quantile_25", "quantile_75",
             "interval_low", "interval_high"]  # fmt: skip
    with replacing(path) as temporary:
        pd.DataFrame(rows, columns=names).to_csv(temporary, index=False)


def _check(outcome: Outcome) -> None:
    missing = [name for name in COLUMNS if name not in outcome.table.columns]
    if missing:
        raise Error(f"the results of study '{outcome.name}' lack the columns {', '.join(missing)}")
    if not outcome.groups:
        raise Error(f"study '{outcome.name}' has no groups; there is nothing to report")


def _document(
    cells: Cells, found: Sequence[Claim], tables: Sequence[Table], pictures: Sequence[Picture], formats: Sequence[str]
) -> str:
    outcome = cells.outcome
    drawn = [picture for picture in pictures if picture.path is not None]
    absent = [picture for picture in pictures if picture.path is None]
    body = f'{_INTRODUCTION}<ul class="claims">{"".join(_claim(claim) for claim in found)}</ul>'
    by_name = {table.name: table for table in tables}
    below = {picture.name: by_name.pop(f"{picture.name}-correlations", None) for picture in pictures}
    others = [by_name.pop(name) for name in ("models", "deviations")]
    results = list(by_name.values())
    sections = [
        Section("claims", "Claims of the paper, and what this study says", body),
        Section("tables", "Tables", _tables(results), tuple((table.name, table.title) for table in results)),
        Section("figures", "Figures", "".join(_figure(picture, formats, below[picture.name]) for picture in drawn),
                tuple((picture.name, picture.title) for picture in drawn)),
        Section("study", "This study", _tables(others) + _FILES, tuple((table.name, table.title) for table in others)),
    ]  # fmt: skip
    if absent:
        sections.insert(3, Section("absent", "Not in this study", _absent(absent)))
    return page.page(outcome.title, _head(cells), sections)


_INTRODUCTION = page.paragraph(
    "Each verdict is computed from this study's scores by one rule: a difference counts when its p, corrected over the "
    "tests of the claim, is below 0.05. It speaks of this study's data, models and steps, not of the paper's."
)
_FILES = page.paragraph(
    "Beside this page: tables/ with every table as CSV and LaTeX, figures/ with every figure as PNG and PDF, "
    "summary.csv with the numbers of all cells in full precision.",
    kind="caption",
)


def _head(cells: Cells) -> str:
    outcome = cells.outcome
    done = [group for group in outcome.groups if group.state == "done"]
    steps = sorted(set(outcome.table["steps"]))
    models = f"{sum(group.members for group in done):,} of {sum(group.members for group in outcome.groups):,} done"
    twins = [data for data in outcome.data if is_twin(data)]
    values = [
        ("data", ", ".join(outcome.data)),
        ("methods", ", ".join(outcome.methods)),
        ("models", f"{models}, in {counted(len(outcome.groups), 'group')}"),
        ("training steps", ", ".join(f"{n:,}" for n in steps) or "none yet"),
        *outcome.facts.items(),
    ]
    lead = "".join(page.paragraph(part, kind="lead") for part in outcome.description.split("\n\n") if part.strip())
    told = ""
    if twins:
        told = page.paragraph(
            f"{len(twins)} of {len(outcome.data)} data sets are rendered twins: drawn by this library in place of the "
            "published images, with names that end in _twin. Scores on them are not scores on the paper's data.",
            kind="warning",
        )
    return lead + page.facts(values) + told + _troubles(cells)


def _troubles(cells: Cells) -> str:
    """Groups that failed, first of all; and how many are still open."""
    groups = cells.outcome.groups
    failed = [group for group in groups if group.state == "failed"]
    still = [group for group in groups if group.state in ("running", "waiting")]
    lost = int((~cells.outcome.table["value"].abs().lt(float("inf"))).sum())
    lines = [f"{group.name} ({group.method} on {group.data}): {group.reason or 'no reason given'}" for group in failed]
    heads = []
    if failed:
        heads.append(f"{len(failed)} of {len(groups)} groups failed.")
    if still:
        states = " and ".join(f"{sum(g.state == s for g in still)} {s}" for s in distinct(g.state for g in still))
        heads.append(f"Not finished: {states}; this report shows what is there so far.")
    if lost:
        heads.append(f"{lost} scores are not finite and left out.")
    if not heads:
        return ""
    items = f"<ul>{''.join(f'<li>{page.text(line)}</li>' for line in lines)}</ul>" if lines else ""
    return f'<div class="warning">{page.text(" ".join(heads))}{items}</div>'


def _claim(claim: Claim) -> str:
    test = f'<p class="test">Test: {page.text(claim.test)}.</p>' if claim.test else ""
    evidence = _numbers(claim.evidence) if claim.evidence is not None else ""
    kind, name = page.verdict_class(claim.verdict), page.attribute(claim.name)
    return (
        f'<li class="{kind}" id="verdict-{name}">{page.badge(claim.verdict)}'
        f'<p class="what">{page.text(claim.text)} <span class="where">{page.text(claim.where)}</span></p>'
        f"<p>{page.text(claim.summary)}</p>{test}{evidence}</li>"
    )


def _tables(shown: Sequence[Table]) -> str:
    return "".join(page.table(table, links=_links(table)) for table in shown)


def _figure(picture: Picture, formats: Sequence[str], numbers: Table | None) -> str:
    assert picture.path is not None
    links = [f"figures/{picture.name}.{suffix}" for suffix in formats]
    after = _numbers(numbers) if numbers is not None else ""
    return page.figure(picture.name, picture.title, picture.caption, picture.path, links=links, after=after)


def _numbers(table: Table) -> str:
    """A table below what already says its title, folded."""
    shown = page.table(replace(table, title=""), links=_links(table))
    return f'<details class="numbers"><summary>Numbers ({counted(len(table.frame), "row")})</summary>{shown}</details>'


def _absent(pictures: Sequence[Picture]) -> str:
    items = "".join(f"<dt>{page.text(picture.title)}</dt><dd>{page.text(picture.reason)}</dd>" for picture in pictures)
    return f'<dl class="reasons">{items}</dl>'


def _links(table: Table) -> list[str]:
    return [f"tables/{table.name}.csv", f"tables/{table.name}.tex"]


def _figure_number(picture: Picture) -> tuple[int, str]:
    """figure-4-left before figure-12-13."""
    return int(picture.name.split("-")[1]), picture.name
