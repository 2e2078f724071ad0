"""Results: one score per row, with what it was measured on and how; tidy tables in and out of Parquet.

A row is a value of one metric for one member of one run, measured with some settings. Its provenance is a small
dictionary of plain values (seed, sample counts, options, versions) that is stored beside the value as JSON. The part
of it that decides the number, its settings, is part of the row's identity: scores of other settings stand beside each
other, and whoever wants one number per member chooses by `preferred`, which says what it took.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import locked, read_parquet, write_parquet

COLUMNS = {"run": "str", "member": "str", "metric": "str", "value": "float64", "provenance": "str"}
# what provenance says that does not decide the number
DESCRIPTIVE = frozenset({"higher_is_better", "versions", "hardware", "when", "seconds", "jobs"})

# for a metric: what its published numbers were measured with (counts and options; a seed in it is not compared)
Published = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes:
        run: identity of the run: a hash of its whole configuration.
        member: name of the member within the run.
        metric: result key, such as "dci.disentanglement".
        value: the score.
        provenance: how it was measured: values that JSON can hold.
    """

    run: str
    member: str
    metric: str
    value: float
    provenance: Mapping[str, Any] = field(default_factory=dict)


def rows(
    run: str,
    member: str,
    scores: Mapping[str, float],
    provenance: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Result]:
    """A row for every score of one member; `provenance` maps result keys to what is known of them."""
    known = provenance or {}
    return [Result(run, member, key, float(value), known.get(key, {})) for key, value in scores.items()]


def to_frame(results: Iterable[Result]) -> pd.DataFrame:
    """A tidy table: a row per result, columns run, member, metric, value, provenance (JSON, sorted keys).

    Raises:
        Error: a provenance that JSON cannot hold.
    """
    records = [(result.run, result.member, result.metric, result.value, _as_json(result)) for result in results]
    return pd.DataFrame(records, columns=list(COLUMNS)).astype(COLUMNS)


def from_frame(table: pd.DataFrame) -> list[Result]:
    """The results in a tidy table.

    Raises:
        Error: a column is missing, or a provenance is not JSON.
    """
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise Error(f"a table of results needs the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}")
    return [
        Result(str(run), str(member), str(metric), float(value), _from_json(provenance, metric))
        for run, member, metric, value, provenance in table[list(COLUMNS)].itertuples(index=False, name=None)
    ]


