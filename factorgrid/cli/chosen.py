"""Which model a command means: a member of a run, or an exported file. No command of its own."""

import sys
from pathlib import Path

from factorgrid import api
from factorgrid.errors import Error
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import NOT_SCORED, choose_members
from factorgrid.training import Run


def chosen_model(path: Path, member: str, *, refined: bool = True) -> TrainedModel:
    """The model at `path`."""
    if path.is_file():
        if member != "best":
            raise Error(f"{path} is a file of one model; leave --member {member}")
        return api.load_model(path)
    run = api.load_run(path, refined=refined)
    return run.model(chosen_member(run, member))


def chosen_member(run: Run, member: str) -> str:
    """One member's name; `member` may be a name, a number or `best`."""
    chosen = choose_members(run, int(member) if member.lstrip("-").isdigit() else member)
    if len(chosen) != 1:
        raise Error(f"one member is needed, not {len(chosen)}; choose one of {', '.join(each.name for each in chosen)}")
    if member == "best" and chosen[0].reason == NOT_SCORED:
        print(f"{chosen[0].name}, {NOT_SCORED}; to know the best: factorgrid evaluate {run.path}", file=sys.stderr)
    return chosen[0].name
