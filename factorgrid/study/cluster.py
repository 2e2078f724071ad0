"""A study on a Ray cluster: every group is a task, tried again elsewhere when its node dies.

Needs `pip install factorgrid[ray]`, factorgrid on every node, and a study folder that all of them can write (a shared
file system). A group's result is one file that appears whole, so a task that runs twice counts once; a task that is
tried again goes on from the last checkpoint of the one that died.
"""

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from factorgrid.errors import Error
from factorgrid.study.definition import Study
from factorgrid.study.folder import STALE_SECONDS, StudyFolder
from factorgrid.study.planning import PlannedGroup
from factorgrid.study.progress import StudyProgress
from factorgrid.study.run import describe, run_group, select_groups, waiting_groups

LOCAL = "local"
NODE_LOSSES = 10  # how often one group may lose the node that it runs on
POLL_SECONDS = 1.0


def run_on_cluster(
    study: Study,
    path: Path,
    *,
    address: str = LOCAL,
    models: Path | None = None,
    only: Sequence[str] = (),
    cpus: float | None = None,
    gpus: float | None = None,
    checkpoint_seconds: float = 60.0,
    quiet: bool = False,
    console: Console | None = None,
) -> StudyFolder:
    """Train and score the groups of a study as tasks of a Ray cluster; as `run_study` otherwise.

    Args:
        study: what to do.
        path: the study's folder, at the same place on every node.
        address: of the cluster; "auto" for the one that this machine is in, "local" to start one on this machine.
        models: see `run_study`; at the same place on every node.
        only: patterns of group names; all groups if empty.
        cpus, gpus: what a group takes of a node. By default a GPU and a core where there are GPUs, else all cores of
            the smallest node: a group uses every core that it finds.
        checkpoint_seconds: how much training time may be lost when a node dies.
        quiet: no progress bar.

    Raises:
        Error: Ray is not installed or cannot be reached; or see `run_study`.
    """
    ray = _ray()
    groups = select_groups(StudyFolder(path, study), only)  # before anything is written
    folder = StudyFolder.create(path.absolute(), study, models=models)
    console = console or Console(stderr=True)
    own = not ray.is_initialized()
    if own:
        _connect(ray, address)
    try:
        with StudyProgress(folder, groups, console=console, quiet=quiet) as progress:
            waiting = [group for group in waiting_groups(folder, groups, progress.say) if folder.marked(group) is None]
            needs = _resources(ray, cpus, gpus)
            progress.say(f"{len(waiting)} groups on {len(ray.nodes())} nodes, each with {needs}")
            task = ray.remote(max_retries=NODE_LOSSES, **needs)(_run_remotely)
            tasks = {task.remote(str(folder.path), group.name, checkpoint_seconds): group for group in waiting}
            _watch(ray, folder, tasks, progress)
    finally:
        if own:
            ray.shutdown()
    return folder


def _run_remotely(path: str, name: str, checkpoint_seconds: float = 60.0) -> str:
    """What a node does; its value tells the host what to say."""
    folder = StudyFolder.open(Path(path))
    group = folder.group(name)
    if not _claimed(folder, group):
        return f"{name}: another process is at it"
    if folder.result_path(group).exists():  # a task whose answer was lost with its node
        folder.unmark(group)
        return f"{name}: was done already"
    said: list[str] = []
    run_group(folder, group, lambda share, what: None, checkpoint_seconds=checkpoint_seconds, say=said.append)
    return "\n".join(said)


def _claimed(folder: StudyFolder, group: PlannedGroup) -> bool:
    """Claim a group; if another process has it, wait as long as the mark of one that died with its node may last."""
    deadline = time.monotonic() + STALE_SECONDS + 2 * POLL_SECONDS
    while not folder.claim(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _watch(ray: Any, folder: StudyFolder, tasks: dict[Any, PlannedGroup], progress: StudyProgress) -> None:
    """Until every task has ended, one way or the other."""
    waiting = list(tasks)
    while waiting:
        ready, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=POLL_SECONDS)
        for done in ready:
            group = tasks[done]
            try:
                said = ray.get(done)
            except Exception as error:  # the node was lost too often, or had not the memory
                said = f"{group.name} failed: {describe(error)}"
                folder.write_failure(group, describe(error))
            if said:
                progress.say(said)
            progress.finish(group)
        for ref in waiting:
            mark = folder.marked(tasks[ref])
            if mark is not None:
                progress.update(tasks[ref].name, float(mark.get("share", 0)), f"{mark.get('what')} on {mark['host']}")


def _resources(ray: Any, cpus: float | None, gpus: float | None) -> dict[str, float]:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    has_gpus = any(node.get("GPU", 0) > 0 for node in nodes)
    gpus = (1.0 if has_gpus else 0.0) if gpus is None else gpus
    most = max((node.get("GPU", 0) for node in nodes), default=0)
    if gpus > most:
        raise Error(f"no node of the Ray cluster has {gpus:g} GPUs; the most that one has is {most:g}: lower --gpus")
    workers = [node["CPU"] for node in nodes if node.get("CPU", 0) >= 1]
    if not workers:
        raise Error("no node of the Ray cluster offers processor cores")
    cpus = (1.0 if gpus else min(workers)) if cpus is None else cpus
    if cpus > max(workers):
        raise Error(f"no node of the Ray cluster has {cpus:g} cores; the largest has {max(workers):g}: lower --cpus")
    return {"num_cpus": cpus, "num_gpus": gpus}


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(
            address=None if address == LOCAL else address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            include_dashboard=False if address == LOCAL else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise Error(
            f"no Ray cluster at '{address}' ({describe(error)}); start one with 'ray start --head', or use --ray local"
        ) from None


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise Error(
            f"Ray is not installed in {sys.prefix}; run: pip install 'factorgrid[ray]', or leave --ray out"
        ) from None
    return ray
