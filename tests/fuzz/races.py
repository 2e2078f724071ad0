"""Processes that want the same thing at the same moment: how often exactly one gets it.

    python tests/fuzz/races.py --rounds 1000

Every round, four processes meet at a barrier and claim one group of a study. Before it, the mark is in one of several
states: none, that of a dead process, one that nobody has refreshed, an empty or a cut one.
"""

import argparse
import collections
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from factorgrid.study import MethodEntry, Study, StudyFolder

PROCESSES = 4
DEAD = 2**22 - 1  # above what Linux gives out by default
STALE = {
    "none": None,
    "dead": {"pid": DEAD, "share": 0.5, "what": "step 1 of 2"},
    "not refreshed": {"pid": 1, "share": 0.5, "what": "step 1 of 2", "old": True},
    "empty": "",
    "cut": '{"host": "a", "pi',
}


def study_folder(path: Path) -> StudyFolder:
    """A study of one group."""
    return StudyFolder.create(path, Study("race", "Race", ("circles",), (MethodEntry("VAE", "vae"),)))


def race(folder: StudyFolder, rounds: int) -> dict[str, collections.Counter[int]]:
    """For each state of the mark: how many rounds had 0, 1, 2, ... winners."""
    context = multiprocessing.get_context("fork")
    start, end = context.Barrier(PROCESSES + 1), context.Barrier(PROCESSES + 1)
    winners = context.Array("i", rounds)
    workers = [context.Process(target=_claim, args=(folder, start, end, winners)) for _ in range(PROCESSES)]
    mark = folder.path / "running" / f"{folder.groups[0].name}.json"
    for worker in workers:
        worker.start()
    for i in range(rounds):
        _leave(mark, STALE[list(STALE)[i % len(STALE)]])
        start.wait(60)
        end.wait(60)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    return {state: collections.Counter(winners[i :: len(STALE)]) for i, state in enumerate(STALE)}


def _claim(folder: StudyFolder, start: Any, end: Any, winners: Any) -> None:
    group = folder.groups[0]
    for i in range(len(winners)):
        start.wait(60)
        if folder.claim(group):
            with winners.get_lock():
                winners[i] += 1
        end.wait(60)


def _leave(mark: Path, content: Any) -> None:
    """The mark as a process that died has left it."""
    mark.unlink(missing_ok=True)
    if content is None:
        return
    mark.parent.mkdir(exist_ok=True)
    if isinstance(content, str):
        mark.write_text(content)
        return
    mark.write_text(json.dumps({"host": os.uname().nodename, **content}))
    if "old" in content:
        os.utime(mark, (time.time() - 1000,) * 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        found = race(study_folder(Path(place) / "study"), rounds)
    for state, counts in found.items():
        said = ", ".join(f"{num} winners in {times}" for num, times in sorted(counts.items()))
        print(f"mark {state}: {said}")
    held = sum(counts[1] for counts in found.values())
    print(f"claims: {rounds} rounds of {PROCESSES} processes, exactly one winner in {held}", end=" ")
    print(f"({time.monotonic() - began:.0f} s)")
    raise SystemExit(held != rounds)


if __name__ == "__main__":
    main()
