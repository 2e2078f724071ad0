"""Files that are whole or not there, whose damage is noticed, and that processes change one after the other.

Writing: under a temporary name, then renamed; Parquet tables and arrays carry a checksum of their content. Reading: one
guard turns whatever a damaged file makes a parser raise into one line. Locks are the kernel's (`filelock`), so that a
process that is killed leaves none behind; on NFS they need the server's lock service.
"""

import contextlib
import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Shaped
from numpy import ndarray
from safetensors import safe_open
from safetensors.numpy import save_file

from factorgrid.errors import Error, first_line

CHECKSUM = "factorgrid.sha256"  # key of the checksum in a file's own metadata
CHECKSUMS = "checksums.json"  # of the files of a folder
LOCK_SECONDS = 60.0
MOST_SAID = 160


# --- writing


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes otherwise."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, values: Any) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table with a checksum of its content."""
    content = pa.Table.from_pandas(table, preserve_index=False)
    metadata = {**(content.schema.metadata or {}), CHECKSUM.encode(): _table_checksum(content).encode()}
    with replacing(path) as temporary:
        pq.write_table(content.replace_schema_metadata(metadata), temporary)


def write_arrays(path: Path, arrays: Mapping[str, Shaped[ndarray, "..."]], metadata: Mapping[str, str]) -> None:
    """Write named arrays to a safetensors file with a checksum of names, values and metadata among the metadata."""
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with replacing(path) as temporary:
        save_file(whole, temporary, metadata={**metadata, CHECKSUM: _arrays_checksum(whole, metadata)})


# --- reading


def read_json(path: Path, schema: Any = None) -> Any:
    """The content of a JSON file.

    Args:
        path: the file.
        schema: what the content must be; see `validated`. Anything if None.

    Raises:
        Error: missing, not JSON, or not what `schema` says.
    """
    with _reading(path, "JSON"):
        values = json.loads(path.read_text())
    return values if schema is None else validated(values, schema, str(path))


def validated(value: Any, schema: Any, where: str) -> Any:
    """`value`, if it is what the schema says.

    Args:
        value: what JSON gave.
        schema: a type or several (int is float, too; bool is neither); None for null; [schema of every item]; or
            {key: schema}, where "key?" need not be there and other keys may.
        where: for the error.

    Raises:
        Error: something is missing or of another kind.

    >>> validated({"pid": "7"}, {"pid": int}, "mark.json")
    Traceback (most recent call last):
    factorgrid.errors.Error: mark.json is damaged: 'pid' should be int, got '7'; delete it and run again
    """
    problem = _misfit(value, schema, "")
    if problem:
        raise Error(f"{where} is damaged: {problem}; delete it and run again")
    return value


def read_parquet(path: Path, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The content of a Parquet file.

    Args:
        path: the file; one without a checksum is read as it is.
        columns: names and dtypes that the table must have; all columns as they are if None.

    Raises:
        Error: missing, damaged, or without those columns.
    """
    with _reading(path, "readable Parquet"):
        content = pq.ParquetFile(path).read()
        metadata = dict(content.schema.metadata or {})
        stored = metadata.pop(CHECKSUM.encode(), None)
        content = content.replace_schema_metadata(metadata)
        if stored is not None and stored != _table_checksum(content).encode():
            raise ValueError("its content does not fit its checksum")
        table = content.to_pandas()
        missing = [name for name in columns or {} if name not in table.columns]
        if missing:
            raise ValueError(f"columns {', '.join(missing)} are missing")
        return table if columns is None else table[list(columns)].astype(dict(columns))


def read_arrays(path: Path) -> tuple[dict[str, Shaped[ndarray, "..."]], dict[str, str]]:
    """The named arrays of a safetensors file and its metadata (without the checksum).

    Raises:
        Error: missing or damaged. A file without a checksum is read as it is.
    """
    with _reading(path, "readable safetensors"):
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        stored = metadata.pop(CHECKSUM, None)
        if stored is not None and stored != _arrays_checksum(arrays, metadata):
            raise ValueError("its content does not fit its checksum")
        return arrays, metadata


# --- checksums of whole folders


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files below a folder into it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / CHECKSUMS)
    write_json(folder / CHECKSUMS, {path.relative_to(folder).as_posix(): _file_checksum(path) for path in files})


def verify_checksums(folder: Path) -> None:
    """Compare the files below a folder with its checksums; a folder without any passes.

    Raises:
        Error: a file has changed or is missing; which one.
    """
    path = folder / CHECKSUMS
    if not path.exists():
        return
    for name, stored in read_json(path, {}).items():
        with _reading(folder / name, "whole"):
            if _file_checksum(folder / name) != stored:
                raise ValueError("its content does not fit its checksum")


# --- locks


@contextlib.contextmanager
def locked(path: Path, *, wait: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep other processes (and threads) out of the same block for `path`, such as a file that is read, changed and
    written again. The lock is a file `.NAME.lock` beside it, which stays.

    Raises:
        Error: another process has kept it for `wait` seconds, or no lock can be made there.
    """
    lock = _acquired(path, wait)
    if lock is None:
        raise Error(f"another process has kept {path} for {wait:g} s; wait for it to end, or stop it")
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def working_on(folder: Path, doing: str) -> Iterator[None]:
    """Be the only process that does something with a folder for as long as the block takes.

    Args:
        folder: made if it is not there; `.DOING.lock` and, for the time, `.DOING.json` (host and pid) lie in it.
        doing: one word, such as "training"; other doings are not kept out.

    Raises:
        Error: another process is at it: which one.
    """
    owner = folder / f".{doing}.json"
    lock = _acquired(folder / doing, wait=0.0)
    if lock is None:
        raise Error(f"another process ({_owner(owner)}) is {doing} {folder}; wait for it to end, or stop it")
    try:
        write_json(owner, {"host": socket.gethostname(), "pid": os.getpid()})
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _acquired(path: Path, wait: float) -> filelock.BaseFileLock | None:
    """The lock of a path, held; None if another process kept it for `wait` seconds."""
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait, poll_interval=0.02)
    except filelock.Timeout:
        return None
    except (OSError, NotImplementedError) as error:
        raise _unwritable(path, error) from error
    return lock


