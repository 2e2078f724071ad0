"""Damaged run folders and damaged study folders."""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from corpus import GONE, WRONG, Case, Expected, Silent, World, at, changed, damages, leaves, same_kind

from factorgrid.errors import Error
from factorgrid.study import MethodEntry, Study, StudyFolder, outcome
from factorgrid.study.outcomes import COLUMNS
from factorgrid.training import Run


def run_cases(run: Path, rng: random.Random) -> Iterator[Case]:
    """A trained run, one of whose files is damaged or missing; then everything of it is read."""
    files = sorted(
        path.relative_to(run)
        for path in run.rglob("*")
        if path.is_file() and path.suffix in (".json", ".parquet", ".safetensors") and "checkpoints" not in path.parts
    )
    for file in files:
        if file.name.startswith("."):
            continue
        content = (run / file).read_bytes()
        for what, damaged in damages(content, rng, 20):
            yield Case("run folders", f"{file} {what}", _damaged_run(file, damaged), "either")
        yield Case("run folders", f"{file} missing", _damaged_run(file, None), "either")
        yield Case("run folders", f"{file} is a folder", _damaged_run(file, ...), "either")
    described = json.loads((run / "config.json").read_text())
    for path in leaves(described):
        old = at(described, path)
        for new in (GONE, *WRONG):
            if rng.random() < 0.7 or new == old:
                continue
            text = json.dumps(changed(described, path, new))
            name = ".".join(map(str, path))
            said = "gone" if new is GONE else repr(new)
            yield Case("run folders", f"config.json {name} {said}", _changed_config(text.encode()), "either")


def _read_all(path: Path) -> dict[str, Any]:
    """Everything that a run holds; what raises an Error is left out."""
    run = Run.open(path)
    doors: dict[str, Callable[[], Any]] = {
        "members": lambda: [member.name for member in run.members],
        "history": lambda: run.history,
        "scores": lambda: run.scores,
        "best": lambda: run.best_member("mig"),
        "code": lambda: (
            run.model(0).encode(np.zeros((1, *run.shapes.image), np.float32))
            if hasattr(run.shapes, "image")
            else run.model(0) and 0
        ),
    }
    found = {}
    for name, read in doors.items():
        try:
            found[name] = read()
        except Error as error:
            if "\n" in str(error):
                raise AssertionError(f"an error of several lines: {error}") from error
    return found


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, pd.DataFrame):
        return bool(old.equals(new))
    if isinstance(old, np.ndarray):
        return np.array_equal(old, new, equal_nan=True)
    return bool(old == new)


def _copy(world: World) -> Path:
    copy = world.place / "run"
    shutil.copytree(world.run, copy, ignore=shutil.ignore_patterns("checkpoints", "figures"))
    return copy


def _damaged_run(file: Path, content: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        copy = _copy(world)
        before = _read_all(copy)
        (copy / file).unlink()
        if content is ...:
            (copy / file).mkdir()
        elif content is not None:
            (copy / file).write_bytes(content)
        for name, value in _read_all(copy).items():
            if not _same(before[name], value):
                raise Silent(f"{name} has changed")

    return go


def _changed_config(content: bytes) -> Callable[[World], None]:
    def go(world: World) -> None:
        copy = _copy(world)
        (copy / "config.json").write_bytes(content)
        _read_all(copy)
        if Run.open(copy).config != Run.open(world.run).config:
            raise Silent("the configuration has changed")

    return go


# --- studies


def tiny_study() -> Study:
    training = {"steps": 2, "architecture": "mlp", "num_latents": 2}
    return Study(
        "tiny", "Tiny", ("circles",), (MethodEntry("VAE", "vae"), MethodEntry("D-VAE", "dvae")), training=training
    )


def study_in(path: Path) -> StudyFolder:
    """A study of which one group is done, one has failed, and a mark was left by a process that is gone."""
    folder = StudyFolder.create(path, tiny_study())
    done, failed = folder.groups
    row = {name: {"str": "x", "int64": 1, "float64": 0.5, "bool": False}[kind] for name, kind in COLUMNS.items()}
    row.update(group=done.name, data="circles", method="VAE", hyperparameters="{}", metric="mig", provenance="{}")
    folder.write_result(done, pd.DataFrame([row]))
    folder.write_failure(failed, "out of memory")
    mark = {"host": "elsewhere", "pid": 7, "share": 0.5, "what": "step 1"}
    (path / "running").mkdir()
    (path / "running" / f"{done.name}.json").write_text(json.dumps(mark))
    config = folder.path / "groups" / failed.name / "config.json"
    config.parent.mkdir(parents=True)
    data = {"image_shape": [64, 64, 1], "factors": [["x", 20], ["y", 20]], "name": "circles"}
    config.write_text(json.dumps({"config": failed.config.to_json(), "data": data, "hardware": {}, "versions": {}}))
    return folder


def study_cases(template: Path, rng: random.Random) -> Iterator[Case]:
    """A study, one of whose files is damaged; then where it stands is asked, and it is begun again."""
    study_in(template)
    files = sorted(path.relative_to(template) for path in template.rglob("*") if path.is_file())
    for file in files:
        if file.name.startswith("."):
            continue
        content = (template / file).read_bytes()
        for what, damaged in damages(content, rng, 12):
            yield Case("study folders", f"{file} {what}", _damaged_study(file, damaged), "either")
        yield Case("study folders", f"{file} is a folder", _damaged_study(file, ...), "either")
    for file in (path for path in files if path.suffix == ".json"):
        described = json.loads((template / file).read_text())
        for path in leaves(described):
            old = at(described, path)
            for new in (GONE, *WRONG):
                if rng.random() < 0.6:
                    continue
                deciding = file.name == "study.json" and path[:1] == ("study",) and len(path) > 1
                may_be_none = new is None and path[-1] in ("group_size", "seeds")
                wrong = deciding and new is not GONE and not same_kind(old, new) and new != old and not may_be_none
                name, said = ".".join(map(str, path)), "gone" if new is GONE else repr(new)
                text = json.dumps(changed(described, path, new)).encode()
                expected: Expected = "refused" if wrong else "either"
                yield Case("study folders", f"{file} {name} {said}", _damaged_study(file, text), expected)


def _damaged_study(file: Path, content: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        path = world.place / "study"
        study_in(path)
        before = outcome(path).table
        (path / file).unlink()
        if content is ...:
            (path / file).mkdir()
        else:
            (path / file).write_bytes(content)
        found = outcome(path)
        if len(found.table) and not found.table.equals(before):
            raise Silent("other scores")
        StudyFolder.create(path, tiny_study())

    return go
