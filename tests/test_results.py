"""Results: rows, tidy tables, Parquet and back."""

import math

import numpy as np
import pandas as pd
import pytest

from factorgrid.errors import Error
from factorgrid.results import Result, from_frame, merge, read, rows, to_frame, wide, write

RESULTS = [
    Result("run-a", "seed0", "mig", 0.25, {"seed": 0, "num_train": 10_000}),
    Result("run-a", "seed0", "dci.completeness", 0.5, {"seed": 0}),
    Result("run-a", "seed1", "mig", 1 / 3),
]


def test_table_and_back():
    table = to_frame(RESULTS)
    assert list(table.columns) == ["run", "member", "metric", "value", "provenance"]
    assert table["value"].dtype == np.float64
    assert from_frame(table) == RESULTS


def test_parquet_and_back(tmp_path):
    path = tmp_path / "deep" / "scores.parquet"
    write(path, RESULTS)
    assert from_frame(read(path)) == RESULTS
    assert [file.name for file in path.parent.iterdir()] == ["scores.parquet"]  # no temporary file is left


def test_empty(tmp_path):
    write(tmp_path / "scores.parquet", [])
    assert from_frame(read(tmp_path / "scores.parquet")) == []
    pd.testing.assert_frame_equal(merge(to_frame([]), to_frame(RESULTS)), to_frame(RESULTS))
    assert len(merge(to_frame([]), to_frame([]))) == 0


def test_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "scores.parquet"
    write(path, RESULTS)
    with pytest.raises(Exception, match="convert"):  # Parquet has no type for this column
        write(path, pd.DataFrame({"value": [object(), 1]}))
    assert from_frame(read(path)) == RESULTS
    assert len(list(tmp_path.iterdir())) == 1


def test_merge_keeps_the_newer_row():
    newer = Result("run-a", "seed0", "mig", 0.75)
    merged = from_frame(merge(to_frame(RESULTS), to_frame([newer])))
    assert sorted(merged, key=str) == sorted([*RESULTS[1:], newer], key=str)


def test_wide():
    table = wide(to_frame(RESULTS))
    assert list(table.columns) == ["run", "member", "mig", "dci.completeness"]
    assert list(table["member"]) == ["seed0", "seed1"]
    assert table.loc[0, "dci.completeness"] == 0.5
    assert math.isnan(table.loc[1, "dci.completeness"])  # never measured


def test_rows_take_what_is_known_of_each_key():
    made = rows("r", "m", {"mig": 0.5, "sap": 0.25}, {"mig": {"seed": 3}})
    assert made == [Result("r", "m", "mig", 0.5, {"seed": 3}), Result("r", "m", "sap", 0.25, {})]


def test_errors(tmp_path):
    with pytest.raises(Error, match="missing: provenance"):
        from_frame(to_frame(RESULTS).drop(columns="provenance"))
    with pytest.raises(Error, match="is not JSON"):
        from_frame(to_frame(RESULTS).assign(provenance="{"))
    with pytest.raises(Error, match="mig holds what JSON cannot"):
        to_frame([Result("r", "m", "mig", 0.0, {"codes": np.zeros(2)})])
    with pytest.raises(Error, match="does not exist"):
        read(tmp_path / "none.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(Error, match="holds no table of results"):
        read(tmp_path / "other.parquet")
