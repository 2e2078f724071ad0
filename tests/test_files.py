"""Files: damage is noticed, readers never raise anything but `Error`, and of several processes one is inside."""

import json
import multiprocessing
import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from factorgrid import results
from factorgrid.errors import Error
from factorgrid.files import (
    locked,
    read_arrays,
    read_json,
    read_parquet,
    validated,
    verify_checksums,
    working_on,
    write_arrays,
    write_checksums,
    write_json,
    write_parquet,
)

TABLE = pd.DataFrame(
    {
        "member": ["seed0", "seed1", "beta=4"],
        "value": [0.25, float("nan"), 1 / 3],
        "seed": np.arange(3),
        "masked": [True, False, True],
        "word": ["", None, "β"],
    }
)
ARRAYS = {"encoder.weight": np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), "alive": np.array(True)}


# --- checksums


def same_table(path: Path) -> bool:
    pd.testing.assert_frame_equal(read_parquet(path), TABLE)
    return True


def same_arrays(path: Path) -> bool:
    arrays, metadata = read_arrays(path)
    assert metadata.items() >= {"run": "a", "member": "seed0"}.items()  # a flip may be in the checksum's own name
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()} == {
        name: (array.dtype, array.shape, array.tobytes()) for name, array in ARRAYS.items()
    }
    return True


def flips(content: bytes, num: int) -> list[bytes]:
    """Copies of which one bit each is flipped, all over the file."""
    rng = random.Random(0)
    flipped = []
    for place in rng.sample(range(len(content)), min(num, len(content))):
        copy = bytearray(content)
        copy[place] ^= 1 << rng.randrange(8)
        flipped.append(bytes(copy))
    return flipped


@pytest.mark.parametrize(
    ("write", "same"),
    [
        (lambda path: write_parquet(path, TABLE), same_table),
        (lambda path: write_arrays(path, ARRAYS, {"run": "a", "member": "seed0"}), same_arrays),
    ],
    ids=["parquet", "safetensors"],
)
def test_a_flipped_bit_is_an_error_or_changes_nothing(
    tmp_path: Path, write: Callable[[Path], None], same: Callable[[Path], bool]
) -> None:
    path = tmp_path / "file"
    write(path)
    assert same(path)
    noticed = 0
    for content in flips(path.read_bytes(), 300):
        path.write_bytes(content)
        try:
            assert same(path)  # statistics and the like, which no one reads
        except Error:
            noticed += 1
    assert noticed > 50


@pytest.mark.parametrize("cut", [0, 1, 10, 200])
def test_a_file_that_ends_too_early(tmp_path: Path, cut: int) -> None:
    write_parquet(tmp_path / "table", TABLE)
    write_arrays(tmp_path / "arrays", ARRAYS, {})
    for name, read in {"table": read_parquet, "arrays": read_arrays}.items():
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:cut])
        with pytest.raises(Error, match="is not a readable"):
            read(tmp_path / name)


def test_files_from_before_there_were_checksums(tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "old.parquet", index=False)
    assert same_table(tmp_path / "old.parquet")
    save_file(ARRAYS, tmp_path / "old.safetensors", metadata={"run": "a", "member": "seed0"})
    assert same_arrays(tmp_path / "old.safetensors")
    verify_checksums(tmp_path)


def test_other_programs_read_what_is_written(tmp_path: Path) -> None:
    write_parquet(tmp_path / "table.parquet", TABLE)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), TABLE)
    assert pq.read_schema(tmp_path / "table.parquet").names == list(TABLE.columns)


def test_a_folder_of_which_a_file_has_changed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "0").write_bytes(bytes(1000))
    (tmp_path / "meta").write_text("{}")
    write_checksums(tmp_path)
    verify_checksums(tmp_path)
    (tmp_path / "d" / "0").write_bytes(bytes(999) + b"\1")
    with pytest.raises(Error, match=r"d/0 is not a whole file \(its content does not fit its checksum\)"):
        verify_checksums(tmp_path)
    (tmp_path / "d" / "0").unlink()
    with pytest.raises(Error, match="d/0 does not exist"):
        verify_checksums(tmp_path)


# --- guards


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b'{"a": 1}x'],
    ids=["empty", "cut", "bytes", "deep", "long number", "more"],
)
def test_what_is_not_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(Error, match=r"a.json is not a JSON file .*; delete it and run again") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_folder_in_place_of_a_file(tmp_path: Path) -> None:
    for read in (read_json, read_parquet, read_arrays):
        with pytest.raises(Error, match=r"cannot be read|is not a readable"):
            read(tmp_path)
        with pytest.raises(Error, match="none does not exist"):
            read(tmp_path / "none")


