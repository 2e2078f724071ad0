"""Words of figures and tables: what a run is called, which member is meant, and why that one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from factorgrid.errors import unknown_name
from factorgrid.methods import method
from factorgrid.models.trained import TrainedModel
from factorgrid.training import Member, Run

NOT_SCORED = "the first: not scored yet"


@dataclass(frozen=True)
class Chosen:
    """A member of a run and the reason for showing it, such as "best of 5 by st_gap_loss: 0.31"."""

    name: str
    reason: str = ""


def choose_members(run: Run, member: str | int) -> list[Chosen]:
    """The members that `member` stands for.

    Args:
        run: any run.
        member: a name, a place in the list, "all", or "best": the lowest straight-through gap if the run is discrete
            and was scored by it, else the highest MIG if it was scored by that, else the first.

    Raises:
        Error: no such member.
    """
    names = [m.name for m in run.members]
    if member == "all":
        return [Chosen(name) for name in names]
    if member == "best":
        return [_best(run)]
    if isinstance(member, int) and -len(names) <= member < len(names):
        return [Chosen(names[member])]
    if str(member) not in names:
        raise unknown_name("member", str(member), ["best", "all", *names])
    return [Chosen(str(member))]


def scores_of(run: Run, key: str) -> dict[str, float]:
    """The finite values of one score by member, as tables show them; empty if the run was not scored by it."""
    table = run.preferred_scores()
    chosen = table[(table["metric"] == key) & np.isfinite(table["value"])]
    return dict(zip(chosen["member"].tolist(), chosen["value"].tolist()))


def run_title(run: Run) -> str:
    """Model, data set and steps; the names of rendered twins end in `_twin`."""
    config = run.config
    model = ("masked " if config.masked else "") + method(config.model).title
    labels = f", {config.labels} labels" if config.labels else ""
    return f"{model} on {data_title(run)}{labels}, {config.steps:,} steps"


def data_title(run: Run) -> str:
    """The name of the data set; of a user's own images, that of their file or folder."""
    return Path(run.config.data).name


def member_title(run: Run, chosen: Chosen) -> str:
    """`run_title` with the member and why it is shown."""
    reason = f" ({chosen.reason})" if chosen.reason else ""
    return f"{run_title(run)}: {chosen.name}{reason}"


def decoder_note(model: TrainedModel) -> str:
    """Of a model that decodes by a refined decoder, which one; else nothing."""
    return f", refined decoder ({model.refined})" if model.refined else ""


def setting(member: Member) -> str:
    """Hyperparameters in words; empty if there are none."""
    return ", ".join(f"{name} = {value:g}" for name, value in sorted(member.hyperparameters.items()))


def _best(run: Run) -> Chosen:
    for key in ("st_gap_loss", "mig"):
        found = scores_of(run, key)
        if found:
            name = run.best_member(key)
            shown = f"{found[name]:.1%}" if key == "mig" else f"{found[name]:.3g} nats"
            return Chosen(name, f"best of {len(found)} by {key}: {shown}" if len(run.members) > 1 else "")
    return Chosen(run.members[0].name, NOT_SCORED if len(run.members) > 1 else "")
