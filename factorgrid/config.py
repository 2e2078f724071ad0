"""The configuration of a group: data, model, hyperparameters, seeds, training. It is a value, and its hash is its name.

A group is the product of its hyperparameter values and its seeds; its members train together as one program. Every
option is declared once, as a field of `Config`: command line flags, keywords of `fg.train`, keys of study files,
defaults, checks and help follow from it (`options.py` is written from it for editors).
"""

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from factorgrid.datasets import OPTIONS as DATA_OPTIONS
from factorgrid.datasets import check_options
from factorgrid.errors import Error, unknown_name
from factorgrid.latents.abilities import Discrete, Maskable
from factorgrid.latents.categorical import SPACINGS
from factorgrid.layers import INITIALIZERS
from factorgrid.layers.product import PRECISIONS
from factorgrid.methods import METHODS, NAMED, OMEGA, NamedMethod, method
from factorgrid.models import ARCHITECTURES
from factorgrid.models.own import is_own
from factorgrid.objectives.supervision import SUPERVISIONS, fitting

LEARNING_RATE = "learning_rate"
REDUCTIONS = ("sum", "mean")
LABELLED = ("label_seed", "reduction", "spacing")  # options that say how labels are used
MOST_SEEDS = 100_000
MOST_SAID = 80  # letters of a wrong value
MOST_NUMBER = 1e12  # of any hyperparameter: beyond, a slip of the keyboard
_INT32 = 2**31 - 1


def option(
    default: Any,
    help: str,
    *,
    flag: str = "",
    choices: Iterable[str] = (),
    least: int | None = None,
    above: int | None = None,
    most: int | None = None,
    since: bool = False,
) -> Any:
    """A field of `Config`.

    Args:
        default: its value where nobody says.
        help: a sentence for the command line.
        flag: a short second name on the command line.
        choices: the names it may have.
        least, above, most: bounds of a number, or of each of several.
        since: it came after 0.1, so it is left out of a run's identity while it has its default.
    """
    bounds = {"least": least, "above": above, "most": most}
    metadata = {"help": help, "flag": flag, "choices": tuple(choices), "since": since, **bounds}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Member:
    """One configuration and one seed: a slot of the group."""

    name: str
    seed: int
    hyperparameters: dict[str, float]


