"""Results: rows, tidy tables, Parquet and back."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from factorgrid.errors import Error
from factorgrid.results import Result, from_frame, merge, preferred, read, rows, settings, to_frame, wide, write

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


QUICK = {"seed": 0, "num_train": 1_000, "higher_is_better": True}
FULL = {"seed": 0, "num_train": 10_000, "higher_is_better": True}
PUBLISHED = {"mig": {"seed": 7, "num_train": 10_000}}  # the seed is not compared


def scored(value: float, provenance: dict[str, Any], member: str = "seed0") -> Result:
    return Result("run-a", member, "mig", value, provenance)


def test_merge_keeps_the_newer_row_of_the_same_settings():
    newer = Result("run-a", "seed0", "mig", 0.75, {"seed": 0, "num_train": 10_000, "versions": {"numpy": "3"}})
    merged = from_frame(merge(to_frame(RESULTS), to_frame([newer])))
    assert sorted(merged, key=str) == sorted([*RESULTS[1:], newer], key=str)


def test_merge_keeps_scores_of_other_settings_beside_each_other():
    quick, other_seed = scored(0.5, QUICK), scored(0.6, {**FULL, "seed": 1})
    merged = from_frame(merge(to_frame([scored(0.25, FULL)]), to_frame([quick, other_seed])))
    assert merged == [scored(0.25, FULL), quick, other_seed]


def test_settings_are_what_decides_the_number():
    assert settings({**FULL, "versions": {"jax": "1"}, "hardware": {}, "seconds": 3.5}) == {
        "seed": 0,
        "num_train": 10_000,
    }


@pytest.mark.parametrize("order", [1, -1])
def test_published_counts_are_preferred_whatever_was_scored_last(order: int):
    table = to_frame([scored(0.9, QUICK), scored(0.25, FULL)][::order])
    choice = preferred(table, PUBLISHED)
    assert from_frame(choice.table) == [scored(0.25, FULL)]
    assert choice.notes == ("mig: num_train 10000, seed 0; not shown: num_train 1000, seed 0",)
    assert wide(table, PUBLISHED)["mig"].tolist() == [0.25]


def test_more_than_the_published_counts_are_not_taken_for_them():
    table = to_frame([scored(0.9, {**FULL, "num_train": 20_000}), scored(0.25, FULL)])
    assert from_frame(preferred(table, PUBLISHED).table) == [scored(0.25, FULL)]


def test_without_published_counts_the_larger_ones_are_preferred_then_the_smaller_seed():
    table = to_frame([scored(0.9, QUICK), scored(0.3, {**FULL, "seed": 2}), scored(0.25, FULL)])
    assert from_frame(preferred(table).table) == [scored(0.25, FULL)]


def test_all_members_of_a_run_are_compared_by_the_same_settings():
    members = [scored(0.1, QUICK, "seed0"), scored(0.2, QUICK, "seed1"), scored(0.9, FULL, "seed1")]
    choice = preferred(to_frame(members))  # one member alone was scored with more
    assert from_frame(choice.table) == members[:2]
    published = preferred(to_frame(members), PUBLISHED).table
    assert from_frame(published) == members[2:]
    assert math.isnan(wide(to_frame(members), PUBLISHED).loc[0, "mig"])


def test_one_setting_needs_no_note():
    assert preferred(to_frame(RESULTS[:2])).notes == ()
    assert preferred(to_frame([])).table.empty


def test_options_with_lists_are_compared_as_json_gives_them_back():
    known = {"downstream_sizes": [100, 1000], "num_test": 5}
    table = to_frame([scored(0.1, {**known, "num_test": 9}), scored(0.2, known)])
    assert preferred(table, {"mig": {"downstream_sizes": (100, 1000), "num_test": 5}}).table["value"].tolist() == [0.2]


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
    for reader in (preferred, wide, lambda table: merge(table, table)):
        with pytest.raises(Error, match="is not JSON"):
            reader(to_frame(RESULTS).assign(provenance="[1]"))
    with pytest.raises(Error, match="mig holds what JSON cannot"):
        to_frame([Result("r", "m", "mig", 0.0, {"codes": np.zeros(2)})])
    with pytest.raises(Error, match="does not exist"):
        read(tmp_path / "none.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(Error, match="columns run, member, metric, value, provenance are missing"):
        read(tmp_path / "other.parquet")
