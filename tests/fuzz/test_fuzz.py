"""A part of the corpus, another one for every seed; `make fuzz` runs it all."""

import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

from factorgrid.training import Run

HERE = Path(__file__).parent
SEED = int(os.environ.get("FUZZ_SEED", "0"))


def test_a_part_of_the_corpus_holds() -> None:
    # in a process of its own: the type checks of the test session are no part of what users meet; with a run of its
    # own: its images have the size of the cases' images
    command = [sys.executable, str(HERE / "fuzz.py"), "--cases", "60", "--seed", str(SEED)]
    doors = ["--doors", "run folders", "study folders", "study files", "images", "models", "metrics"]
    done = subprocess.run([*command, *doors], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "all                60" in done.stdout


def test_the_corpus_is_large_and_the_same_for_the_same_seed(tiny_run: Run, tmp_path: Path) -> None:
    cases = [fuzz.all_cases(0, tiny_run.path, tmp_path / name) for name in ("a", "b")]
    names = [[f"{case.door}: {case.name}" for case in each] for each in cases]
    assert names[0] == names[1]
    assert len(names[0]) == len(set(names[0])) >= 1000


@pytest.mark.parametrize(
    ("case", "how"),
    [
        (lambda: (_ for _ in ()).throw(fuzz.Error("one line")), "held"),
        (lambda: (_ for _ in ()).throw(fuzz.Error("two\nlines")), "traceback"),
        (lambda: (_ for _ in ()).throw(KeyError("data")), "traceback"),
        (lambda: (_ for _ in ()).throw(SystemExit(1)), "traceback"),
        (lambda: None, "silent"),
    ],
)
def test_the_judge(tmp_path: Path, case: object, how: str) -> None:
    assert callable(case)
    assert fuzz.judge(fuzz.Case("door", "name", lambda world: case()), fuzz.World(tmp_path, tmp_path))[0] == how