@dataclass(frozen=True)
class Config:
    """What is trained, and how. Defaults are the paper's.

    Raises:
        Error: a name that does not exist, or a value that does not fit; the message names it and what fits.
    """

    data: str = option(dataclasses.MISSING, "A data set (see: factorgrid data list), or the path of your own images.")
    model: str = option(dataclasses.MISSING, "What to train; or OBJECTIVE+LATENT.", choices=METHODS)
    seeds: tuple[int, ...] = option((0,), "Of initial weights and noise, one a member.", least=0, most=_INT32)
    hyperparameters: dict[str, tuple[float, ...]] = option({}, "Values of each; the group has every combination.")
    steps: int = option(300_000, "Training steps; the paper's number by default.", least=1, most=_INT32)
    batch_size: int = option(64, "Images a step.", least=1, most=2**20)
    learning_rate: float = option(1e-4, "Of Adam; several values make several members.", above=0)
    architecture: str = option(
        "conv64",
        "conv64 or convolutional (the paper's, sides of 32 to 256), broadcast (its decoder for Circles), mlp (small), "
        "or your own, my_module:make_networks.",
        choices=ARCHITECTURES,
    )
    num_latents: int = option(10, "Latent dimensions.", flag="latents", least=1, most=4096)
    num_categories: int = option(
        64, "Categories of each latent dimension (discrete models).", flag="categories", least=2, most=2**16
    )
    temperature: float = option(1.0, "Of the Gumbel-softmax (discrete models with noise).", above=0)
    noise_scale: tuple[float, float] = option(
        (0.5, 2.0), "Of the Gumbel noise at the first and at the last step.", least=0
    )
    init: str = option(
        "truncated_normal", "truncated_normal (the paper's code) or glorot (disentanglement_lib).", choices=INITIALIZERS
    )
    data_seed: int | None = option(
        0, "Of the one data stream that all members share, as in the paper's code; none: each draws its own.",
        least=0, most=_INT32,
    )  # fmt: skip
    data_options: dict[str, Any] = option({}, "Options of the data set, such as the image size of circles.")
    labels: int = option(
        0, "How many labelled images for semi-supervised training: the first 90 % train, the rest validate.",
        least=0, most=2**24,
    )  # fmt: skip
    label_seed: int = option(0, "Which images are labelled; the same for all members.", least=0, most=_INT32)
    supervision: str | None = option(
        None, "Gaussian models: bce (default), l2, l2_learned_scale; discrete ones: cross_entropy (default).",
        choices=SUPERVISIONS,
    )  # fmt: skip
    masked: bool = option(False, "Masked attention: only as many categories as the factor has values stay active.")
    reduction: str = option(
        "sum", "Of the supervised term over the labelled batch: sum, as in disentanglement_lib, or mean.",
        choices=REDUCTIONS,
    )  # fmt: skip
    spacing: str = option(
        "bins", "Which categories stand for the values of a factor: bins, or endpoint to span the whole grid.",
        choices=SPACINGS,
    )  # fmt: skip
    width: int | None = option(
        None, "Channels of the layers next to the image, or units of a dense one; the paper's by default.",
        least=1, most=4096, since=True,
    )  # fmt: skip
    depth: int | None = option(
        None, "How often images are halved, or how many dense layers; the paper's by default.",
        least=1, most=16, since=True,
    )  # fmt: skip
    precision: str = option(
        "tf32", "Of products: tf32 (float32 where there is none), float32, or bfloat16 (activations too, not weights).",
        choices=PRECISIONS,
    )  # fmt: skip
    decay: float = option(0.0, "Weight decay (AdamW), on weights and not on biases; 0 is Adam.", least=0, since=True)
    clip_gradient: float | None = option(None, "Every element of a gradient is cut to this size.", above=0, since=True)

    def __post_init__(self) -> None:
        for one in dataclasses.fields(self):
            object.__setattr__(self, one.name, _checked(one, getattr(self, one.name)))
        object.__setattr__(self, "hyperparameters", _as_grid(self.hyperparameters))
        _check_grid(self)
        _check_together(self)

    @property
    def method(self) -> NamedMethod:
        return method(self.model)

    @property
    def supervision_kind(self) -> str | None:
        """The kind of supervision, after defaults; None when training is unsupervised."""
        if not self.labels:
            return None
        return self.supervision or fitting(self.method.latent_class)[0]

    def alone(self, member: "Member") -> "Config":
        """The configuration of one member by itself."""
        values: dict[str, tuple[float, ...]] = {name: (value,) for name, value in member.hyperparameters.items()}
        return dataclasses.replace(self, seeds=(member.seed,), hyperparameters=values)

    @property
    def members(self) -> tuple[Member, ...]:
        """Every combination of hyperparameter values, each with every seed; seeds run fastest."""
        names = sorted(self.hyperparameters)
        combinations = itertools.product(*(self.hyperparameters[name] for name in names))
        return tuple(
            Member(
                "-".join([*(f"{name}{short(value)}" for name, value in zip(names, values)), f"seed{seed}"]),
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
        left_out = {
            f.name for f in dataclasses.fields(self) if f.metadata["since"] and getattr(self, f.name) == f.default
        }
        values = {name: value for name, value in dataclasses.asdict(self).items() if name not in left_out}
        return json.loads(json.dumps(values))

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "Config":
        """The configuration that `to_json` gave.

        Raises:
            Error: keys that this version does not know, or values that do not fit.
        """
        check_names("configuration key", values)
        for key in ("data", "model"):
            if key not in values:
                raise Error(f"a configuration needs '{key}'")
        fields = {f.name: f for f in dataclasses.fields(Config)}
        read = {name: _checked(fields[name], value) for name, value in values.items()}
        return Config(**{**read, "hyperparameters": _as_grid(values.get("hyperparameters", {}))})


def split_options(model: str, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plain options apart: values of hyperparameters, and fields of `Config`.

    The learning rate is a hyperparameter if it has several values. Options of the data set (`image_size`) may stand
    beside the others.

    Raises:
        Error: an unknown model.
    """
    method(model)
    fields = {f.name for f in dataclasses.fields(Config)}
    everywhere = {OMEGA, *(name for known in METHODS.values() for name in known.hyperparameters)}
    varied = {
        name
        for name, value in options.items()
        if (name in everywhere and name not in fields) or (name == LEARNING_RATE and _is_several(value))
    }
    grid = {
        name: options[name] if _is_several(options[name]) else (options[name],) for name in options if name in varied
    }
    of_data = {name: value for name, value in options.items() if name in DATA_OPTIONS}
    fields_given = {name: value for name, value in options.items() if name not in varied and name not in of_data}
    if of_data:
        fields_given["data_options"] = {**fields_given.get("data_options", {}), **of_data}
    return grid, fields_given


def check_names(kind: str, names: Iterable[str], also: Iterable[str] = ()) -> None:
    """Whether names are fields of `Config`.

    Args:
        kind: what an error calls them.
        names: to be checked.
        also: further names that an error may suggest.

    Raises:
        Error: for the first that is none: where it belongs, or the nearest name.
    """
    known = [one.name for one in dataclasses.fields(Config)]
    name = next((name for name in names if name not in known), None)
    if name is None:
        return
    if name in hyperparameters():
        raise Error(f"'{name}' is a hyperparameter, which belongs to a method: among 'hyperparameters', or in a "
                    "study in one of [[methods]]")  # fmt: skip
    if name in DATA_OPTIONS:
        raise Error(f"'{name}' is an option of data sets: among 'data_options', in a study [data_options.NAME]")
    raise unknown_name(kind, name, known, also=(*hyperparameters(), *DATA_OPTIONS, *also))


def without_effect(config: Config) -> dict[str, str]:
    """What is set and changes nothing: options of other latents, and those of labels where there are none.

    Returns:
        Name -> a phrase that follows it, such as "changes nothing, 'vae' has none".
    """
    changed = [one.name for one in dataclasses.fields(config) if getattr(config, one.name) != one.default]
    of_latents = {name for known in METHODS.values() for name in known.latent_class.__dataclass_fields__}
    others = of_latents - set(config.method.latent_class.__dataclass_fields__)
    idle = {name: f"changes nothing, '{config.model}' has none" for name in changed if name in others}
    if not config.labels:
        needless = {*LABELLED} - ({"spacing"} if config.masked else set())
        idle |= {name: "changes nothing without labels" for name in changed if name in needless}
    elif "spacing" in changed and not config.method.can(Discrete):
        idle["spacing"] = f"changes nothing, '{config.model}' has no categories"
    return idle


def hyperparameters() -> dict[str, list[str]]:
    """Every hyperparameter of any method, and the named methods that have it."""
    takers: dict[str, list[str]] = {}
    for name, known in NAMED.items():
        for own in known.hyperparameters:
            takers.setdefault(own, []).append(name)
    return {**takers, OMEGA: ["any model with --labels: the weight of the supervised term"]}


def differences(old: Config, new: Config) -> list[str]:
    """Lines "key: old -> new" for every key that differs."""
    before, after = dataclasses.asdict(old), dataclasses.asdict(new)
    return [f"{key}: {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def short(value: float) -> str:
    """A number as it stands in a member's name: exact, so that no two members have one name."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _is_several(value: Any) -> bool:
    is_array = getattr(value, "ndim", 0) > 0
    return is_array or (isinstance(value, Sequence | set | frozenset) and not isinstance(value, str))


def _checked(one: dataclasses.Field, value: Any) -> Any:
    """A field's value in its declared type, or an Error that names the field."""
    kinds = _KINDS.get(str(one.type))
    if kinds is None:
        return value
    read, what = kinds
    if value is None and "None" in str(one.type):
        return None
    try:
        value = read(value)
    except (TypeError, ValueError, OverflowError):
        if one.name == "data" and _is_several(value):
            raise Error("data must be a name or a path, got an array; write it to a file first: "
                        "np.savez('mine.npz', images=images), and train with data='mine.npz'") from None  # fmt: skip
        shown = " ".join(repr(value).split())[:MOST_SAID]
        raise Error(f"{one.name} must be {what}, got {shown}") from None
    names = one.metadata["choices"]
    if names and value not in names and one.name != "model" and not (one.name == "architecture" and is_own(value)):
        raise unknown_name(one.name, str(value), names)
    for number in value if isinstance(value, tuple) else (value,):
        _check_bounds(one, number)
    return value


def _check_bounds(one: dataclasses.Field, number: Any) -> None:
    least, above, most = (one.metadata[name] for name in ("least", "above", "most"))
    if isinstance(number, float) and not math.isfinite(number):
        raise Error(f"{one.name} must be a finite number, got {number}")
    if isinstance(number, float) and abs(number) > MOST_NUMBER:
        raise Error(f"{one.name} must be at most {MOST_NUMBER:g}, got {number:g}")
    if least is not None and number < least:
        raise Error(f"{one.name} must be at least {least}, got {number}")
    if above is not None and number <= above:
        raise Error(f"{one.name} must be above {above}, got {number}")
    if most is not None and number > most:
        raise Error(f"{one.name} must be at most {most}, got {number}")


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError
    return int(value.__index__())


def _number(value: Any) -> float:
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise TypeError
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not hasattr(value, "__fspath__") and not isinstance(value, str):
        raise TypeError
    return str(value)


def _pair(value: Any) -> tuple[float, ...]:
    first, second = value
    return _number(first), _number(second)


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "<class 'str'>": (_text, "a text"),
    "str | None": (_text, "a text"),
    "<class 'int'>": (_whole, "a whole number"),
    "int | None": (_whole, "a whole number"),
    "<class 'float'>": (_number, "a number"),
    "float | None": (_number, "a number"),
    "<class 'bool'>": (_flag, "true or false"),
    "tuple[int, ...]": (lambda value: tuple(_whole(one) for one in value), "whole numbers"),
    "tuple[float, float]": (_pair, "two numbers"),
    "dict[str, typing.Any]": (lambda value: _plain(dict(value)), "a table of names and values"),
}


def _plain(table: dict[str, Any]) -> dict[str, Any]:
    """NumPy's scalars in it as Python's, which JSON takes."""
    return {name: value.item() if getattr(value, "ndim", None) == 0 else value for name, value in table.items()}


def _as_grid(values: Any) -> dict[str, tuple[float, ...]]:
    """Values of hyperparameters as floats."""
    if not isinstance(values, Mapping):
        raise Error(f"hyperparameters must be a table of names and values, got {values!r}")
    grid = {}
    for name, several in values.items():
        try:
            grid[str(name)] = tuple(_number(value) for value in several)
        except (TypeError, ValueError):
            raise Error(f"hyperparameter '{name}' must be a number or several, got {several!r}") from None
    return grid


def _check_grid(config: Config) -> None:
    chosen = config.method
    for name, values in config.hyperparameters.items():
        shown = ", ".join(map(str, values))
        if name == OMEGA:
            if not config.labels:
                raise Error("omega weighs the supervised term, and there are no labels; add --labels 100, say")
        elif name not in chosen.hyperparameters and name != LEARNING_RATE:
            has = ", ".join(chosen.hyperparameters) or "none"
            raise Error(f"model '{config.model}' has no hyperparameter '{name}'; it has: {has}")
        if not values:
            raise Error(f"hyperparameter '{name}' has no values")
        if len(set(values)) < len(values):
            raise Error(f"hyperparameter '{name}' has a value twice: {shown}")
        if not all(0 <= value <= MOST_NUMBER for value in values):  # NaN fails too
            raise Error(f"hyperparameter '{name}' must be within 0..{MOST_NUMBER:g}, got {shown}")


def _check_together(config: Config) -> None:
    """What one field says of another."""
    if not config.seeds or len(set(config.seeds)) != len(config.seeds):
        raise Error(f"seeds must be different non-negative numbers, got {list(config.seeds)}")
    check_options(config.data, config.data_options)
    if config.supervision is not None and not config.labels:
        raise Error(f"supervision '{config.supervision}' needs labels; add --labels 100, say")
    if config.labels and not fitting(config.method.latent_class):
        raise Error(f"no supervision fits '{config.model}'; leave labels, or use another model")
    if config.masked and not config.method.can(Maskable):
        maskable = [name for name, one in METHODS.items() if one.can(Maskable)]
        raise Error(f"masked attention needs categories that can be masked, and '{config.model}' has none; "
                    f"use {' or '.join(maskable[:2])}")  # fmt: skip
