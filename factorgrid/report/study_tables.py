"""The tables of a study's report: Tables 1, 5, 6 and 7 of the paper with its numbers beside ours, and what ran."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from factorgrid.report.published import (
    SELECTION,
    STARRED,
    Published,
    column_of,
    published_metric,
    published_mig,
    published_supervised,
)
from factorgrid.report.study_cells import (
    DCI,
    DCI_LIGHTGBM,
    NONE,
    Cell,
    Cells,
    Row,
    counted,
    distinct,
    empty,
    metric_title,
    percent,
    setting_text,
    with_interval,
    with_quantiles,
    written,
)
from factorgrid.report.table_files import Table
from factorgrid.study.outcome import Group
from factorgrid.study.select import DISCRETE, GAP, select, select_setting
from factorgrid.study.statistics import Summary

SETTING = "Selection of a setting"
_PAPER = " (paper)"
Write = Callable[[Summary], str]

PAPER_LABELS = 1000  # of Table 7, as we read it


def plan_table(cells: Cells) -> Table:
    """How many models of every method and data set are done, and what became of the others."""
    outcome = cells.outcome
    records, notes = [], []
    for row in cells.rows:
        record = {"method": row.title}
        for data in outcome.data:
            groups = cells.groups(data, row)
            done = sum(group.members for group in groups if group.state == "done")
            planned = sum(group.members for group in groups)
            states = distinct(group.state for group in groups if group.state != "done")
            notes += [_state_text(row, group) for group in groups if group.state != "done"]
            record[data] = f"{done} of {planned} {', '.join(states)}".strip() if groups else f"{NONE} not planned"
        records.append(record)
    return Table(
        "models",
        "What ran",
        "Models that are done, of those planned: hyperparameter values times seeds.",
        pd.DataFrame(records, columns=["method", *outcome.data]),
        tuple(notes),
    )


def mig_tables(cells: Cells, *, resamples: int) -> list[Table]:
    """Table 1 (medians, with the selection rows) and Table 5 (quantiles)."""
    published = any(column_of(data) for data in cells.outcome.data)
    own = [row.method for row in cells.unsupervised]
    others = [row for row in (*STARRED, "FactorVAE", "D-VAE", "FactorDVAE") if row not in own] if published else []
    rows = [Row(method) for method in [*others, *own]]
    if not rows:
        return []
    beside = " The paper's numbers stand beside ours; * of its rows are from Locatello et al. (2019)."
    medians = _with_paper(cells, rows, with_interval, _published_median, resamples=resamples)
    chosen = selection_rows(cells)
    table_1 = Table(
        "table-1",
        "MIG in %, medians (Table 1)",
        "Median over all hyperparameters and seeds of a method; in parentheses the 95 % bootstrap interval of the "
        "median; n: models. Bold: our highest median, which need not be significantly higher." +
        (beside if published else "") + " Selection: among D-VAE and FactorDVAE together (a D-VAE is a FactorDVAE with "
        "γ = 0), the one model with the smallest straight-through gap; the last row chooses instead the setting with "
        "the smallest median gap and gives its median. The paper does not say which of the two its row is.",
        pd.concat([medians.frame, chosen.frame], ignore_index=True)[list(medians.frame.columns)].fillna(""),
        distinct([*medians.notes, *chosen.notes]),
        medians.best,
    )  # fmt: skip
    quantiles = _with_paper(cells, rows, with_quantiles, _published_quantiles, resamples=resamples)
    table_5 = Table(
        "table-5",
        "MIG in %, quantiles (Table 5)",
        "Median, in brackets the 25 % and 75 % quantiles over all hyperparameters and seeds; n: models."
        + (beside if published else ""),
        quantiles.frame,
        quantiles.notes,
    )
    return [table_1, table_5]


def selection_rows(cells: Cells) -> Table:
    """The last rows of Table 1, columns as there."""
    table = cells.outcome.table
    by_model = select(table, metrics=("mig",), pool=DISCRETE).set_index("data")
    by_setting = select_setting(table, pool=DISCRETE).set_index("data")
    first: dict[str, str] = {"model": f"{SELECTION} (smallest gap)"}
    second: dict[str, str] = {"model": f"{SETTING} (smallest median gap)"}
    notes = []
    for data in cells.outcome.data:
        if data in by_model.index:
            one, group = by_model.loc[data], by_setting.loc[data]
            first[data] = f"{percent(one['value'])} of {one['num']} models"
            second[data] = (
                f"{percent(group['value'])} n {group['num']} of {counted(int(group['num_settings']), 'setting')}"
            )
            notes.append(f"Selection on {data}: {_chosen_text(one)}; setting: {_chosen_text(group)}")
        else:
            reasons = [cells.cell(data, Row(method), GAP) for method in DISCRETE]
            first[data] = second[data] = empty(reasons[0])
            notes += [cell.reason for cell in reasons if cell.short != "not planned"]
        column = column_of(data)
        if column is not None:
            found = published_mig(SELECTION, data)
            first[column + _PAPER] = NONE if found is None else f"{found.median:.1f}"
            second[column + _PAPER] = NONE
    return Table("selection-rows", "", "", pd.DataFrame([first, second]), tuple(notes))


def dvae_table(cells: Cells, *, resamples: int) -> Table | None:
    """Table 6: the D-VAE by every metric; None if the study has none."""
    row = Row("D-VAE")
    if row not in cells.rows:
        return None
    columns = _columns(cells)
    records, notes = [], []
    for key in cells.six:
        record = {"metric": metric_title(key)}
        for data in cells.outcome.data:
            cell = cells.cell(data, row, key)
            record[data] = written(cell, with_quantiles, resamples=resamples)
            notes += _notes(cells, data, row, cell)
            paper = column_of(data)
            if paper:
                record[paper + _PAPER] = _published_text(published_metric(DCI if key == DCI_LIGHTGBM else key, data))
        records.append(record)
    return Table(
        "table-6",
        "D-VAE in %, all metrics (Table 6)",
        "Median, in brackets the 25 % and 75 % quantiles over the seeds of the unregularised D-VAE; n: models."
        + lightgbm_note(cells),
        pd.DataFrame(records, columns=["metric", *columns]),
        distinct(notes),
    )


def supervised_table(cells: Cells, *, resamples: int) -> Table | None:
    """Table 7: MIG of the semi-supervised methods; None if the study has none."""
    if not cells.supervised:
        return None
    beside = (
        " The paper prints discrete methods only, for one number of labels; it stands beside "
        f"{PAPER_LABELS:,} labels, as the number is not "
        "legible in the text that this library was made from (that is our reading)."
    ) if any(column_of(data) for data in cells.outcome.data) else ""  # fmt: skip

    def published(row: Row, data: str) -> str:
        return _published_text(published_supervised(row.method, data) if row.labels == PAPER_LABELS else None)

    found = _with_paper(cells, cells.supervised, with_quantiles, published, resamples=resamples)
    return Table(
        "table-7",
        "Semi-supervised MIG in %, quantiles (Table 7)",
        "Median, in brackets the 25 % and 75 % quantiles over all hyperparameters and seeds; n: models." + beside,
        found.frame,
        found.notes,
        found.best,
    )


def lightgbm_note(cells: Cells) -> str:
    """What to say where DCI was measured with faster trees."""
    if DCI_LIGHTGBM not in cells.six:
        return ""
    return " DCI was measured here with LightGBM's trees, the paper's with scikit-learn's: its values differ somewhat."


def _with_paper(
    cells: Cells,
    rows: Sequence[Row],
    write: Write,
    published: Callable[[Row, str], str],
    *,
    resamples: int,
) -> Table:
    """MIG of some rows on every data set, the paper's number to the right of ours."""
    records, notes, values = [], [], []
    for row in rows:
        record, own = {"model": row.title}, []
        for data in cells.outcome.data:
            cell = cells.cell(data, row, "mig")
            record[data] = written(cell, write, resamples=resamples)
            own.append(np.median(cell.values) if len(cell.values) else -np.inf)
            notes += _notes(cells, data, row, cell)
            paper = column_of(data)
            if paper:
                record[paper + _PAPER] = published(row, data)
        records.append(record)
        values.append(own)
    highest = np.asarray(values).argmax(axis=0)
    best = {(int(r), data) for r, data, own in zip(highest, cells.outcome.data, np.transpose(values))
            if np.isfinite(own).sum() > 1}  # fmt: skip
    frame = pd.DataFrame(records, columns=["model", *_columns(cells)])
    return Table("", "", "", frame, distinct(notes), frozenset(best))


