"""The report of a study: one page, with its tables and figures as files beside it.

`report.html` holds everything it shows; `tables/` has each table as CSV and LaTeX, `figures/` each figure as PNG and
PDF, and `summary.csv` the numbers of all cells in full precision. A paper adds its claims, tables and figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import replacing
from factorgrid.readable import counted
from factorgrid.report import page
from factorgrid.report.claims import Finding, Verdict, evidence_table
from factorgrid.report.glossary import glossary
from factorgrid.report.page import Section
from factorgrid.report.paper import ClaimEntry, Drawing, FigureEntry, Paper
from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.report.study_figures import draw_grid, percents
from factorgrid.report.study_models import model_figures
from factorgrid.report.study_tables import TABLES, plan_table
from factorgrid.report.style import shrink
from factorgrid.report.sweeps import learning_curves, sweep_curves
from factorgrid.report.table_files import Table, write_table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, distinct
from factorgrid.study.outcomes import COLUMNS, Outcome
from factorgrid.study.statistics import RESAMPLES

FORMATS = ("png", "pdf")
QUICK_RESAMPLES = 300
KEPT = "Kept from an earlier report, which was made where the models are: {reason}."


@dataclass(frozen=True)
class Picture:
    """A figure as the page shows it, or why it is not there.

    Attributes:
        name: of its files.
        title: what it is, and which figure of the paper.
        shown: how to read it, and its numbers.
        path: the PNG; None if there is none.
        links: its files.
    """

    name: str
    title: str
    shown: Drawing | Absent
    path: Path | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A claim of a paper, and what the study says to it.

    Attributes:
        name, entry: the claim.
        found: the finding, or why there is none.
        evidence: its tests as a table.
        kept: why the finding is that of an earlier report; "" if it is not.
    """

    name: str
    entry: ClaimEntry
    found: Finding | Absent
    evidence: Table | None = None
    kept: str = ""


def study_report(outcome: Outcome, out: Path, *, paper: Paper | None = None, quick: bool = False) -> Path:
    """Write the report of a study into a folder.

    What is there already is replaced; a figure or verdict that needs models which are not here any more is kept.

    Args:
        outcome: what the study has found so far.
        out: the folder.
        paper: whose claims, tables and figures are shown beside what every report has, if the study has to do with it.
        quick: leave out what needs the models and the PDFs, and resample less.

    Returns:
        The path of `report.html`.

    Raises:
        Error: a table of other columns, a study without any group, or files that cannot be written.
    """
    _check(outcome)
    cells = Cells(outcome, QUICK_RESAMPLES if quick else RESAMPLES, with_models=not quick)
    formats = FORMATS[:1] if quick else FORMATS
    shown = paper if paper is not None and paper.applies(cells) else None
    claims = judge_claims(cells, {} if shown is None else shown.CLAIMS, out / "tables" / "claims.csv")
    figures = [_picture(cells, name, one, out, formats) for name, one in _figures(cells, shown).items()]
    ours, theirs = _tables(cells, shown)
    numbers = [figure.shown.numbers for figure in figures if isinstance(figure.shown, Drawing)]
    evidence = [claim.evidence for claim in claims]
    for table in (*ours, *theirs, *numbers, *evidence, claims_table(claims) if claims else None):
        if table is not None:
            write_table(table, out / "tables")
    write_summary(cells, out / "summary.csv")
    path = out / "report.html"
    with replacing(path) as temporary:
        temporary.write_text(_document(cells, shown, claims, ours, theirs, figures, out), encoding="utf-8")
    return path


def judge_claims(cells: Cells, entries: Mapping[str, ClaimEntry], earlier: Path) -> list[Judged]:
    """What the study says to each claim, with its evidence as a table.

    Args:
        cells: the study.
        entries: the claims.
        earlier: `claims.csv` of an earlier report, for what can be judged only where the models are; need not exist.
    """
    judged = []
    for name, entry in entries.items():
        found = entry.judge(cells)
        if isinstance(found, Finding):
            table = replace(found.evidence or evidence_table(found), name=f"claim-{name}", title=entry.title)
            judged.append(Judged(name, entry, found, table))
        else:
            before = _earlier(earlier, name) if found.elsewhere else None
            judged.append(Judged(name, entry, before or found, kept="" if before is None else found.reason))
    return judged


def claims_table(claims: Sequence[Judged]) -> Table:
    """All verdicts."""
    rows: list[dict[str, Cell]] = []
    for one in claims:
        found, row = one.found, {"name": one.name, "claim": one.entry.title, "paper": one.entry.where}
        if isinstance(found, Finding):
            more = {"verdict": found.verdict.value, "detail": found.detail, "numbers": found.summary}
            rows.append({**row, **more, "test": found.test})
        else:
            rows.append({**row, "verdict": Verdict.NOT_TESTED.value, "numbers": found.reason})
    columns = ["name", "claim", "paper", "verdict", "detail", "numbers", "test"]
    return Table(rows, columns, name="claims", title="Claims of the paper")


