"""Tables 1, 5, 6 and 7 of the paper, with its numbers beside ours."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from factorgrid.papers.friede2023.methods import (
    D_VAE,
    DISCRETE,
    TITLES,
    all_played,
    label,
    lightgbm_note,
    played,
    pool_title,
    six,
    supervised,
)
from factorgrid.papers.friede2023.published import (
    LABELS,
    SELECTION,
    STARRED,
    Published,
    column_of,
    published_metric,
    published_mig,
    published_supervised,
)
from factorgrid.readable import counted
from factorgrid.report.study_cells import Cells, Row, metric_title, setting_title
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Cell, Number, distinct
from factorgrid.study.outcomes import Kind
from factorgrid.study.select import GAP, select, select_setting

PAPER = " (paper)"
OF_TABLE_1 = (*STARRED, "factor_vae", "dvae", "factor_dvae")


def table_1(cells: Cells) -> Table | Absent:
    """Medians of the unsupervised methods, and the selection rows."""
    rows = _unsupervised(cells)
    if not rows:
        return Absent("no unsupervised method in this study's plan")
    medians = _with_paper(cells, rows, _published_median, quantiles=False)
    chosen, notes = selection_rows(cells)
    caption = (
        "Median over all hyperparameters and seeds of a method; in parentheses the 95 % bootstrap interval of the "
        "median; n: models. Bold: our highest median, which need not be significantly higher." + _beside(cells)
        + f" Selection: among {pool_title(all_played(cells, DISCRETE)) or 'D-VAE and FactorDVAE'} together (a D-VAE is "
        "a FactorDVAE with γ = 0), the one model with the smallest straight-through gap; the last row chooses instead "
        "the setting with the smallest median gap and gives its median. The paper does not say which of the two its "
        "row is."
    )  # fmt: skip
    return Table([*medians.rows, *chosen], medians.columns, caption, distinct([*medians.notes, *notes]), medians.best,
                 medians.published)  # fmt: skip


def table_5(cells: Cells) -> Table | Absent:
    """The same with quantiles."""
    rows = _unsupervised(cells)
    if not rows:
        return Absent("no unsupervised method in this study's plan")
    caption = "Median, in brackets the 25 % and 75 % quantiles over all hyperparameters and seeds; n: models."
    found = _with_paper(cells, rows, partial(_published_quantiles, star=True), quantiles=True)
    return Table(found.rows, found.columns, caption + _beside(cells), found.notes, published=found.published)


def selection_rows(cells: Cells) -> tuple[list[dict[str, Cell]], list[str]]:
    """The last rows of Table 1, columns as there; and which models and settings were chosen."""
    pool = all_played(cells, DISCRETE)
    by_model = select(cells.models(pool), metrics=("mig",)).set_index("data")
    by_setting = select_setting(cells.models(pool)).set_index("data")
    first: dict[str, Cell] = {"model": "Selection (smallest gap)"}
    second: dict[str, Cell] = {"model": "Selection of a setting (smallest median gap)"}
    notes = []
    for data in cells.outcome.data:
        if data in by_model.index:
            one, group = by_model.loc[data], by_setting.loc[data]
            first[data] = Number(100 * one["value"], after=f"of {counted(int(one['num']), 'model')}")
            settings = counted(int(group["num_settings"]), "setting")
            second[data] = Number(100 * group["value"], num=int(group["num"]), after=f"of {settings}")
            notes.append(f"Selection on {data}: {_chosen(one)}; setting: {_chosen(group)}")
        else:
            samples = [cells.sample(data, row, GAP) for row in pool]
            first[data] = second[data] = samples[0].absent if samples else Absent(short="not planned")
            notes += [note for row, sample in zip(pool, samples) for note in cells.notes(data, row, sample)]
        column = column_of(data)
        if column is not None:
            first[column + PAPER] = _number(published_mig(SELECTION, data))
            second[column + PAPER] = Absent()
    return [first, second], notes


def table_6(cells: Cells) -> Table | Absent:
    """The D-VAE by every metric."""
    row = played(cells, D_VAE)
    if row is None:
        return Absent("no D-VAE in this study's plan")
    columns, published = _columns(cells)
    rows, notes = [], []
    for key in six(cells):
        record: dict[str, Cell] = {"metric": metric_title(key)}
        for data in cells.outcome.data:
            sample = cells.sample(data, row, key)
            record[data] = cells.median(sample, quantiles=True)
            notes += cells.notes(data, row, sample)
            paper = column_of(data)
            if paper:
                found = published_metric(key, data)
                record[paper + PAPER] = _number(found, quantiles=True)
        rows.append(record)
    caption = (
        "Median, in brackets the 25 % and 75 % quantiles over the seeds of the unregularised D-VAE; n: models."
        + lightgbm_note(cells)
    )
    return Table(rows, ["metric", *columns], caption, distinct(notes), published=published)


def table_7(cells: Cells) -> Table | Absent:
    """MIG of the semi-supervised methods."""
    rows = supervised(cells)
    if not rows:
        return Absent("no semi-supervised methods in this study's plan")
    caption = "Median, in brackets the 25 % and 75 % quantiles over all hyperparameters and seeds; n: models."
    if any(column_of(data) for data in cells.outcome.data):
        caption += (
            " The paper prints discrete methods only, for one number of labels; it stands beside "
            f"{LABELS:,} labels, as the number is not legible in the text that this library was made from (that is our "
            "reading)."
        )
    found = _with_paper(cells, [(row, label(row)) for row in rows], _published_supervised, quantiles=True)
    return Table(found.rows, found.columns, caption, found.notes, found.best, found.published)


def _unsupervised(cells: Cells) -> list[tuple[Row, str]]:
    """The study's methods, and before them those of the paper that it does not have, where the paper has numbers."""
    own = [row for row in cells.rows if not row.kind.labels]
    if not own:
        return []
    have = {row.kind.model for row in own}
    published = any(column_of(data) for data in cells.outcome.data)
    others = [Row(TITLES[model], Kind(model)) for model in OF_TABLE_1 if published and model not in have]
    return [(row, label(row)) for row in (*others, *own)]