def _owner(path: Path) -> str:
    try:
        known = read_json(path, {"host": str, "pid": int})
    except Error:  # it is just beginning
        return "unknown"
    return f"pid {known['pid']} on {known['host']}"


# --- what the above share


@contextlib.contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Whatever a damaged file makes a parser raise, as one line."""
    try:
        yield
    except Error:
        raise
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except Exception as error:  # parsers raise many kinds
        if isinstance(error, OSError) and error.errno is not None:
            raise Error(f"{path} cannot be read: {error.strerror or error}") from None
        reason = first_line(error)[:MOST_SAID]
        raise Error(f"{path} is not a {kind} file ({reason}); delete it and run again") from None


def _unwritable(path: Path, error: Exception) -> Error:
    reason = getattr(error, "strerror", None) or str(error)
    return Error(f"cannot write {path}: {reason}; free some space or choose another place")


def _misfit(value: Any, schema: Any, name: str) -> str:
    """What is wrong with a value, or nothing."""
    if isinstance(schema, dict) and isinstance(value, dict):
        for key, inner in schema.items():
            plain = key.removesuffix("?")
            if plain in value:
                problem = _misfit(value[plain], inner, f"{name}.{plain}" if name else plain)
            else:
                problem = "" if key.endswith("?") else f"'{f'{name}.{plain}' if name else plain}' is missing"
            if problem:
                return problem
        return ""
    if isinstance(schema, list) and isinstance(value, list):
        return next(filter(None, (_misfit(item, schema[0], f"{name}[{i}]") for i, item in enumerate(value))), "")
    kinds = schema if isinstance(schema, tuple) else (type(schema) if isinstance(schema, dict | list) else schema,)
    if any(_is(value, kind) for kind in kinds) and not isinstance(schema, dict | list):
        return ""
    wanted = " or ".join("null" if kind is None else kind.__name__ for kind in kinds)
    return f"'{name}' should be {wanted}, got {repr(value)[:40]}" if name else f"it should hold a {wanted}"


def _is(value: Any, kind: type | None) -> bool:
    if kind is None:
        return value is None
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _file_checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrays_checksum(arrays: Mapping[str, Shaped[ndarray, "..."]], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, str(array.dtype), array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _table_checksum(table: pa.Table) -> str:
    """Of names, types, values and metadata; how Parquet lays them out does not matter."""
    metadata = sorted((key.decode(), text.decode()) for key, text in (table.schema.metadata or {}).items())
    digest = hashlib.sha256(json.dumps(metadata).encode())
    for name, column in zip(table.column_names, table.columns):
        values = column.to_numpy()
        digest.update(json.dumps([name, str(column.type), len(values)]).encode())
        plain = json.dumps(values.tolist(), default=repr).encode() if values.dtype == object else values.tobytes()
        digest.update(plain)
        digest.update(column.is_valid().to_numpy().tobytes())
    return digest.hexdigest()