def _earlier(path: Path, name: str) -> Finding | None:
    """What an earlier report's table said to a claim; None if it was not tested there either."""
    if not path.exists():
        return None
    rows = pd.read_csv(path, keep_default_na=False, dtype=str).to_dict("records")
    for row in rows:
        if row.get("name") == name and row["verdict"] != Verdict.NOT_TESTED.value:
            return Finding(Verdict(row["verdict"]), row["detail"], row["numbers"], row["test"], "", ())
    return None


def write_summary(cells: Cells, path: Path) -> None:
    """Every cell's numbers in full precision, as scored (shares from 0 to 1)."""
    rows = []
    for row in cells.rows:
        for data in cells.outcome.data:
            for metric in sorted({metric for of, *_, metric in cells.scores if of == data}):
                sample = cells.sample(data, row, metric)
                if len(sample.values):
                    found = cells.summary(sample)
                    low, high = found.interval
                    numbers = (found.num, sample.lost, found.median, found.low, found.high, low, high)
                    rows.append((data, row.method, row.kind.labels, metric, *numbers))
    names = ["data", "method", "labels", "metric", "num", "not_finite", "median", "quantile_25", "quantile_75",
             "interval_low", "interval_high"]  # fmt: skip
    with replacing(path) as temporary:
        pd.DataFrame(rows, columns=names).to_csv(temporary, index=False)


def distributions(cells: Cells) -> Drawing | Absent:
    """Every method by every metric on every data set."""
    metrics = [key for key in cells.metrics if in_percent(key)]
    if not metrics:
        return Absent("nothing was scored yet")
    samples = {(key, data): percents(cells, data, cells.rows, key) for key in metrics for data in cells.outcome.data}
    titles = [row.title for row in cells.rows]
    told = "mig" if "mig" in metrics else metrics[0]
    alt = "; ".join(_in_words(cells, data, told) for data in cells.outcome.data[:3])
    caption = (
        "All hyperparameters and seeds of a method, in %; each panel has its own scale. Violins for ten models or "
        "more, points for fewer; line: median; bar: 25 % and 75 % quantiles."
    )
    return Drawing(caption, partial(draw_grid, samples, metrics, cells.outcome.data, titles), alt=alt)


def _in_words(cells: Cells, data: str, key: str) -> str:
    """The medians of one metric on one data set, for those who do not see the picture."""
    found = {title: values for title, values in percents(cells, data, cells.rows, key).items() if len(values)}
    numbers = ", ".join(f"{title} {np.median(values):.1f} % ({len(values)} models)" for title, values in found.items())
    return f"Median {metric_title(key)} on {data}: {numbers or 'no scores'}"


def _figures(cells: Cells, paper: Paper | None) -> dict[str, FigureEntry]:
    own = {
        "sweeps": FigureEntry("Scores along hyperparameters", "", sweep_curves),
        "learning-curves": FigureEntry("Scores along training", "", learning_curves),
        "distributions": FigureEntry("All scores", "", distributions),
        **model_figures(cells),
    }
    return own if paper is None else {**paper.FIGURES, **own}


def _picture(cells: Cells, name: str, entry: FigureEntry, out: Path, formats: Sequence[str]) -> Picture:
    """Draw a figure in every format; an error of the user's becomes the reason why there is none."""
    title = entry.title + (f" ({entry.where})" if entry.where else "")
    shown = entry.make(cells)
    paths = [out / "figures" / f"{name}.{suffix}" for suffix in formats]
    if isinstance(shown, Drawing):
        try:
            for path in paths:
                shown.draw(path)
        except Error as error:
            return Picture(name, title, Absent(str(error)))
        if not shown.photographs:
            shrink(paths[0])
    elif shown.elsewhere and paths[0].exists():
        shown = Drawing(KEPT.format(reason=shown.reason), lambda path: path)
        paths = [path for path in paths if path.exists()]
    else:
        return Picture(name, title, shown)
    return Picture(name, title, shown, paths[0], tuple(f"figures/{path.name}" for path in paths))


def _tables(cells: Cells, paper: Paper | None) -> tuple[list[Table], list[Table]]:
    """Those of every report, what ran at last; and the paper's."""
    own = {name: (title, make(cells)) for name, (title, make) in TABLES.items()}
    own["models"] = "What ran", plan_table(cells)
    theirs = {} if paper is None else {
        name: (f"{entry.title} ({entry.where})", entry.make(cells)) for name, entry in paper.TABLES.items()
    }  # fmt: skip
    named = [
        [replace(made, name=name, title=title) for name, (title, made) in some.items() if isinstance(made, Table)]
        for some in (own, theirs)
    ]
    return named[0], named[1]


def _check(outcome: Outcome) -> None:
    missing = [name for name in COLUMNS if name not in outcome.table.columns]
    if missing:
        raise Error(f"the results of study '{outcome.name}' lack the columns {', '.join(missing)}")
    if not outcome.groups:
        raise Error(f"study '{outcome.name}' has no groups; there is nothing to report")


