"""What a study has found so far: one tidy table, and the state of every group. The only thing that reports read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from factorgrid.config import LEARNING_RATE, Config
from factorgrid.errors import Error
from factorgrid.methods import OMEGA, method

# a row for each member and score
COLUMNS = {
    "group": "str",  # what trained together; a key of Outcome.runs
    "data": "str",  # as loaded; the names of rendered twins end in _twin
    "method": "str",  # as tables print it, such as "FactorDVAE" or "D-VAE (M)"
    "model": "str",  # a name of METHODS
    "member": "str",  # its name within the group
    "seed": "int64",
    "hyperparameters": "str",  # JSON, sorted keys; "{}" for none
    "labels": "int64",  # how many labelled images; 0: unsupervised
    "supervision": "str",  # a name of SUPERVISIONS; "" without labels
    "masked": "bool",
    "steps": "int64",  # taken when the score was measured
    "metric": "str",  # a result key, such as "dci.disentanglement" or "st_gap_loss"
    "value": "float64",
    "provenance": "str",  # JSON: seed, counts, direction of the metric
}


def no_scores() -> pd.DataFrame:
    """A table of no rows."""
    return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)


@dataclass(frozen=True)
class Kind:
    """What a method is, whatever a study calls it; each attribute is a column of the table.

    Attributes:
        model: a name of `METHODS`.
        masked: whether categories that no label has are switched off.
        supervision: a name of `SUPERVISIONS`; "" without labels.
        labels: how many labelled images; 0: unsupervised.
    """

    model: str
    masked: bool = False
    supervision: str = ""
    labels: int = 0


@dataclass(frozen=True)
class Group:
    """One group of a study and how far it is.

    Attributes:
        name: a key of `Outcome.runs`.
        data, method: which cell of the study it belongs to; a cell may have several groups.
        kind: what the method is.
        members: how many.
        state: "done", "running", "failed" or "waiting".
        reason: why it is not done: the error of a failed group, how far a running one is; "" when done.
    """

    name: str
    data: str
    method: str
    kind: Kind
    members: int
    state: str
    reason: str = ""

    @property
    def cell(self) -> tuple[str, str, int]:
        """(data, method, labels): the cell of the study that it belongs to."""
        return self.data, self.method, self.kind.labels


@dataclass(frozen=True)
class Outcome:
    """A study's results.

    Attributes:
        name: of the study, such as "small-circles".
        title: one line.
        description: a paragraph or two for readers of the report.
        data: data sets in the study's order.
        methods: titles of the methods in the study's order.
        table: a row for each member and score of the groups that are done, columns as in `COLUMNS`.
        groups: every group of the plan.
        runs: the run folder of every group; it need not exist (results may have been copied without the weights).
        arrays: where a group's small arrays are (what figures need of its models): how their paths begin.
        facts: what else a reader should know, such as {"hardware": "2 x AMD EPYC", "factorgrid": "0.1.0"}.
        configs: how every group is trained.
        speeds: seconds of training that one step of one member of a group takes, where that was measured.
        curve: as `table`, of scores that were measured on the way.
    """

    name: str
    title: str
    description: str
    data: tuple[str, ...]
    methods: tuple[str, ...]
    table: pd.DataFrame
    groups: tuple[Group, ...]
    runs: Mapping[str, Path] = field(default_factory=dict)
    arrays: Mapping[str, Path] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[str, Config] = field(default_factory=dict)
    speeds: Mapping[str, float] = field(default_factory=dict)
    curve: pd.DataFrame = field(default_factory=no_scores)


# what tells one model from another
MODEL = ["data", "method", "model", "labels", "supervision", "masked", "hyperparameters", "seed", "steps"]


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """Several studies as one: their models side by side, in the order given.

    Methods of one title are pooled on every data set on which they are trained alike, so seeds that were trained in two
    folders count together; else the later one gets its study's name behind its title. A model that two of them have
    counts once: the first one's, with the scores that only another has. A hyperparameter that one study varies has its
    default value in another one.

    Raises:
        Error: no study at all.
    """
    if not outcomes:
        raise Error("no study given")
    if len(outcomes) == 1:
        return outcomes[0]
    parts = [_renamed(one, f"{place + 1}:") for place, one in enumerate(_told_apart(outcomes))]
    everything, curves = _filled([
        pd.concat([part.table for part in parts], ignore_index=True),
        pd.concat([part.curve for part in parts], ignore_index=True),
    ])  # fmt: skip
    table, curve = _once(everything), _once(curves)
    members, twice = (one.groupby("group")["member"].nunique() for one in (table, everything))
    twice = twice.sub(members, fill_value=0)
    first = outcomes[0]
    facts = {key: "; ".join(dict.fromkeys(one.facts[key] for one in outcomes if key in one.facts))
             for key in dict.fromkeys(key for one in outcomes for key in one.facts)}  # fmt: skip
    return Outcome(
        name="+".join(dict.fromkeys(one.name for one in outcomes)),
        title=" and ".join(dict.fromkeys(one.title for one in outcomes)),
        description="\n\n".join(dict.fromkeys(one.description for one in outcomes if one.description)),
        data=tuple(dict.fromkeys(name for one in outcomes for name in one.data)),
        methods=tuple(dict.fromkeys(name for part in parts for name in part.methods)),
        table=table.astype(first.table.dtypes.to_dict()),
        groups=tuple(
            replace(group, members=group.members - int(twice.get(group.name, 0)))
            for part in parts
            for group in part.groups
            if group.state != "done" or group.name in members
        ),
        curve=curve.astype(first.curve.dtypes.to_dict()),
        runs={name: path for part in parts for name, path in part.runs.items()},
        arrays={name: path for part in parts for name, path in part.arrays.items()},
        facts=facts,
        configs={name: config for part in parts for name, config in part.configs.items()},
        speeds={name: seconds for part in parts for name, seconds in part.speeds.items()},
    )


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Every score of a model once, all of them under its first group and member."""
    owners = table.drop_duplicates(MODEL)[[*MODEL, "group", "member"]]
    owned = table.drop(columns=["group", "member"]).merge(owners, on=MODEL, how="left")[table.columns]
    return owned.drop_duplicates([*MODEL, "metric"], ignore_index=True)


