"""A page that shows a training from outside: it is written again and again, and refreshes itself in the browser.

It reads what training leaves on disk (history, checkpoints), so it works beside any process, and disturbs none.
"""

import html
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from factorgrid.errors import Error
from factorgrid.files import replacing
from factorgrid.models.trained import TrainedModel
from factorgrid.notebook import curves_picture, seen
from factorgrid.report.captions import Chosen, choose_members, run_title
from factorgrid.study import StudyFolder
from factorgrid.study.folder import readable_run
from factorgrid.study.status import group_state
from factorgrid.training import Run
from factorgrid.training.checkpoint import Checkpoints
from factorgrid.training.run import CHECKPOINTS
from factorgrid.training.state import state_shapes
from factorgrid.training.weights import member_of

STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 1rem auto; padding: 0 1rem }
img { max-width: 100%; background: white; border-radius: 4px; margin: .5rem 0 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left }
progress { width: 12rem } .quiet { opacity: .7 }
"""


@dataclass(frozen=True)
class Seen:
    """What there is to see of a run: how far it is, and of which step its newest model is (None: no model yet)."""

    step: int
    model_step: int | None


def watch(
    path: str | Path,
    *,
    out: str | Path | None = None,
    every: float = 10.0,
    once: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the page of a run or a study, and again whenever there is something new, until training has finished.

    Args:
        path: the folder of a run or of a study.
        out: the page; "watch.html" in that folder by default.
        every: seconds between two looks.
        once: write it once and return.
        say: told where the page is, once it is there.

    Returns:
        The page.

    Raises:
        Error: the folder holds neither, or the page cannot be written.
    """
    path = Path(path)
    page = path / "watch.html" if out is None else Path(out)
    known: tuple[dict[str, Seen], dict[str, str]] | None = None
    while True:
        runs, states, failures = _look(path)
        found = {name: _seen_of(run) for name, run in runs.items()}
        finished = not _going(runs, states) and not {"running", "waiting"} & set(states.values())
        if (found, states) != known or finished:
            text = _page(path, runs, states, failures, found, None if finished or once else every)
            with replacing(page) as temporary:
                temporary.write_text(text, encoding="utf-8")
            if known is None:
                say(f"open {page} in a browser" + ("" if finished or once else "; it refreshes itself"))
            known = found, states
        if finished or once:
            return page
        time.sleep(every)


def model_in_training(run: Run, member: str) -> TrainedModel | None:
    """A member as its newest checkpoint has it, or as it was published; None if there is neither."""
    if run.finished:
        return run.model(member)
    if run.newest_checkpoint is None:
        return None
    group = run.group()
    try:
        with Checkpoints(run.path / CHECKPOINTS, read_only=True) as checkpoints:
            if checkpoints.latest() is None:
                return None
            state = checkpoints.restore(state_shapes(group))
    except Error:  # it was replaced by a newer one meanwhile
        return None
    place = [one.name for one in run.members].index(member)
    method, params, memory = member_of((group.method, state.params, state.memory), place)
    return TrainedModel(method.autoencoder(params, memory), run.shapes.image, run, member)


def _look(path: Path) -> tuple[dict[str, Run], dict[str, str], dict[str, str]]:
    """Runs that were begun; the state of every group of a study; why groups have failed: all by name."""
    if (path / "config.json").exists():
        return {path.name: Run.open(path)}, {}, {}
    if not (path / "study.json").exists():
        raise Error(f"{path} holds neither a run nor a study (no config.json, no study.json); is the path right?")
    folder = StudyFolder.open(path)
    runs = {group.name: readable_run(folder.run_path(group)) for group in folder.groups}
    states = {group.name: group_state(folder, group)[:2] for group in folder.groups}
    return (
        {name: run for name, run in runs.items() if run is not None},
        {name: state for name, (state, _) in states.items()},
        {name: reason for name, (state, reason) in states.items() if state == "failed"},
    )


def _going(runs: dict[str, Run], states: dict[str, str]) -> list[str]:
    """Runs that have not finished and may yet, those at work first."""
    names = [name for name, run in runs.items() if not run.finished and states.get(name) != "failed"]
    return sorted(names, key=lambda name: states.get(name) != "running")


def _seen_of(run: Run) -> Seen:
    if run.finished:
        return Seen(run.config.steps, run.config.steps)
    step = int(run.history["step"].max()) if (run.path / "history.parquet").exists() else 0
    return Seen(step, run.newest_checkpoint)


def _page(
    path: Path, runs: dict[str, Run], states: dict[str, str], failures: dict[str, str], found: dict[str, Seen],
    every: float | None,
) -> str:  # fmt: skip
    again = "" if every is None else f'<meta http-equiv="refresh" content="{every:g}">'
    rows = [_row(name, states.get(name, ""), runs.get(name), found.get(name)) for name in states or runs]
    going = _going(runs, states) or [name for name, run in runs.items() if run.finished][-1:]
    parts = [_run_part(runs[name], found[name]) for name in going[:2]]
    why = [f"<p><b>{html.escape(name)}</b> failed: {html.escape(reason)}" for name, reason in failures.items()]
    about = time.strftime("%H:%M:%S") + ("; this page refreshes itself" if every is not None else "")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{again}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(path.name)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{html.escape(path.name)}</h1><p class=quiet>as of {about}</p>"
        f"<table><tr><th>what trains<th>steps<th><th>state</tr>{''.join(rows)}</table>"
        f"{''.join(why + parts)}</body></html>"
    )


def _row(name: str, state: str, run: Run | None, seen_: Seen | None) -> str:
    if run is None or seen_ is None:
        return f"<tr><td>{html.escape(name)}<td><td><td>{state}</tr>"
    total = run.config.steps
    state = state or ("done" if run.finished else "training")
    return (
        f"<tr><td>{html.escape(name)}<td>{seen_.step:,} of {total:,}"
        f'<td><progress value="{seen_.step}" max="{total}" aria-label="steps"></progress><td>{state}</tr>'
    )


def _run_part(run: Run, found: Seen) -> str:
    title = f"<h2>{html.escape(run_title(run))}</h2>"
    if not (run.path / "history.parquet").exists():
        return f"{title}<p>Nothing to draw yet: the first checkpoint brings the first curves and pictures.</p>"
    chosen = choose_members(run, "best")[0] if run.finished else Chosen(run.members[0].name)
    model = model_in_training(run, chosen.name)
    pictures = [] if model is None else seen(model, chosen)
    at = "" if found.model_step is None else f"<p>Member {chosen.name} after {found.model_step:,} steps:</p>"
    return "".join([title, curves_picture(run), at, *pictures])
