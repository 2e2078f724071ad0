"""A study on disk, and what any number of processes may read and write there at once.

`study.json`; `groups/NAME/` (run folders); `results/NAME-KEY.parquet` (one atomic file a group; the key is a hash of
what was trained and how it was scored); `failed/NAME-KEY.json`; `running/NAME.json` (who works on it, refreshed while
they do); `report/`.
"""

import hashlib
import json
import os
import shutil
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid.config import differences
from factorgrid.errors import Error
from factorgrid.files import read_json, read_parquet, write_json, write_parquet
from factorgrid.study.definition import Study
from factorgrid.study.outcome import COLUMNS
from factorgrid.study.plan import PlannedGroup, plan
from factorgrid.training import Run
from factorgrid.training.provenance import hardware, installed

STALE_SECONDS = 120.0  # a mark that has not been refreshed for so long is of a process that has died


@dataclass(frozen=True)
class StudyFolder:
    """A study and the folder that it lives in.

    Attributes:
        path: the folder.
        study: what is done there.
        models: the folder of another study; what it has trained under the same name and configuration is used.
    """

    path: Path
    study: Study
    models: Path | None = None

    @staticmethod
    def open(path: Path) -> "StudyFolder":
        """The study in a folder.

        Raises:
            Error: the folder holds none.
        """
        if not (path / "study.json").exists():
            raise Error(f"{path} holds no study (no study.json); begin one with: factorgrid study run small-circles")
        described = read_json(path / "study.json")
        try:
            models = described.get("models")
            return StudyFolder(path, Study.from_json(described["study"]), None if models is None else Path(models))
        except (KeyError, TypeError) as error:
            raise Error(f"{path / 'study.json'} describes no study ({error}); run the study again") from None

    @staticmethod
    def create(path: Path, study: Study, *, models: Path | None = None) -> "StudyFolder":
        """Begin a study in a folder, or go on with it. Groups may be added; what was trained must not have changed.

        Raises:
            Error: the folder holds another study, or runs of other configurations; `models` is no study's folder.
        """
        if models is not None:
            StudyFolder.open(models)
            models = models.absolute()
        if (path / "study.json").exists():
            old = StudyFolder.open(path)
            if old.study.name != study.name:
                raise Error(f"{path} holds the study '{old.study.name}', not '{study.name}'; choose another --out")
            models = models or old.models
        folder = StudyFolder(path, study, models)
        for group in folder.groups:
            _check_run(folder.run_path(group), group)
        described: dict[str, Any] = {"study": study.to_json(), "versions": installed(), "hardware": hardware()}
        if folder.models is not None:
            described["models"] = str(folder.models)
        write_json(path / "study.json", {**described, "begun": folder.begun or _now()})
        return folder

    @cached_property
    def groups(self) -> tuple[PlannedGroup, ...]:
        return plan(self.study)

    @property
    def begun(self) -> str | None:
        path = self.path / "study.json"
        return str(read_json(path).get("begun")) if path.exists() else None

    def group(self, name: str) -> PlannedGroup:
        """The group of that name."""
        (found,) = [group for group in self.groups if group.name == name]
        return found

    def run_path(self, group: PlannedGroup) -> Path:
        """The group's run: that of the study whose models are used, if it has finished the same one, else our own.

        One that is still in training is left to those who train it.
        """
        if self.models is not None:
            other = self.models / "groups" / group.name
            if (other / "config.json").exists():
                run = Run.open(other)
                if run.config == group.config and run.finished:
                    return other
        return self.path / "groups" / group.name

    # --- results

    def result_path(self, group: PlannedGroup) -> Path:
        study = self.study
        scored = [sorted(study.metrics), asdict(study.counts), study.gap_batches, study.evaluation_seed]
        key = hashlib.sha256(json.dumps([group.config.identity, scored]).encode()).hexdigest()[:8]
        return self.path / "results" / f"{group.name}-{key}.parquet"

    def result(self, group: PlannedGroup) -> pd.DataFrame | None:
        """The scores of a group, columns as in `outcome.COLUMNS`; None if it is not done.

        Raises:
            Error: the file is damaged.
        """
        path = self.result_path(group)
        if not path.exists():
            return None
        table = read_parquet(path)
        missing = [name for name in COLUMNS if name not in table.columns]
        if missing:
            raise Error(f"{path} is damaged: columns {', '.join(missing)} are missing; delete it and run again")
        return table[list(COLUMNS)].astype(COLUMNS)

    def write_result(self, group: PlannedGroup, table: pd.DataFrame) -> None:
        write_parquet(self.result_path(group), table[list(COLUMNS)].astype(COLUMNS))
        self._failure_path(group).unlink(missing_ok=True)

    # --- failures

    def failure(self, group: PlannedGroup) -> str | None:
        """The error of a group that failed, or None."""
        path = self._failure_path(group)
        return str(read_json(path)["error"]) if path.exists() else None

    def write_failure(self, group: PlannedGroup, error: str) -> None:
        write_json(self._failure_path(group), {"error": error, "when": _now()})

    def _failure_path(self, group: PlannedGroup) -> Path:
        # with the key of the results: the error of other settings says nothing of these
        return self.path / "failed" / f"{self.result_path(group).stem}.json"

    # --- marks of who is at work

    def claim(self, group: PlannedGroup) -> bool:
        """Mark the group as this process's own, unless another one works on it; of several at once, one succeeds."""
        path = self._mark_path(group)
        if self.marked(group) is not None:
            return False
        path.unlink(missing_ok=True)  # of a process that has died
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        self.mark(group, share=0.0, what="starting")
        return True

    def mark(self, group: PlannedGroup, **progress: Any) -> None:
        """Say that this process works on the group, and how far it is."""
        write_json(self._mark_path(group), {"host": socket.gethostname(), "pid": os.getpid(), **progress})

    def unmark(self, group: PlannedGroup) -> None:
        self._mark_path(group).unlink(missing_ok=True)

    def marked(self, group: PlannedGroup) -> dict[str, Any] | None:
        """The mark of a process that still works on the group, or None."""
        path = self._mark_path(group)
        try:
            mark = dict(read_json(path))
            age = time.time() - path.stat().st_mtime
        except (Error, OSError):  # gone in the meantime
            return None
        if mark.get("host") == socket.gethostname() and not _alive(int(mark.get("pid", 0))):
            return None
        return mark if age < STALE_SECONDS else None

    def _mark_path(self, group: PlannedGroup) -> Path:
        return self.path / "running" / f"{group.name}.json"


def _check_run(path: Path, group: PlannedGroup) -> None:
    """A run of other settings is an error, unless it failed before its first step: then there is nothing to keep."""
    if not (path / "config.json").exists():
        return
    changed = differences(Run.open(path).config, group.config)
    if changed and not (path / "history.parquet").exists() and not any(path.glob("checkpoints/*")):
        shutil.rmtree(path)
    elif changed:
        raise Error(
            f"{path} was trained with other settings ({'; '.join(changed)}); choose another --out, or delete that "
            "folder to train it again"
        )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
