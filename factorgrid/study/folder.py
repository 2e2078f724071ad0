"""A study on disk, and what any number of processes may read and write there at once.

`study.json`; `groups/NAME/` (run folders); `results/NAME-KEY.parquet` (one atomic file a group; the key is a hash of
what was trained and how it was scored); `failed/NAME-KEY.json`; `running/NAME.json` (who works on it, refreshed while
they do); `speeds.json` (what `study plan` measured); `report/`.
"""

import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid.config import differences
from factorgrid.errors import Error
from factorgrid.files import locked, read_json, read_parquet, write_json, write_parquet
from factorgrid.study.definition import Study
from factorgrid.study.outcomes import COLUMNS
from factorgrid.study.planning import PlannedGroup, plan
from factorgrid.training import Run
from factorgrid.training.provenance import hardware, installed
from factorgrid.training.run import has_begun

STALE_SECONDS = 120.0  # a mark that has not been refreshed for so long is of a process that has died
HARDWARE = {"devices?": [str], "cores?": (int, None), "cpu?": str}
MADE_WITH = {"versions?": dict, "hardware?": HARDWARE}
STUDY = {"study": dict, "models?": str, "begun?": str, **MADE_WITH}
FAILURE = {"error": str}
SPEEDS = [{"group": str, "seconds": float}]
MARK = {"host": str, "pid": int, "share?": float, "what?": str}


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
        described = read_json(path / "study.json", STUDY)
        models = Path(described["models"]) if "models" in described else None
        try:
            folder = StudyFolder(path, Study.from_json(described["study"], str(path / "study.json")), models)
            plan(folder.study)  # what cannot be planned is said of the file
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise Error(
                f"{path / 'study.json'} describes no study ({reason}); delete it and run the study again"
            ) from None
        return folder

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
        return read_json(path, STUDY).get("begun") if path.exists() else None

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
            run = readable_run(other)
            if run is not None and run.config == group.config and run.finished:
                return other
        return self.path / "groups" / group.name

    # --- speeds

    @property
    def speeds(self) -> dict[str, float]:
        """Seconds of training that one step of one member of a group takes, where that was measured.

        Raises:
            Error: the file is damaged.
        """
        path = self.path / "speeds.json"
        known = read_json(path, SPEEDS) if path.exists() else []
        return {one["group"]: float(one["seconds"]) for one in known if one["seconds"] > 0}

    def write_speeds(self, seconds: Mapping[str, float]) -> None:
        write_json(self.path / "speeds.json", [{"group": name, "seconds": value} for name, value in seconds.items()])

    # --- results

    def result_path(self, group: PlannedGroup) -> Path:
        study = self.study
        scored = [sorted(study.metrics), asdict(study.counts), study.gap_batches, study.evaluation_seed]
        if study.snapshot_every is not None:
            scored.append(study.snapshot_every)
        key = hashlib.sha256(json.dumps([group.config.identity, scored]).encode()).hexdigest()[:8]
        return self.path / "results" / f"{group.name}-{key}.parquet"

    def result(self, group: PlannedGroup) -> pd.DataFrame | None:
        """The scores of a group, columns as in `outcomes.COLUMNS`; None if it is not done.

        Raises:
            Error: the file is damaged.
        """
        path = self.result_path(group)
        return read_parquet(path, COLUMNS) if path.exists() else None

    def write_result(self, group: PlannedGroup, table: pd.DataFrame) -> None:
        write_parquet(self.result_path(group), table[list(COLUMNS)].astype(COLUMNS))
        self._failure_path(group).unlink(missing_ok=True)

    # --- failures

    def failure(self, group: PlannedGroup) -> str | None:
        """The error of a group that failed, or None."""
        path = self._failure_path(group)
        try:
            return str(read_json(path, FAILURE)["error"]) if path.exists() else None
        except Error as error:
            return str(error)

    def write_failure(self, group: PlannedGroup, error: str) -> None:
        write_json(self._failure_path(group), {"error": error, "when": _now()})

    def _failure_path(self, group: PlannedGroup) -> Path:
        # with the key of the results: the error of other settings says nothing of these
        return self.path / "failed" / f"{self.result_path(group).stem}.json"

    # --- marks of who is at work

    def claim(self, group: PlannedGroup) -> bool:
        """Mark the group as this process's own, unless one works on it; of several at once, exactly one succeeds."""
        with locked(self.path / "running"):
            if self.marked(group) is not None:
                return False
            self._write_mark(group, {"share": 0.0, "what": "starting"})
            return True

    def mark(self, group: PlannedGroup, **progress: Any) -> None:
        """Say how far this process is with the group that it has claimed.

        Raises:
            Error: another process has claimed it since: this one said nothing for `STALE_SECONDS`.
        """
        mark = self.marked(group)
        if mark is not None and not _own(mark):
            raise Error(f"{group.name}: process {mark['pid']} on {mark['host']} has taken it over")
        self._write_mark(group, progress)

    def unmark(self, group: PlannedGroup) -> None:
        """Let the group go, if it is still this process's own."""
        mark = self._read_mark(group)
        if mark is None or _own(mark):
            self._mark_path(group).unlink(missing_ok=True)

    def marked(self, group: PlannedGroup) -> dict[str, Any] | None:
        """The mark of a process that still works on the group, or None."""
        mark = self._read_mark(group)
        if mark is None or (mark["host"] == socket.gethostname() and not _alive(mark["pid"])):
            return None
        try:
            age = time.time() - self._mark_path(group).stat().st_mtime
        except OSError:  # gone in the meantime
            return None
        return mark if age < STALE_SECONDS else None

    def _read_mark(self, group: PlannedGroup) -> dict[str, Any] | None:
        try:
            return dict(read_json(self._mark_path(group), MARK))
        except Error:  # none, or a damaged one: whoever wrote that writes it anew within seconds
            return None

    def _write_mark(self, group: PlannedGroup, progress: Mapping[str, Any]) -> None:
        write_json(self._mark_path(group), {"host": socket.gethostname(), "pid": os.getpid(), **progress})

    def _mark_path(self, group: PlannedGroup) -> Path:
        return self.path / "running" / f"{group.name}.json"


def open_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        Error: it is damaged.
    """
    try:
        return Run.open(path)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise Error(f"{path / 'config.json'} describes no run ({reason}); delete that folder and run again") from None


def readable_run(path: Path) -> Run | None:
    """The run in a folder; None if there is none that can be read: then its group says so when its turn comes."""
    try:
        return open_run(path) if (path / "config.json").exists() else None
    except Error:
        return None


def _check_run(path: Path, group: PlannedGroup) -> None:
    """A run of other settings is an error, unless it failed before its first step: then there is nothing to keep."""
    run = readable_run(path)
    changed = [] if run is None else differences(run.config, group.config)
    if changed and not has_begun(path):
        shutil.rmtree(path)
    elif changed:
        raise Error(
            f"{path} was trained with other settings ({'; '.join(changed)}); choose another --out, or delete that "
            "folder to train it again"
        )


def _own(mark: Mapping[str, Any]) -> bool:
    return mark["host"] == socket.gethostname() and mark["pid"] == os.getpid()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; or no process number at all, which age will tell
        return True
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