def _columns(cells: Cells) -> list[str]:
    """Every data set, followed by the paper's column; a set and its twin share one."""
    names: list[str] = []
    for data in cells.outcome.data:
        paper = column_of(data)
        if paper and paper + _PAPER in names:
            names.remove(paper + _PAPER)
        names += [data, *([paper + _PAPER] if paper else [])]
    return names


def _notes(cells: Cells, data: str, row: Row, cell: Cell) -> list[str]:
    """Why a cell is empty, unless it was never planned; and what is missing in one that is not empty."""
    if cell.short:
        return [] if cell.short == "not planned" else [cell.reason]
    notes = [f"{row.title} on {data}: {cell.lost} more without a finite value"] if cell.lost else []
    open_groups = [group for group in cells.groups(data, row) if group.state != "done"]
    if open_groups:
        states = ", ".join(distinct(group.state for group in open_groups))
        num = sum(group.members for group in open_groups)
        notes.append(f"{row.title} on {data}: {num} more models planned ({states})")
    return notes


def _state_text(row: Row, group: Group) -> str:
    said = f": {group.reason}" if group.reason else ""
    return f"{row.title} on {group.data}, group {group.name}: {group.state}{said}"


def _published_median(row: Row, data: str) -> str:
    found = published_mig(row.method, data)
    return NONE if found is None else f"{found.median:.1f}" + ("*" if row.method in STARRED else "")


def _published_quantiles(row: Row, data: str) -> str:
    return _published_text(published_mig(row.method, data), star=row.method in STARRED)


def _published_text(found: Published | None, *, star: bool = False) -> str:
    if found is None or found.quantiles is None:
        return NONE
    low, high = found.quantiles
    return f"{found.median:.1f} [{low:.1f}, {high:.1f}]" + ("*" if star else "")


def _chosen_text(chosen: pd.Series) -> str:
    """Method, hyperparameters and member of a choice."""
    parts = [str(chosen["method"]), setting_text(str(chosen["hyperparameters"])), str(chosen.get("member", ""))]
    return ", ".join(part for part in parts if part)