def settings(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a provenance that decides the number: seed, counts, options.

    >>> settings({"seed": 0, "num_train": 100, "higher_is_better": True})
    {'num_train': 100, 'seed': 0}
    """
    return {name: provenance[name] for name in sorted(provenance) if name not in DESCRIPTIVE}


def merge(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Both tables in one; where both have the same run, member, metric and settings, the new row stays.

    Raises:
        Error: a provenance is not JSON.
    """
    both = pd.concat([table for table in (old, new) if len(table)] or [new], ignore_index=True)
    identity = both[["run", "member", "metric"]].assign(settings=_settings_column(both))
    return both[~identity.duplicated(keep="last")].reset_index(drop=True)


@dataclass(frozen=True)
class Choice:
    """One row for each run, member and metric, and what was decided to get there.

    Attributes:
        table: those rows, columns as in `COLUMNS`.
        notes: a line for every metric that was measured with several settings: which were taken, which left out.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def preferred(table: pd.DataFrame, published: Published | None = None) -> Choice:
    """The scores to show where a metric was measured with several settings: those of one and the same settings.

    Published counts come first, then settings that more members were scored with, then larger counts, then the smaller
    seed. All members of a run get the scores of the settings that were chosen, so that they can be compared; a member
    that lacks them has no row.

    Args:
        table: columns as in `COLUMNS`.
        published: for each metric, the counts and options of its published numbers.

    Raises:
        Error: a provenance is not JSON.
    """
    keyed = table.assign(settings=_settings_column(table))
    keep, notes = [], []
    for (_, metric), rows in keyed.groupby(["run", "metric"], sort=False):
        members = rows.groupby("settings", sort=False)["member"].nunique()
        ranked = sorted(
            members.index, key=lambda key: _rank(key, int(members[key]), (published or {}).get(str(metric)))
        )
        keep.append(rows[rows["settings"] == ranked[0]].drop_duplicates("member", keep="last"))
        if len(ranked) > 1:
            notes.append(f"{metric}: {_said(ranked[0])}; not shown: {' | '.join(map(_said, ranked[1:]))}")
    chosen = pd.concat(keep).sort_index() if keep else keyed
    return Choice(chosen[list(COLUMNS)].reset_index(drop=True), tuple(dict.fromkeys(notes)))


def write(path: Path | str, results: Iterable[Result] | pd.DataFrame) -> None:
    """Write results to a Parquet file that is complete or not there: a temporary name, then a rename.

    Raises:
        Error: the file cannot be written.
    """
    write_parquet(Path(path), results if isinstance(results, pd.DataFrame) else to_frame(results))


def read(path: Path | str) -> pd.DataFrame:
    """The tidy table in a Parquet file that `write` made.

    Raises:
        Error: missing, damaged, or without the columns of a table of results.
    """
    return read_parquet(Path(path), COLUMNS)


def add(path: Path | str, results: Iterable[Result] | pd.DataFrame) -> pd.DataFrame:
    """Merge results into a Parquet file, which need not exist; several processes may at once. What it holds then.

    Raises:
        Error: the file is damaged or cannot be written.
    """
    file, new = Path(path), results if isinstance(results, pd.DataFrame) else to_frame(results)
    with locked(file):
        table = merge(read(file), new) if file.exists() else new
        write(file, table)
    return table


def check(path: Path | str) -> None:
    """Before hours of scoring: whether `add` will be able to read what is there.

    Raises:
        Error: the file exists and is damaged.
    """
    if Path(path).exists():
        _settings_column(read(path))


def wide(table: pd.DataFrame, published: Published | None = None) -> pd.DataFrame:
    """A row per run and member, a column per metric, both in the order of first appearance.

    Where a metric was measured with several settings, `preferred` decides; ask it what it took.
    """
    order = list(dict.fromkeys(table["metric"]))
    members = pd.MultiIndex.from_frame(table[["run", "member"]].drop_duplicates())
    spread = preferred(table, published).table.pivot(index=["run", "member"], columns="metric", values="value")
    return spread.reindex(index=members, columns=order).rename_axis(columns=None).reset_index()


def _settings_column(table: pd.DataFrame) -> list[str]:
    """The settings of every row as JSON with sorted keys."""
    known = {
        text: json.dumps(settings(_from_json(text, metric)), sort_keys=True)
        for text, metric in table[["provenance", "metric"]].drop_duplicates("provenance").itertuples(index=False)
    }
    return [known[text] for text in table["provenance"]]


def _rank(key: str, num_members: int, published: Mapping[str, Any] | None) -> tuple[Any, ...]:
    """Smaller is preferred."""
    values = json.loads(key)
    agrees = published is not None and all(values.get(k) == _plain(v) for k, v in published.items() if k != "seed")
    counts = sorted((k, v) for k, v in values.items() if k.startswith("num_") and isinstance(v, int))
    seed = values.get("seed", 0)
    return not agrees, -num_members, [(k, -v) for k, v in counts], seed if isinstance(seed, int) else 0, key


def _plain(value: Any) -> Any:
    """As JSON gives it back."""
    return json.loads(json.dumps(value))


def _said(key: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in json.loads(key).items()) or "unknown settings"


def _as_json(result: Result) -> str:
    try:
        return json.dumps(dict(result.provenance), sort_keys=True)
    except TypeError as error:
        raise Error(f"the provenance of {result.metric} holds what JSON cannot: {error}") from None


def _from_json(text: str, metric: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        raise Error(f"the provenance of {metric} is not JSON: {text!r}") from None
