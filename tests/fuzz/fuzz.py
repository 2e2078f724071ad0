"""Run the corpus and count what held: `make fuzz`, or a part of it with --cases.

    python tests/fuzz/fuzz.py [--cases 200] [--seed 0] [--doors images metrics] [--run RUN]

Cases run in processes of their own, with limits of time and memory, and are not told what is tested. A case holds if
it ends in an error of one line where one is due, or in the right result. What does not hold is one of: traceback, hang,
crash, silent (something wrong was accepted), refused (something right was not).
"""

import argparse
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import doors_calls
import doors_files
import doors_folders
from corpus import Case, Silent, World

from factorgrid.errors import Error

SECONDS = 60  # for one case: some compile a program
MEMORY = 24 * 2**30  # of address space


class Hang(BaseException):
    """Not an Exception, so that no reader takes it for damage."""


def all_cases(seed: int, run: Path, place: Path) -> list[Case]:
    """The whole corpus; the same for the same seed and run."""
    doors = [
        lambda rng: doors_folders.run_cases(run, rng),
        lambda rng: doors_folders.study_cases(place / f"study-{os.getpid()}", rng),
        doors_files.toml_cases,
        doors_files.image_cases,
        doors_calls.metric_cases,
        doors_calls.model_cases,
        doors_calls.command_cases,
    ]
    return [case for i, door in enumerate(doors) for case in door(random.Random(f"{seed} {i}"))]


def judge(case: Case, world: World) -> tuple[str, str]:
    """(how it ended, what was said)."""
    signal.signal(signal.SIGALRM, _hang)
    signal.alarm(SECONDS)
    try:
        case.go(world)
    except Error as error:
        one_line = "\n" not in str(error)
        said = str(error)[:200]
        return ("refused" if case.expected == "accepted" else "held" if one_line else "traceback"), said
    except Silent as silent:
        return "silent", str(silent)
    except Hang:
        return "hang", f"more than {SECONDS} s"
    except (Exception, SystemExit) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = (str(error).splitlines() or [""])[0][:120]
        return "traceback", f"{type(error).__name__}: {said} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.alarm(0)
    return ("silent", "accepted") if case.expected == "refused" else ("held", "")


def _hang(*_: Any) -> None:
    raise Hang


def work(seed: int, run: Path, place: Path, todo: list[int], answers: Any) -> None:
    """A process that does cases one after the other."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # not sys.stdout: libraries write without it
    os.dup2(nowhere, 2)
    warnings.simplefilter("ignore")
    cases = all_cases(seed, run, place)
    for index in todo:
        mine = place / f"case-{index}"
        mine.mkdir()
        answers.send((index, *judge(cases[index], World(mine, run))))
        shutil.rmtree(mine, ignore_errors=True)


def do(seed: int, run: Path, place: Path, todo: list[int]) -> dict[int, tuple[str, str]]:
    """How each case ended. A process that dies or does not answer is replaced, and goes on with the next case."""
    context = multiprocessing.get_context("spawn")
    ended: dict[int, tuple[str, str]] = {}
    while len(ended) < len(todo):
        left = [index for index in todo if index not in ended]
        answers, theirs = context.Pipe()
        worker = context.Process(target=work, args=(seed, run, place, left, theirs))
        worker.start()
        theirs.close()
        limit = 240.0  # to start
        for index in left:
            how = "hang"
            with contextlib.suppress(EOFError):
                if answers.poll(limit):
                    _, *found = answers.recv()
                    ended[index] = (found[0], found[1])
                    limit = 2.0 * SECONDS
                    continue
            if not worker.is_alive():
                how = "crash"
            worker.join(0.1 if how == "hang" else 10)
            ended[index] = (how, f"exit status {worker.exitcode}")
            break
        worker.kill()
        worker.join()
    return ended


def make_run(path: Path) -> Path:
    """The smallest run that has everything."""
    import factorgrid as fg

    fg.train(
        data="circles",
        model="dvae",
        seeds=2,
        steps=4,
        architecture="mlp",
        num_latents=2,
        num_categories=8,
        data_options={"image_size": 8},
        out=path,
        quiet=True,
    )
    fg.evaluate(path, counts=fg.metrics.QUICK, gap_batches=2, jobs=1)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, help="how many, chosen by the seed; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--doors", nargs="*", help="only these")
    parser.add_argument("--run", type=Path, help="a trained and scored run; one is made by default")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run = options.run or make_run(place / "run")
        cases = all_cases(options.seed, run, place)
        todo = [i for i, case in enumerate(cases) if not options.doors or case.door in options.doors]
        if options.cases is not None and options.cases < len(todo):
            todo = sorted(random.Random(options.seed).sample(todo, options.cases))
        ended = do(options.seed, run, place, todo)
    names = {i: f"{cases[i].door}: {cases[i].name}" for i in todo}
    failed = [i for i in todo if ended[i][0] != "held"]
    for i in failed:
        print(f"{ended[i][0]:9} {names[i]!a}: {ended[i][1]!a}")
    print(f"\n{'door':15} tried  held  traceback  hang  crash  silent  refused")
    for door in [*dict.fromkeys(case.door for case in cases), "all"]:
        mine = [i for i in todo if door in (cases[i].door, "all")]
        counts = Counter(ended[i][0] for i in mine)
        numbers = [counts[how] for how in ("held", "traceback", "hang", "crash", "silent", "refused")]
        print("{:15} {:5} {:5} {:10} {:5} {:6} {:7} {:8}".format(door, len(mine), *numbers))
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
