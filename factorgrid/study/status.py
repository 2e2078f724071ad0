"""Where a study stands: the state of every group, and the outcome that reports read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import read_json
from factorgrid.study.folder import MADE_WITH, STUDY, StudyFolder, open_run
from factorgrid.study.outcomes import Group, Kind, Outcome, no_scores
from factorgrid.study.planning import PlannedGroup


def outcome(path: Path) -> Outcome:
    """What the study in a folder has found so far.

    Raises:
        Error: the folder holds no study.
    """
    folder = StudyFolder.open(path)
    groups, tables, on_the_way = [], [], []
    for group in folder.groups:
        state, reason, table = group_state(folder, group)
        config = group.config
        kind = Kind(config.model, config.masked, config.supervision_kind or "", config.labels)
        groups.append(Group(group.name, group.data, group.method, kind, group.num_members, state, reason))
        if table is not None:
            last = table["steps"] == config.steps
            tables.append(table[last])
            on_the_way.append(table[~last])
    table, curve = (pd.concat(some, ignore_index=True) if some else no_scores() for some in (tables, on_the_way))
    study = folder.study
    return Outcome(
        name=study.name,
        title=study.title,
        description=study.description,
        data=study.data,
        methods=tuple(dict.fromkeys(entry.title for entry in study.methods)),
        table=table,
        groups=tuple(groups),
        curve=curve,
        runs={group.name: folder.run_path(group) for group in folder.groups},
        # beside the results and named as they are: what was trained or scored otherwise is not taken for them
        arrays={group.name: path / "arrays" / folder.result_path(group).stem for group in folder.groups},
        facts=_facts(folder),
        configs={group.name: group.config for group in folder.groups},
        speeds=folder.speeds,
    )


def group_state(folder: StudyFolder, group: PlannedGroup) -> tuple[str, str, pd.DataFrame | None]:
    """The group's state, the reason if it is not done, and its scores if it is."""
    try:
        table = folder.result(group)
    except Error as error:
        return "failed", f"{error}", None
    if table is not None:
        return "done", "", table
    mark = folder.marked(group)
    if mark is not None:
        return (
            "running",
            f"{mark.get('share', 0):.0%}, {mark.get('what', '')} (process {mark['pid']} on {mark['host']})",
            None,
        )
    failure = folder.failure(group)
    if failure is not None:
        return "failed", failure, None
    config = folder.run_path(group) / "config.json"
    if not config.exists():
        return "waiting", "not begun", None
    try:
        open_run(config.parent)
    except Error as error:
        return "failed", f"{error}", None
    return "waiting", "interrupted; run the study again to go on", None


def _facts(folder: StudyFolder) -> dict[str, str]:
    described = read_json(folder.path / "study.json", STUDY)
    training = {name: value for name, value in folder.study.training.items() if name != "steps"}  # a column of its own
    # of the runs themselves: the command that was last given may have run elsewhere and trained nothing
    trained = [found for group in folder.groups if (found := _made_with(folder.run_path(group)))] or [described]
    facts = {
        "hardware": "; ".join(dict.fromkeys(_hardware(one.get("hardware", {})) for one in trained)),
        "begun": str(described.get("begun", "unknown"))[:10],
        "versions": "; ".join(dict.fromkeys(_versions(one.get("versions", {})) for one in trained)),
    }
    return {**facts, **{name.replace("_", " "): str(value) for name, value in training.items()}}


def _made_with(run: Path) -> dict[str, Any] | None:
    """What a run says of versions and hardware; None if there is no run that can be read."""
    try:
        return dict(read_json(run / "config.json", MADE_WITH))
    except Error:
        return None


def _hardware(known: Mapping[str, Any]) -> str:
    devices = list(known.get("devices", []))
    counted = ", ".join(f"{devices.count(name)} x {name}" for name in dict.fromkeys(devices)) or "unknown device"
    return f"{counted}, {known.get('cores', '?')} cores ({known.get('cpu', 'unknown processor')})"


def _versions(known: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in known.items())
