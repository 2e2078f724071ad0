"""Tables that are good for any study: scores, comparisons with the first method, settings, and what was trained."""

from collections.abc import Callable, Mapping

import numpy as np

from factorgrid.report.agreement import agreement_table
from factorgrid.report.comparisons import compare_rows, pair_table
from factorgrid.report.discrete_family import family_table, questions_table
from factorgrid.report.label_free import label_free_table, left_out_table
from factorgrid.report.study_cells import Cells, Row, metric_title, setting_title
from factorgrid.report.sweeps import several
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, Number, distinct
from factorgrid.study.outcomes import Group
from factorgrid.study.select import higher_is_better
from factorgrid.study.statistics import summarise

NAMING = "Columns of shares are in %; an arrow down: lower is better. "


def scores_table(cells: Cells) -> Table | Absent:
    """Every method on every data set, by every metric."""
    if not cells.metrics:
        return Absent("nothing was scored yet")
    heads = {key: _head(key) for key in cells.metrics}
    rows: list[dict[str, Cell]] = []
    notes, best = [], set()
    for data in cells.outcome.data:
        first = len(rows)
        planned = [row for row in cells.rows if cells.groups(data, row)]
        for row in planned:
            num = several(cells, row)
            pooled = f", all {num} settings" if num > 1 else ""
            record: dict[str, Cell] = {"data set": data, "method": row.title + pooled}
            for key, head in heads.items():
                sample = cells.sample(data, row, key)
                scale, digits = (100.0, 1) if in_percent(key) else (1.0, 3)
                record[head] = cells.median(sample, scale=scale, digits=digits)
                notes += cells.notes(data, row, sample)
            rows.append(record)
        for key, head in heads.items():
            best |= {
                (first + place, head) for place in _best(key, [rows[first + i][head] for i in range(len(planned))])
            }
    caption = (
        "Medians over all hyperparameters and seeds of a method (each setting by itself: scores by hyperparameters), "
        f"in parentheses the 95 % bootstrap interval of the median; n: models. {NAMING}Bold: the best median of a data "
        "set, which need not be significantly better."
    )
    kept = tuple(note for note in distinct(notes) if "was not scored" not in note)
    return Table(rows, ["data set", "method", *heads.values()], caption, kept, frozenset(best))


def comparisons_table(cells: Cells) -> Table | Absent:
    """Every method against the first with as many labels."""
    first: dict[int, Row] = {}
    pairs = []
    for row in cells.rows:
        if row.kind.labels in first:
            pairs.append((first[row.kind.labels], row))
        else:
            first[row.kind.labels] = row
    metrics = [key for key in cells.metrics if in_percent(key)]
    found = [one for one in compare_rows(cells, pairs, metrics=metrics) if not isinstance(one.result, Absent)]
    if not found:
        return Absent("no two methods with as many labels have the same scores")
    names = ", ".join(row.title for row in first.values())
    return pair_table(cells, found, f"Every method against the study's first one ({names}). ")


def settings_table(cells: Cells) -> Table | Absent:
    """Scores by the values of hyperparameters, of methods that have several."""
    heads = {key: _head(key) for key in cells.metrics}
    rows: list[dict[str, Cell]] = []
    for row in cells.rows:
        table = cells.models([row])
        if table["hyperparameters"].nunique() < 2:
            continue
        grouped = table.groupby(["data", "hyperparameters", "metric"], sort=False)["value"]
        values = {key: found.to_numpy(np.float64) for key, found in grouped}
        for data, setting in dict.fromkeys((data, setting) for data, setting, _ in values):
            record: dict[str, Cell] = {"method": row.title, "setting": setting_title(setting), "data set": data}
            for key, head in heads.items():
                found = values.get((data, setting, key), np.empty(0))
                finite = found[np.isfinite(found)]
                record[head] = _median(finite, key, cells.resamples) if len(finite) else Absent(short="not scored")
            rows.append(record)
    if not rows:
        return Absent("no method has several values of a hyperparameter")
    caption = f"Medians over seeds with 95 % bootstrap intervals; n: models. {NAMING}"
    return Table(rows, ["method", "setting", "data set", *heads.values()], caption)


def plan_table(cells: Cells) -> Table | Absent:
    """How many models of every method and data set are done, and what became of the others."""
    outcome = cells.outcome
    rows: list[dict[str, Cell]] = []
    notes = []
    for row in cells.rows:
        record: dict[str, Cell] = {"method": row.title}
        for data in outcome.data:
            groups = cells.groups(data, row)
            done = sum(group.members for group in groups if group.state == "done")
            planned = sum(group.members for group in groups)
            states = ", ".join(distinct(group.state for group in groups if group.state != "done"))
            notes += [_state_text(row, group) for group in groups if group.state != "done"]
            after = f"of {planned} {states}".strip()
            record[data] = Number(done, 0, after=after) if groups else Absent(short="not planned")
        rows.append(record)
    caption = "Models that are done, of those planned: hyperparameter values times seeds."
    return Table(rows, ["method", *outcome.data], caption, tuple(notes))


# of every report: name -> title and function
TABLES: Mapping[str, tuple[str, Callable[[Cells], Table | Absent]]] = {
    "settings": ("Scores by hyperparameters", settings_table),
    "scores": ("Medians", scores_table),
    "discrete-family": ("The discrete family", family_table),
    "questions": ("One question a row", questions_table),
    "comparisons": ("Compared with the first method", comparisons_table),
    "agreement": ("How far metrics agree", agreement_table),
    "label-free": ("Scores that need no labels", label_free_table),
    "left-out": ("Scores that need no labels, on a data set left out", left_out_table),
}


def _median(values: np.ndarray, key: str, resamples: int) -> Number:
    scale, digits = (100.0, 1) if in_percent(key) else (1.0, 3)
    found = summarise(values, resamples=resamples)
    interval = None if found.num < 2 else (scale * found.interval[0], scale * found.interval[1])
    return Number(scale * found.median, digits, interval=interval, num=found.num)


def _best(key: str, column: list[Cell]) -> set[int]:
    """Where a column has its best number, if several compete."""
    numbers = {place: cell.value for place, cell in enumerate(column) if isinstance(cell, Number)}
    if len(numbers) < 2:
        return set()
    best = max(numbers.values()) if higher_is_better(key) else min(numbers.values())
    return {place for place, value in numbers.items() if value == best}


def _head(key: str) -> str:
    return metric_title(key) + ("" if higher_is_better(key) else " ↓")


def _state_text(row: Row, group: Group) -> str:
    said = f": {group.reason}" if group.reason else ""
    return f"{row.title} on {group.data}, group {group.name}: {group.state}{said}"
