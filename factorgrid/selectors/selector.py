"""The contract of a selector."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from factorgrid.datasets import Dataset
from factorgrid.models.trained import TrainedModel
from factorgrid.training import Run
from factorgrid.training.state import Group, State
from factorgrid.training.weights import member_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Members:
    """The trained members of a run, loaded once, and the data that they are scored on."""

    run: Run
    dataset: Dataset

    @cached_property
    def state(self) -> State:
        return self.run.state()

    @cached_property
    def group(self) -> Group:
        return self.run.group()

    @cached_property
    def models(self) -> list[TrainedModel]:
        kept = self.group.method, self.state.params, self.state.memory
        each = [member_of(kept, index) for index in range(len(self.run.members))]
        return [TrainedModel(method.autoencoder(params, memory)) for method, params, memory in each]

    @property
    def diverged(self) -> set[str]:
        """Names of the members that left the finite numbers in training: their weights are those from before."""
        return {member.name for member, alive in zip(self.run.members, np.asarray(self.state.alive)) if not alive}


class Found(NamedTuple):
    """What a selector finds.

    Attributes:
        values: key -> a value of every member.
        settings: what they depend on besides the models.
    """

    values: dict[str, Float[np.ndarray, " member"]]
    settings: dict[str, Any]


@dataclass(frozen=True)
class Selector:
    """An entry of `SELECTORS`.

    Attributes:
        keys: names of its values.
        higher_is_better: their direction.
        source: where it was published.
        lacks: what a run would need to be scored by it and has not, in words; "" if it can be.
        score: (members, batches that a gap is estimated from, progress) -> what it finds.
    """

    keys: tuple[str, ...]
    higher_is_better: bool
    source: str
    lacks: Callable[[Run], str]
    score: Callable[[Members, int, Progress | None], Found]