SCHEMA = {"host": str, "share?": float, "data": {"shape": [int], "factors": (list, None)}}
GOOD = {"host": "a", "data": {"shape": [1, 2], "factors": None}, "more": 1}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"share": 1}, ""),
        ({"share": True}, "'share' should be float, got True"),
        ({"host": None}, "'host' should be str, got None"),
        ({"data": {"shape": [1]}}, "'data.factors' is missing"),
        ({"data": {"shape": [1, "2"], "factors": []}}, r"'data.shape\[1\]' should be int, got '2'"),
        ({"data": {"shape": 3, "factors": []}}, "'data.shape' should be list, got 3"),
        ({"data": {"shape": [], "factors": 2}}, "'data.factors' should be list or null, got 2"),
        ({"data": []}, "'data' should be dict"),
        (None, "it should hold a dict"),
    ],
)
def test_schemas(tmp_path: Path, change: dict[str, Any] | None, problem: str) -> None:
    value = [1] if change is None else {**GOOD, **change}
    write_json(tmp_path / "a.json", value)
    if not problem:
        assert read_json(tmp_path / "a.json", SCHEMA) == value
        return
    with pytest.raises(Error, match=f"a.json is damaged: {problem}"):
        read_json(tmp_path / "a.json", SCHEMA)
    with pytest.raises(Error, match=problem):
        validated(value, SCHEMA, "it")


def test_columns_of_other_kinds(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a", TABLE)
    assert list(read_parquet(tmp_path / "a", {"seed": "float64"}).columns) == ["seed"]
    with pytest.raises(Error, match="columns x are missing"):
        read_parquet(tmp_path / "a", {"seed": "int64", "x": "str"})
    with pytest.raises(Error, match="is not a readable Parquet file"):
        read_parquet(tmp_path / "a", {"member": "int64"})


# --- locks

WRITERS, ROUNDS = 4, 6


def add_scores(path: Path, barrier: Any, writer: int) -> None:
    for i in range(ROUNDS):
        barrier.wait(60)
        results.add(path, [results.Result("r", f"{writer}-{i}", "mig", 0.5)])


def together(target: Callable[..., None], num: int, *args: Any) -> None:
    """Run `target(*args, barrier, number)` in several processes."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(num)
    processes = [context.Process(target=target, args=(*args, barrier, i)) for i in range(num)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0


def test_processes_that_add_scores_at_once_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    together(add_scores, WRITERS, path)
    assert set(results.read(path)["member"]) == {f"{w}-{i}" for w in range(WRITERS) for i in range(ROUNDS)}


def test_damaged_scores_are_noticed_before_any_are_made(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    results.check(path)
    results.add(path, [results.Result("r", "m", "mig", 0.5)])
    results.check(path)
    results.write(path, results.read(path).assign(provenance="{"))
    with pytest.raises(Error, match="is not JSON"):
        results.check(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(Error, match="is not a readable Parquet file"):
        results.check(path)
    with pytest.raises(Error, match="is not a readable Parquet file"):
        results.add(path, [])


def test_the_one_who_is_kept_out_hears_of_whom(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with (
        working_on(folder, "training"),
        pytest.raises(
            Error, match=rf"another process \(pid {os.getpid()} on {socket.gethostname()}\) is training .*run"
        ),
        working_on(folder, "training"),
    ):
        raise AssertionError("two are inside")
    with working_on(folder, "training"):  # let go again
        assert json.loads((folder / ".training.json").read_text())["pid"] == os.getpid()
    assert not (folder / ".training.json").exists()
    kept = pytest.raises(Error, match=r"another process has kept .*a for 0\.05 s")
    with locked(tmp_path / "a"), kept, locked(tmp_path / "a", wait=0.05):
        raise AssertionError("two are inside")


def hold(folder: Path, inside: Any) -> None:
    with working_on(folder, "training"):
        inside.set()
        time.sleep(60)


def test_a_killed_process_keeps_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    inside = context.Event()
    process = context.Process(target=hold, args=(tmp_path, inside))
    process.start()
    assert inside.wait(30)
    with pytest.raises(Error, match=f"another process .pid {process.pid} "), working_on(tmp_path, "training"):
        pass
    process.kill()
    process.join(30)
    with working_on(tmp_path, "training"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Error, match=r"cannot write .*: Permission denied"), locked(tmp_path / "a"):
        pass


def test_a_lock_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Error, match="cannot write"), locked(tmp_path / "file" / "a"):
        pass
