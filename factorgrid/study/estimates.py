"""What a study will take: memory, arithmetic and hours, measured on the machine that asks."""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from factorgrid import datasets
from factorgrid.datasets import Dataset, DeviceDataset
from factorgrid.datasets.table import HostTable
from factorgrid.errors import Error
from factorgrid.method import Labelled
from factorgrid.study.definition import Study
from factorgrid.study.planning import PlannedGroup, plan
from factorgrid.training import Config
from factorgrid.training.compilation import enable_cache
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.labelled import labelled_sets
from factorgrid.training.state import Group, State, initial_state, state_shapes
from factorgrid.training.step import Fed, Stream, group_step, program, rows_of_steps, views_of

MEASURED_SECONDS, GOES = 3.0, 4
# options with which a program stays the same; that data sets of equal images share one is what keeps a plan short
SAME_PROGRAM = ("data", "data_options", "data_seed", "hyperparameters", "label_seed", "learning_rate", "seeds", "steps")
FED_STEPS = 4  # of a host table; the program takes the last of them again and again
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Speed:
    """What one kind of network costs here.

    Attributes:
        seconds: of training, for one step of one member.
        flops: floating-point operations of that, as the compiler counts them (drawing the images left out).
        shared_bytes: temporary memory that does not grow with the group, and the data if it lies on the device.
        member_bytes: memory of each member: weights, optimiser, and on accelerators its activations.
    """

    seconds: float
    flops: float
    shared_bytes: float
    member_bytes: float


@dataclass(frozen=True)
class GroupEstimate:
    """A group and what its network costs; None if that was not measured."""

    group: PlannedGroup
    speed: Speed | None

    @property
    def steps(self) -> int:
        """Steps of all members together."""
        return self.group.num_members * self.group.config.steps

    @property
    def hours(self) -> float:
        return math.nan if self.speed is None else self.steps * self.speed.seconds / 3600

    @property
    def flops(self) -> float:
        return math.nan if self.speed is None else self.steps * self.speed.flops

    @property
    def memory(self) -> float:
        """Bytes on the device."""
        if self.speed is None:
            return math.nan
        return self.speed.shared_bytes + self.group.num_members * self.speed.member_bytes


def estimate(study: Study, *, measure: bool = True, progress: Progress | None = None) -> tuple[GroupEstimate, ...]:
    """Every group of a study with what it takes on this machine.

    Groups whose networks have the same shape are measured once, on the first of their data sets. A published data set
    that is not on this machine is stood in for by its twin. Scoring is not part of it.

    Args:
        study: what would be trained.
        measure: compile and run each kind of network for about five seconds; otherwise nothing is known but counts.
        progress: called as (kinds done, kinds in all, what is being measured).
    """
    groups = plan(study)
    if not measure:
        return tuple(GroupEstimate(group, None) for group in groups)
    enable_cache()
    kinds: dict[Any, PlannedGroup] = {}
    keys = {group.name: _kind(group) for group in groups}
    for group in groups:
        kinds.setdefault(keys[group.name], group)
    speeds = {}
    for index, (key, group) in enumerate(kinds.items()):
        if progress is not None:
            progress(index, len(kinds), f"{group.method} on {group.data}")
        speeds[key] = measure_speed(group.config)
    return tuple(GroupEstimate(group, speeds[keys[group.name]]) for group in groups)


def measure_speed(config: Config) -> Speed:
    """Compile the group's training program, run it for a moment, and read what the compiler says of it.

    On a CPU members take their passes in turn, so one tells for all; elsewhere the whole group is run.
    """
    on_cpu = jax.default_backend() == "cpu"
    if on_cpu:
        first = {name: values[:1] for name, values in config.hyperparameters.items()}
        config = replace(config, seeds=config.seeds[:1], hyperparameters=first)
    dataset = _dataset(config)
    sets = labelled_sets(config, dataset)
    labelled = None if sets is None else sets[0]
    training = make_group(config, Shapes.of(dataset))
    state, stream = initial_state(training), _stream(training, dataset)
    members = len(config.members)
    number = jax.ShapeDtypeStruct((), jnp.int32)
    abstract = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), (state, training, stream, labelled)
    )
    compiled = program(training).lower(*abstract, number).compile()
    memory = compiled.memory_analysis()
    temporary = float(memory.temp_size_in_bytes)
    state_bytes = _bytes(state) / members
    return Speed(
        seconds=_seconds_per_step(compiled, (state, training, stream, labelled)) / members,
        flops=_flops(training, stream, labelled) / members,
        shared_bytes=_bytes(stream) + (temporary if on_cpu else 0.0),
        member_bytes=state_bytes + (0.0 if on_cpu else temporary / members),
    )


def _stream(group: Group, dataset: Dataset) -> Stream:
    """What a training program is given: the data set, or rows of a host table for as many steps as one run takes."""
    if isinstance(dataset, DeviceDataset):
        return dataset
    assert isinstance(dataset, HostTable)
    rows = np.asarray(rows_of_steps(group, jnp.asarray(0, jnp.int32), FED_STEPS, dataset))
    return Fed(dataset, jnp.asarray(dataset.gather(rows)))


def _kind(group: PlannedGroup) -> tuple[Any, ...]:
    """Groups with equal kinds have equal programs, but for what is drawn, and how long they train."""
    config = group.config
    size = 0 if jax.default_backend() == "cpu" else group.num_members
    options = [getattr(config, one.name) for one in dataclasses.fields(config) if one.name not in SAME_PROGRAM]
    return (*map(repr, options), *sorted(config.hyperparameters), _dataset(config).image_shape, size)


def _dataset(config: Config) -> Dataset:
    try:
        return datasets.load(config.data, **config.data_options)
    except Error:
        twin = f"{config.data}_twin"
        if twin not in datasets.DATASETS:
            raise
        return datasets.load(twin)


def _seconds_per_step(compiled: Any, arguments: tuple[State, Group, Stream, Labelled | None]) -> float:
    """The best of a few goes of equal length: other programs only ever make it slower."""
    state, *rest = arguments

    def timed(num_steps: int) -> float:
        nonlocal state
        began = time.perf_counter()
        state, terms = compiled(state, *rest, jnp.asarray(num_steps, jnp.int32))
        jax.block_until_ready(terms)
        return (time.perf_counter() - began) / num_steps

    num_steps, seconds = 1, timed(1)  # warms up
    while seconds * num_steps < MEASURED_SECONDS / GOES:
        num_steps = max(2 * num_steps, min(8 * num_steps, int(MEASURED_SECONDS / GOES / seconds)))
        seconds = timed(num_steps)
    return min(timed(num_steps) for _ in range(GOES))


def _flops(group: Group, stream: Stream, labelled: Labelled | None) -> float:
    """Of one step of the whole group, before optimisation: the same whatever the device makes of it."""
    state = state_shapes(group)
    views = jax.eval_shape(lambda step: views_of(group, stream, step, 0), jax.ShapeDtypeStruct((), jnp.int32))
    counted = jax.jit(lambda state, views: group_step(state, group, views, labelled)).lower(state, views)
    analysis = counted.cost_analysis()
    return float(analysis["flops"]) if analysis else math.nan


def _bytes(tree: Any) -> float:
    return 1.0 * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_array)))