def _document(
    cells: Cells, paper: Paper | None, claims: Sequence[Judged], ours: Sequence[Table], theirs: Sequence[Table],
    figures: Sequence[Picture], out: Path,
) -> str:  # fmt: skip
    *results, ran = ours
    drawn = [figure for figure in figures if figure.path is not None]
    sections = [
        _section("results", "All scores", results, out),
        Section(
            "figures",
            "Figures",
            "".join(_figure(one, out) for one in drawn),
            tuple((one.name, one.title) for one in drawn),
        ),
        _section("study", "This study", [ran], out, after=_FILES),
        Section("glossary", "What the scores mean", page.definitions(glossary(cells))),
    ]
    if paper is not None:
        absent = [(one.entry.title, one.found.reason) for one in claims if isinstance(one.found, Absent)]
        absent += [(one.title, one.shown.reason) for one in figures if isinstance(one.shown, Absent)]
        tested = "".join(_claim(one, one.found, out) for one in claims if isinstance(one.found, Finding))
        body = f'{_INTRODUCTION}<ul class="claims">{tested}</ul>' if tested else ""
        sections.insert(0, Section("claims", f"Claims of {paper.TITLE}, and what this study says", body))
        sections.insert(1, _section("tables", f"Tables of {paper.TITLE}", theirs, out))
        if absent:
            sections.insert(-1, Section("absent", "Not in this study", _reasons(absent)))
    return page.page(cells.outcome.title, _head(cells), [section for section in sections if section.body])


_INTRODUCTION = page.paragraph(
    "Each verdict is computed from this study's scores by one rule: an effect counts when its p, corrected over the "
    "tests of the claim, is below 0.05. It speaks of this study's data, models and steps, not of the paper's."
)
_FILES = page.paragraph(
    "This page is complete by itself: pictures and the tables' files (CSV, numbers as numbers; LaTeX) are in it. "
    "Beside it: tables/, figures/ with every figure as PNG and PDF, summary.csv with all numbers in full precision.",
    kind="caption",
)


def _section(name: str, title: str, tables: Sequence[Table], out: Path, *, after: str = "") -> Section:
    body = "".join(page.table(table, links=_links(table, out)) for table in tables)
    return Section(name, title, body + after, tuple((table.name, table.title) for table in tables))


def _head(cells: Cells) -> str:
    outcome = cells.outcome
    done = [group for group in outcome.groups if group.state == "done"]
    steps = sorted(set(outcome.table["steps"]))
    models = f"{sum(group.members for group in done):,} of {sum(group.members for group in outcome.groups):,} done"
    twins = [data for data in outcome.data if data.endswith("_twin")]
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
            "published images, with names that end in _twin. Scores on them are not scores on the published data.",
            kind="warning",
        )
    return lead + page.facts(values) + told + _troubles(cells)


def _troubles(cells: Cells) -> str:
    """Groups that failed, first of all; and how many are still open."""
    groups = cells.outcome.groups
    failed = [group for group in groups if group.state == "failed"]
    still = [group for group in groups if group.state in ("running", "waiting")]
    lost = int((~np.isfinite(cells.outcome.table["value"])).sum())
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


def _claim(claim: Judged, found: Finding, out: Path) -> str:
    evidence = _numbers(claim.evidence, out) if claim.evidence is not None else ""
    summary = f"{found.summary} {KEPT.format(reason=claim.kept)}" if claim.kept else found.summary
    return (
        f'<li class="{page.verdict_class(found.verdict)}" id="verdict-{page.attribute(claim.name)}">'
        f"{page.badge(found.verdict, found.words)}"
        f'<p class="what">{page.text(claim.entry.title)} <span class="where">{page.text(claim.entry.where)}</span></p>'
        f'<p>{page.text(summary)}</p><p class="test">Test: {page.text(found.test)}.</p>{evidence}</li>'
    )


def _figure(picture: Picture, out: Path) -> str:
    assert picture.path is not None
    assert isinstance(picture.shown, Drawing)
    numbers = picture.shown.numbers
    after = "" if numbers is None else _numbers(numbers, out)
    return page.figure(
        picture.name, picture.title, picture.shown.caption, picture.path, links=picture.links, after=after,
        alt=picture.shown.alt, photographs=picture.shown.photographs,
    )  # fmt: skip


def _numbers(table: Table, out: Path) -> str:
    """A table below what already says its title, folded."""
    shown = page.table(replace(table, title=""), links=_links(table, out))
    return f'<details class="numbers"><summary>Numbers ({counted(len(table.rows), "row")})</summary>{shown}</details>'


def _reasons(absent: Sequence[tuple[str, str]]) -> str:
    items = "".join(f"<dt>{page.text(title)}</dt><dd>{page.text(reason)}</dd>" for title, reason in absent)
    return f'<dl class="reasons">{items}</dl>'


def _links(table: Table, out: Path) -> list[str]:
    return [page.inside(out / "tables" / f"{table.name}.{suffix}") for suffix in ("csv", "tex")]
