"""Doing a study: every group is trained and scored once, whoever does it and however often it is interrupted."""

import contextlib
import fnmatch
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jax
import pandas as pd
from rich.console import Console

from factorgrid import results
from factorgrid.errors import Error
from factorgrid.evaluation import Settings, measure
from factorgrid.study.definition import Study
from factorgrid.study.folder import StudyFolder, readable_run
from factorgrid.study.outcomes import COLUMNS
from factorgrid.study.planning import PlannedGroup
from factorgrid.study.progress import StudyProgress
from factorgrid.training import Run, train

ATTEMPTS = 2
MARK_SECONDS = 5.0
TRAINING_SHARE = 0.8  # of a group's work, for the progress bar; scoring is the rest

# (share of the group's work that is done, what is being done)
Report = Callable[[float, str], None]


def run_study(
    study: Study,
    path: Path,
    *,
    models: Path | None = None,
    only: Sequence[str] = (),
    checkpoint_seconds: float = 60.0,
    quiet: bool = False,
    console: Console | None = None,
) -> StudyFolder:
    """Train and score the groups of a study in this process, one after the other; done ones are left alone.

    Stop it at any time: the same call goes on where it was. A group that fails is tried once more, then its error is
    kept and the rest goes on; the next call tries it again. Groups that another process works on are left to it.

    Args:
        study: what to do.
        path: the study's folder; may be on storage that several machines share.
        models: the folder of another study; its groups of the same name and configuration are not trained again.
        only: patterns of group names ("dsprites_twin-*"); all groups if empty.
        checkpoint_seconds: how much training time may be lost when the process is killed.
        quiet: no progress bar.

    Returns:
        The folder; `outcome` reads what it holds.

    Raises:
        Error: the folder holds something else, or no group has such a name.
    """
    groups = select_groups(StudyFolder(path, study), only)  # before anything is written
    folder = StudyFolder.create(path, study, models=models)
    console = console or Console(stderr=True)
    with StudyProgress(folder, groups, console=console, quiet=quiet) as progress:
        for group in waiting_groups(folder, groups, progress.say):
            if not folder.claim(group):
                progress.say(f"{group.name}: another process is at it")
            elif folder.result_path(group).exists():  # another process has done it since this one began
                folder.unmark(group)
                progress.finish(group)
            else:
                if run_group(
                    folder, group, progress.of(group), checkpoint_seconds=checkpoint_seconds, say=progress.say
                ):
                    progress.finish(group)
                jax.clear_caches()  # compiled programs of one group are of no use to the next
    return folder


def select_groups(folder: StudyFolder, only: Sequence[str]) -> list[PlannedGroup]:
    """The groups whose names match any of the patterns.

    Raises:
        Error: a pattern that no name matches.
    """
    names = [group.name for group in folder.groups]
    chosen = set() if only else set(names)
    for pattern in only:
        matching = fnmatch.filter(names, pattern)
        if not matching:
            raise Error(f"no group of study '{folder.study.name}' matches {pattern}; it has: {', '.join(names)}")
        chosen |= set(matching)
    return [group for group in folder.groups if group.name in chosen]


def waiting_groups(
    folder: StudyFolder, groups: Sequence[PlannedGroup], say: Callable[[str], None]
) -> list[PlannedGroup]:
    """Groups without a readable result. A damaged one is named and removed, so that it is computed again."""
    waiting = []
    for group in groups:
        try:
            done = folder.result(group) is not None
        except Error as error:
            say(f"{error}: it is removed, and {group.name} is scored again")
            folder.result_path(group).unlink(missing_ok=True)
            done = False
        if not done:
            waiting.append(group)
    return waiting


def run_group(
    folder: StudyFolder,
    group: PlannedGroup,
    report: Report,
    *,
    checkpoint_seconds: float = 60.0,
    say: Callable[[str], None],
) -> bool:
    """Train and score one group, which this process has claimed, into its result file; whether that went well.

    Its error is kept if not. The claim ends with it.
    """
    with _marked(folder, group, report) as progress:
        return _tried(lambda: _train_and_score(folder, group, progress, checkpoint_seconds), folder, group, say)


