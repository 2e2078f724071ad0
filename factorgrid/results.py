"""Results: one score per row, with what it was measured on and how; tidy tables in and out of Parquet.

A row is a value of one metric for one member of one run. Its provenance is a small dictionary of plain values
(seed, sample counts, options, versions) that is stored beside the value as JSON: a number whose settings are
unknown cannot be compared with any other.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import read_parquet, write_parquet

COLUMNS = {"run": "str", "member": "str", "metric": "str", "value": "float64", "provenance": "str"}
IDENTITY = ["run", "member", "metric"]


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


def merge(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Both tables in one; where both have the same run, member and metric, the new row stays."""
    both = pd.concat([table for table in (old, new) if len(table)] or [new], ignore_index=True)
    return both.drop_duplicates(IDENTITY, keep="last", ignore_index=True)


def write(path: Path | str, results: Iterable[Result] | pd.DataFrame) -> None:
    """Write results to a Parquet file that is complete or not there: a temporary name, then a rename.

    Raises:
        Error: the file cannot be written.
    """
    write_parquet(Path(path), results if isinstance(results, pd.DataFrame) else to_frame(results))


def read(path: Path | str) -> pd.DataFrame:
    """The tidy table in a Parquet file that `write` made.

    Raises:
        Error: missing, not Parquet, or without the columns of a table of results.
    """
    table = read_parquet(Path(path))
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise Error(f"{path} holds no table of results: the columns {', '.join(missing)} are missing")
    return table.astype(COLUMNS)


def wide(table: pd.DataFrame) -> pd.DataFrame:
    """A row per run and member, a column per metric, both in the order of first appearance."""
    order = list(dict.fromkeys(table["metric"]))
    spread = table.pivot(index=["run", "member"], columns="metric", values="value")
    members = pd.MultiIndex.from_frame(table[["run", "member"]].drop_duplicates())
    return spread.reindex(index=members, columns=order).rename_axis(columns=None).reset_index()


def _as_json(result: Result) -> str:
    try:
        return json.dumps(dict(result.provenance), sort_keys=True)
    except TypeError as error:
        raise Error(f"the provenance of {result.metric} holds what JSON cannot: {error}") from None


def _from_json(text: str, metric: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except (json.JSONDecodeError, TypeError, ValueError):
        raise Error(f"the provenance of {metric} is not JSON: {text!r}") from None
