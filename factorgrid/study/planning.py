"""From a study to groups: which members train together, and under which name."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from factorgrid.config import short
from factorgrid.errors import Error
from factorgrid.study.definition import MethodEntry, Study, slug
from factorgrid.training import Config


@dataclass(frozen=True)
class PlannedGroup:
    """Members of equal structure that train as one program.

    Attributes:
        name: of its folder and results; unique in the study.
        method: title of the method, as tables print it.
        config: what is trained.
    """

    name: str
    method: str
    config: Config

    @property
    def data(self) -> str:
        return self.config.data

    @property
    def num_members(self) -> int:
        return len(self.config.members)


def plan(study: Study) -> tuple[PlannedGroup, ...]:
    """The groups of a study, data set by data set, methods in the study's order.

    A method's members make one group if they are `group_size` at most. Otherwise there is a group for each combination
    of hyperparameter values, and if one has more seeds than that, several: seeds stay together as long as they can,
    because UDR compares the seeds of one setting.
    """
    groups = [
        group
        for data, entry in itertools.product(study.data, study.methods)
        for group in _groups_of(study, data, entry)
    ]
    named: dict[str, PlannedGroup] = {}
    for group in groups:
        other = named.setdefault(group.name, group)
        if other is not group:
            what = "change a method's title" if other.data == group.data else f"rename {other.data} or {group.data}"
            raise Error(f"two groups of study '{study.name}' would be called '{group.name}'; {what}")
    return tuple(groups)


def _groups_of(study: Study, data: str, entry: MethodEntry) -> list[PlannedGroup]:
    whole = study.config(data, entry)
    name = f"{slug(Path(data).stem)}-{slug(entry.title)}" + (f"-{whole.labels}labels" if whole.labels else "")
    most = study.group_size or len(whole.members)
    if len(whole.members) <= most:
        return [PlannedGroup(name, entry.title, whole)]
    groups = []
    names = sorted(whole.hyperparameters)
    for values in itertools.product(*(whole.hyperparameters[key] for key in names)):
        setting = "".join(f"-{key}{short(value)}" for key, value in zip(names, values))
        for start in range(0, len(whole.seeds), most):
            seeds = whole.seeds[start : start + most]
            part = f"-seeds{seeds[0]}to{seeds[-1]}" if len(seeds) < len(whole.seeds) else ""
            grid: dict[str, tuple[float, ...]] = {key: (value,) for key, value in zip(names, values)}
            config = replace(whole, seeds=seeds, hyperparameters=grid)
            groups.append(PlannedGroup(f"{name}{setting}{part}", entry.title, config))
    return groups