def _told_apart(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same; a method that an earlier study trains otherwise on the same data has its study's name in its title."""
    known: dict[tuple[str, str, int], dict[tuple[Kind, str], str]] = {}  # every way of training, and its title
    found = []
    for place, one in enumerate(outcomes):
        name = one.name if one.name not in [other.name for other in outcomes[:place]] else f"{one.name}, {place + 1}"
        titles: dict[tuple[str, str, int], str] = {}
        for group in one.groups:
            if group.name in one.configs:
                key, way = group.cell, (group.kind, _recipe(one.configs[group.name]))
                ways = known.setdefault(key, {})
                titles[key] = ways.setdefault(way, f"{group.method} ({name})" if ways else group.method)
        found.append(replace(
            one,
            methods=tuple(dict.fromkeys(
                titles.get(group.cell, method)
                for method in one.methods for group in one.groups if group.method == method
            )),
            groups=tuple(
                replace(group, method=titles.get(group.cell, group.method))
                for group in one.groups
            ),
            table=_retitled(one.table, titles),
            curve=_retitled(one.curve, titles),
        ))  # fmt: skip
    return found


def _retitled(table: pd.DataFrame, titles: Mapping[tuple[str, str, int], str]) -> pd.DataFrame:
    keys = zip(table["data"], table["method"], table["labels"], strict=True)
    return table.assign(method=[titles.get(key, key[1]) for key in keys]).astype({"method": "str"})


def _recipe(config: Config) -> str:
    """How a group is trained, whichever members it has."""
    return replace(config, seeds=(0,), hyperparameters={}).identity


def _filled(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """The same, with the defaults of hyperparameters that only some models of a method say."""
    asked = ["method", "model", "hyperparameters"]
    rows = {row for table in tables for row in table[asked].itertuples(index=False, name=None)}
    said: dict[tuple[str, str], set[str]] = {}
    for title, model, text in rows:
        said.setdefault((title, model), set()).update(json.loads(text))

    def filled(title: str, model: str, text: str) -> str:
        defaults = {LEARNING_RATE: Config.learning_rate, OMEGA: 1.0, **method(model).hyperparameters}
        wanted = said[title, model] & defaults.keys()
        return json.dumps({name: defaults[name] for name in wanted} | json.loads(text), sort_keys=True)

    known = {row: filled(*row) for row in rows}
    return [
        table.assign(hyperparameters=[known[row] for row in table[asked].itertuples(index=False, name=None)])
        for table in tables
    ]


def _renamed(outcome: Outcome, prefix: str) -> Outcome:
    """The same with other names of groups, which two studies may share."""
    return replace(
        outcome,
        table=outcome.table.assign(group=prefix + outcome.table["group"]),
        curve=outcome.curve.assign(group=prefix + outcome.curve["group"]),
        groups=tuple(replace(group, name=prefix + group.name) for group in outcome.groups),
        runs={prefix + name: path for name, path in outcome.runs.items()},
        arrays={prefix + name: path for name, path in outcome.arrays.items()},
        configs={prefix + name: config for name, config in outcome.configs.items()},
        speeds={prefix + name: seconds for name, seconds in outcome.speeds.items()},
    )