def _beside(cells: Cells) -> str:
    if not any(column_of(data) for data in cells.outcome.data):
        return ""
    return " The paper's numbers stand beside ours; * of its rows are from Locatello et al. (2019)."


def _with_paper(
    cells: Cells, rows: Sequence[tuple[Row, str]], published: Callable[[Row, str], Cell], *, quantiles: bool
) -> Table:
    """MIG of some rows on every data set, the paper's number to the right of ours."""
    columns, theirs = _columns(cells)
    records, notes, values = [], [], []
    for row, name in rows:
        record: dict[str, Cell] = {"model": name}
        own = []
        for data in cells.outcome.data:
            sample = cells.sample(data, row, "mig")
            record[data] = cells.median(sample, quantiles=quantiles)
            own.append(np.median(sample.values) if len(sample.values) else -np.inf)
            notes += cells.notes(data, row, sample)
            paper = column_of(data)
            if paper:
                record[paper + PAPER] = published(row, data)
        records.append(record)
        values.append(own)
    highest = np.asarray(values).argmax(axis=0)
    best = {(int(r), data) for r, data, own in zip(highest, cells.outcome.data, np.transpose(values))
            if np.isfinite(own).sum() > 1}  # fmt: skip
    return Table(records, ["model", *columns], "", distinct(notes), frozenset(best), theirs)


def _columns(cells: Cells) -> tuple[list[str], frozenset[str]]:
    """Every data set, followed by the paper's column (a set and its twin share one); and which are the paper's."""
    names: list[str] = []
    for data in cells.outcome.data:
        paper = column_of(data)
        if paper and paper + PAPER in names:
            names.remove(paper + PAPER)
        names += [data, *([paper + PAPER] if paper else [])]
    return names, frozenset(names) - frozenset(cells.outcome.data)


def _published_median(row: Row, data: str) -> Cell:
    return _number(published_mig(row.kind.model, data), mark="*" if row.kind.model in STARRED else "")


def _published_quantiles(row: Row, data: str, *, star: bool) -> Cell:
    found = published_mig(row.kind.model, data)
    return _number(found, quantiles=True, mark="*" if star and row.kind.model in STARRED else "")


def _published_supervised(row: Row, data: str) -> Cell:
    kind = row.kind
    found = published_supervised(kind.model, kind.masked, data) if kind.labels == LABELS else None
    return _number(found, quantiles=True)


def _number(found: Published | None, *, quantiles: bool = False, mark: str = "") -> Cell:
    if found is None or (quantiles and found.quantiles is None):
        return Absent()
    return Number(found.median, quantiles=found.quantiles if quantiles else None, mark=mark)


def _chosen(chosen: pd.Series) -> str:
    """Method, hyperparameters and member of a choice."""
    parts = [str(chosen["method"]), setting_title(str(chosen["hyperparameters"])), str(chosen.get("member", ""))]
    return ", ".join(part for part in parts if part)
