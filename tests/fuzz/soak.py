"""Four processes do one study while each is killed again and again; it must end as if nobody had touched it.

    python tests/fuzz/soak.py --out soak --minutes 120

Each process is ended 20 to 60 s after it has begun with a group (later on a busy machine, see LEAST), mostly by
SIGKILL, and started again, until every group of the study has a result. Then one process does the same study
undisturbed in another folder, and what both have left is compared: scores and weights to the last bit, histories up to
rounding. A new study with other seeds follows, until the time is over. Counts go to OUT/soak.json after every study.
The exit status tells whether all was equal and no process ended unexpectedly.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from factorgrid.errors import Error
from factorgrid.files import read_arrays, read_parquet
from factorgrid.study import StudyFolder

PROCESSES = 4
SIGNALS = {signal.SIGKILL: 8, signal.SIGTERM: 1, signal.SIGINT: 1}  # and their weights
LIFE = (20.0, 60.0)  # seconds, from when it has a group: on a busy machine half a minute may pass before that
LEAST = 12.0  # seconds of processor: on a machine that is busy with other things, nothing would get done in less
IDLE = 300.0  # seconds, for one that has none
OBEY = 300.0  # how long a process may take to end in good order
QUIET = 3600.0
STUDY = """
name = "soak"
title = "Soak {seed}"
data = ["circles"]
seeds = [{seed}, {next}]
metrics = ["mig", "st_gap"]

[training]
steps = {steps}
architecture = "mlp"
num_latents = 3
data_seed = {seed}

[evaluation]
counts = "quick"
num_train = 500
num_test = 200
gap_batches = 5

[data_options.circles]
image_size = 8

[[methods]]
model = "vae"

[[methods]]
model = "dvae"

[[methods]]
model = "factor_dvae"
steps = 60

[[methods]]
model = "qlae"

[[methods]]
model = "dvae"
title = "D-VAE with labels"
labels = 50