def _tried(work: Callable[[], None], folder: StudyFolder, group: PlannedGroup, say: Callable[[str], None]) -> bool:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            work()
            return True
        except Exception as error:  # whatever it is, the other groups go on
            text = describe(error)
            folder.write_failure(group, text)
            more = (
                "it is tried once more" if attempt < ATTEMPTS else "the others go on; run the study again to retry it"
            )
            say(f"{group.name} failed: {text}; {more}")
    return False


def _train_and_score(folder: StudyFolder, group: PlannedGroup, report: Report, checkpoint_seconds: float) -> None:
    config = group.config

    def on_step(step: int, _: object = None) -> None:
        report(TRAINING_SHARE * step / config.steps, f"step {step} of {config.steps}")

    path = folder.run_path(group)
    on_step(_steps_taken(path))
    run = train(
        config, path, quiet=True, checkpoint_seconds=checkpoint_seconds, on_step=on_step,
        snapshot_every=folder.study.snapshot_every,
    )  # fmt: skip
    runs = {**(run.snapshots if folder.study.snapshot_every else {}), config.steps: run}
    tables = []
    for place, (step, one) in enumerate(runs.items()):

        def part(share: float, what: str, place: int = place) -> None:
            report(TRAINING_SHARE + (1 - TRAINING_SHARE) * (place + share) / len(runs), what)

        tables.append(_score(folder, group, one, step, part))
    folder.write_result(group, pd.concat(tables, ignore_index=True))


def _steps_taken(path: Path) -> int:
    """By an earlier call: as its newest checkpoint has it, or all of them."""
    run = readable_run(path)
    if run is None:
        return 0
    return run.config.steps if run.finished else run.newest_checkpoint or 0


def _score(folder: StudyFolder, group: PlannedGroup, run: Run, step: int, report: Report) -> pd.DataFrame:
    study = folder.study

    def progress(done: int, total: int, what: str) -> None:
        report(done / max(total, 1), what)

    settings = Settings(study.evaluation_seed, study.counts, study.gap_batches)
    scores = measure(run, study.metrics, settings, only_missing=True, progress=progress)
    return described(group, run, step, scores)


def described(group: PlannedGroup, run: Run, step: int, scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of a run after some steps as rows of a study's table (`outcomes.COLUMNS`)."""
    config = group.config
    members = {member.name: member for member in run.members}
    rows = [
        {
            "group": group.name,
            "data": config.data,
            "method": group.method,
            "model": config.model,
            "member": row.member,
            "seed": members[row.member].seed,
            "hyperparameters": json.dumps(members[row.member].hyperparameters, sort_keys=True),
            "labels": config.labels,
            "supervision": config.supervision_kind or "",
            "masked": config.masked,
            "steps": step,
            "metric": row.metric,
            "value": row.value,
            "provenance": json.dumps(dict(row.provenance), sort_keys=True),
        }
        for row in results.from_frame(scores)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


@contextlib.contextmanager
def _marked(folder: StudyFolder, group: PlannedGroup, report: Report) -> Iterator[Report]:
    """Pass reports on, and keep the group's mark fresh meanwhile: a compiler or an encoder says nothing for minutes."""
    said, over = (0.0, "starting"), threading.Event()

    def mark() -> None:
        folder.mark(group, share=said[0], what=said[1])

    def keep_fresh() -> None:
        while not over.wait(MARK_SECONDS):
            with contextlib.suppress(Error):  # a full disk, for a moment
                mark()

    def pass_on(share: float, what: str) -> None:
        nonlocal said
        said = share, what
        report(share, what)

    mark()
    thread = threading.Thread(target=keep_fresh, daemon=True)
    thread.start()
    try:
        yield pass_on
    finally:
        over.set()
        thread.join()
        folder.unmark(group)


def describe(error: Exception) -> str:
    """The first line of an error, with its kind unless it is one of ours."""
    text = str(error).strip().splitlines()
    first = text[0] if text else "no message"
    return first if isinstance(error, Error) else f"{type(error).__name__}: {first}"
