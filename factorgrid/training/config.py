"""The configuration of a group: data, model, hyperparameters, seeds, training. It is a value, and its hash is its name.

A group is the product of its hyperparameter values and its seeds; its members train together as one program.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from factorgrid.errors import Error, unknown_name
from factorgrid.latents.categorical import SPACINGS
from factorgrid.layers.product import PRECISIONS
from factorgrid.methods import OMEGA as OMEGA
from factorgrid.methods import method
from factorgrid.objectives.supervision import SUPERVISIONS


@dataclass(frozen=True)
class Member:
    """One configuration and one seed: a slot of the group."""

    name: str
    seed: int
    hyperparameters: dict[str, float]


@dataclass(frozen=True)
class Config:
    """What is trained, and how. Defaults are the paper's.

    Attributes:
        data: a name of `DATASETS`, or the path of a user's own images.
        model: a name of `METHODS`.
        seeds: initial weights and noise of the members.
        hyperparameters: the values of each hyperparameter; the group has every combination, times the seeds.
        steps, batch_size, learning_rate: of Adam.
        architecture: a name of `ARCHITECTURES`.
        num_latents, num_categories, temperature, noise_scale: of the latent; the last three of discrete ones only.
        init: a name of `INITIALIZERS`.
        data_seed: seed of the one data stream that all members share, as in the paper's code; None gives each its own.
        data_options: options of the data set, such as the image size of circles.
        labels: how many labelled images (0: unsupervised); the first 90 % train, the rest validate.
        label_seed: which images those are; the same for all members.
        supervision: a name of `SUPERVISIONS`; None with labels chooses "bce" or "cross_entropy" by the latent.
        masked: masked attention: only as many categories as the factor has values stay active.
        reduction: of the supervised term over the labelled batch.
        precision: of products, a name of `PRECISIONS`: "tf32" where the device has it, "float32", or "bfloat16".
        spacing: which categories stand for the values of a factor: "bins", or "endpoint" to span the whole grid.
    """

    data: str
    model: str
    seeds: tuple[int, ...] = (0,)
    hyperparameters: dict[str, tuple[float, ...]] = field(default_factory=dict)
    steps: int = 300_000
    batch_size: int = 64
    learning_rate: float = 1e-4
    architecture: str = "conv64"
    num_latents: int = 10
    num_categories: int = 64
    temperature: float = 1.0
    noise_scale: tuple[float, float] = (0.5, 2.0)
    init: str = "truncated_normal"
    data_seed: int | None = 0
    data_options: dict[str, Any] = field(default_factory=dict)
    labels: int = 0
    label_seed: int = 0
    supervision: str | None = None
    masked: bool = False
    reduction: str = "sum"
    spacing: str = "bins"
    precision: str = "tf32"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def discrete(self) -> bool:
        return method(self.model).latent == "categorical"

    @property
    def supervision_kind(self) -> str | None:
        """The kind of supervision, after defaults; None when training is unsupervised."""
        if not self.labels:
            return None
        return self.supervision or ("cross_entropy" if self.discrete else "bce")

    @property
    def members(self) -> tuple[Member, ...]:
        """Every combination of hyperparameter values, each with every seed; seeds run fastest."""
        names = sorted(self.hyperparameters)
        combinations = itertools.product(*(self.hyperparameters[name] for name in names))
        return tuple(
            Member(
                "-".join([*(f"{name}{value:g}" for name, value in zip(names, values)), f"seed{seed}"]),
                seed,
                dict(zip(names, values)),
            )
            for values in combinations
            for seed in self.seeds
        )

    @property
    def identity(self) -> str:
        """Sixteen hexadecimal digits: a hash of the whole configuration."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "Config":
        """The configuration that `to_json` gave.

        Raises:
            Error: keys that this version does not know, or values out of range.
        """
        known = {f.name for f in dataclasses.fields(Config)}
        for key in values:
            if key not in known:
                raise unknown_name("configuration key", key, sorted(known))
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        grid = {name: tuple(numbers) for name, numbers in values.get("hyperparameters", {}).items()}
        return Config(**{**values, **lists, "hyperparameters": grid})


def differences(old: Config, new: Config) -> list[str]:
    """Lines "key: old -> new" for every key that differs."""
    before, after = old.to_json(), new.to_json()
    return [f"{key}: {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def _check(config: Config) -> None:
    chosen = method(config.model)
    for name, values in config.hyperparameters.items():
        if name == OMEGA:
            if not config.labels:
                raise Error("omega weighs the supervised term, and there are no labels; add --labels 100, say")
        elif name not in chosen.hyperparameters:
            has = ", ".join(chosen.hyperparameters) or "none"
            raise Error(f"model '{config.model}' has no hyperparameter '{name}'; it has: {has}")
        if not values:
            raise Error(f"hyperparameter '{name}' has no values")
    for name in ("steps", "batch_size", "num_latents"):
        if getattr(config, name) < 1:
            raise Error(f"{name} must be at least 1, got {getattr(config, name)}")
    if config.num_categories < 2:
        raise Error(f"num_categories must be at least 2, got {config.num_categories}")
    if not config.seeds or len(set(config.seeds)) != len(config.seeds) or min(config.seeds) < 0:
        raise Error(f"seeds must be different non-negative numbers, got {list(config.seeds)}")
    if config.learning_rate <= 0 or config.temperature <= 0:
        raise Error("learning_rate and temperature must be positive")
    if config.reduction not in ("sum", "mean"):
        raise Error(f"reduction must be 'sum' or 'mean', got '{config.reduction}'")
    if config.precision not in PRECISIONS:
        raise unknown_name("precision", config.precision, PRECISIONS)
    if config.spacing not in SPACINGS:
        raise unknown_name("spacing", config.spacing, SPACINGS)
    if config.supervision is not None:
        if config.supervision not in SUPERVISIONS:
            raise unknown_name("supervision", config.supervision, SUPERVISIONS)
        if not config.labels:
            raise Error(f"supervision '{config.supervision}' needs labels; add --labels 100, say")
    if config.masked and not config.discrete:
        raise Error(f"masked attention needs categories, and '{config.model}' is Gaussian; use a discrete model")