[[methods]]
model = "beta_vae"
beta = [1, 4, 8]
"""


@dataclass
class Counts:
    """What happened."""

    killed: Counter[str] = field(default_factory=Counter)
    started: int = 0
    ended_alone: int = 0  # nothing was left to do, or other processes were at it
    unexpected: list[str] = field(default_factory=list)
    disobeyed: int = 0
    studies: int = 0
    groups: int = 0
    differences: list[str] = field(default_factory=list)
    litter: int = 0  # temporary files that kills have left


@dataclass
class Slot:
    """A place for one process after the other."""

    process: subprocess.Popen[bytes] | None = None
    until: float = 0.0  # when it is ended; when the next is started
    at_work: bool = False
    sent: signal.Signals | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    began, counts, rng = time.monotonic(), Counts(), random.Random(options.seed)
    seed = options.seed
    while (left := 60 * options.minutes - (time.monotonic() - began)) > 0:
        file = options.out / f"soak{seed}.toml"
        file.write_text(STUDY.format(seed=seed, next=seed + 1, steps=options.steps))
        soaked, quiet = options.out / f"soaked{seed}", options.out / f"quiet{seed}"
        if soak(file, soaked, time.monotonic() + left, rng, counts):
            command = [*study_run(file, quiet), "--quiet"]
            subprocess.run(command, check=True, capture_output=True, timeout=QUIET)
            found = compare(soaked, quiet)
            counts.studies += 1
            counts.groups += len(StudyFolder.open(quiet).groups)
            counts.litter += len([path for path in soaked.rglob(".*") if path.suffix in (".json", ".parquet")])
            counts.differences += found
            if not found:
                shutil.rmtree(soaked)
                shutil.rmtree(quiet)
        write(options.out / "soak.json", counts, time.monotonic() - began)
        seed += 2
    sys.exit(bool(counts.differences or counts.unexpected or counts.disobeyed))


def soak(file: Path, folder: Path, end: float, rng: random.Random, counts: Counts) -> bool:
    """Do a study with processes that are killed; whether it was done by then."""
    slots, log = [Slot(until=time.monotonic()) for _ in range(PROCESSES)], folder.with_suffix(".log")
    with log.open("ab") as said:
        while time.monotonic() < end and not is_done(folder):
            for slot in slots:
                turn(slot, folder, [*study_run(file, folder), "--quiet"], said, rng, counts)
            time.sleep(0.2)
    for slot in slots:
        if slot.process is not None:
            slot.process.kill()
            slot.process.wait()
    return is_done(folder)


def turn(slot: Slot, folder: Path, command: list[str], said: Any, rng: random.Random, counts: Counts) -> None:
    """Start the process of a slot, end it, or see how it has ended, whatever is due."""
    now = time.monotonic()
    if slot.process is None:
        if now >= slot.until:
            slot.process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
            slot.until, slot.sent, slot.at_work = now + IDLE, None, False
            counts.started += 1
        return
    status = slot.process.poll()
    if status is not None:
        said.write(f"--- process {slot.process.pid}: status {status} after {slot.sent}\n".encode())
        said.flush()
        expected = {None: (0,), signal.SIGKILL: (-9, 0), signal.SIGTERM: (-15, 143, 0), signal.SIGINT: (-2, 130, 0)}
        if status not in expected[slot.sent]:
            counts.unexpected.append(f"process {slot.process.pid}: status {status} after {slot.sent}")
        counts.ended_alone += slot.sent is None
        slot.process, slot.until = None, now + (0.0 if slot.sent else rng.uniform(5, 15))
    elif not slot.at_work and has_group(slot.process.pid, folder):
        slot.at_work, slot.until = True, now + rng.uniform(*LIFE)
    elif now >= slot.until and slot.sent is None and (not slot.at_work or worked(slot.process.pid) >= LEAST):
        slot.sent = rng.choices(list(SIGNALS), list(SIGNALS.values()))[0]
        slot.process.send_signal(slot.sent)
        counts.killed[slot.sent.name] += 1
        slot.until = now + OBEY
    elif now >= slot.until and slot.sent is not None:
        slot.process.kill()
        counts.disobeyed += 1
        slot.sent, slot.until = signal.SIGKILL, now + OBEY


def study_run(file: Path, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "factorgrid", "study", "run", str(file)]
    return [*command, "--out", str(folder), "--checkpoint-seconds", "1"]


def worked(pid: int) -> float:
    """Seconds of processor that a process has had."""
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def has_group(pid: int, folder: Path) -> bool:
    return any(f'"pid": {pid},' in read(mark) for mark in (folder / "running").glob("*.json"))


def read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_done(folder: Path) -> bool:
    try:
        study = StudyFolder.open(folder)
    except Error:
        return False
    return all(study.result_path(group).exists() for group in study.groups)


def compare(first: Path, second: Path) -> list[str]:
    """What differs between two folders of one study, in words."""
    found = []
    one, two = StudyFolder.open(first), StudyFolder.open(second)
    for a, b in zip(one.groups, two.groups, strict=True):
        tables = [(one.result(a), two.result(b))]
        runs = one.run_path(a), two.run_path(b)
        tables.append(tuple(read_parquet(run / "members.parquet") for run in runs))
        if not same_history(*(read_parquet(run / "history.parquet") for run in runs)):
            found.append(f"{first.name} {a.name}: histories differ")
        if any(not same(*pair) for pair in tables):
            found.append(f"{first.name} {a.name}: tables differ")
        for weights in sorted((runs[1] / "models").iterdir()):
            if not same_arrays(read_arrays(runs[0] / "models" / weights.name), read_arrays(weights)):
                found.append(f"{first.name} {a.name}: weights of {weights.stem} differ")
        if (runs[0] / "checkpoints").exists() or one.failure(a) is not None:
            found.append(f"{first.name} {a.name}: checkpoints or an error are left")
    return found


def same(first: pd.DataFrame | None, second: pd.DataFrame | None) -> bool:
    return first is not None and second is not None and first.equals(second)


def same_history(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Up to rounding: terms are averaged over as many steps at a time as fill two seconds."""
    names = ["member", "step"]
    if list(first) != list(second) or not first[names].equals(second[names]):
        return False
    return np.allclose(first.drop(columns=names), second.drop(columns=names), rtol=1e-4, atol=1e-4, equal_nan=True)


def same_arrays(first: tuple[dict[str, Any], Any], second: tuple[dict[str, Any], Any]) -> bool:
    names = sorted(first[0]) == sorted(second[0])
    return names and all(first[0][name].tobytes() == second[0][name].tobytes() for name in first[0])


def write(path: Path, counts: Counts, seconds: float) -> None:
    values = {
        "minutes": round(seconds / 60, 1),
        "processes": PROCESSES,
        "cores": os.cpu_count(),
        "killed": dict(counts.killed),
        "started": counts.started,
        "ended_alone": counts.ended_alone,
        "studies": counts.studies,
        "groups": counts.groups,
        "differences": counts.differences,
        "unexpected_ends": counts.unexpected,
        "disobeyed": counts.disobeyed,
        "litter": counts.litter,
    }
    path.write_text(json.dumps(values, indent=2) + "\n")
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
