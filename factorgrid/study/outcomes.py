"""What a study has found so far: one tidy table, and the state of every group. The only thing that reports read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from factorgrid.config import Config

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
    "steps": "int64",
    "metric": "str",  # a result key, such as "dci.disentanglement" or "st_gap_loss"
    "value": "float64",
    "provenance": "str",  # JSON: seed, counts, direction of the metric
}


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
