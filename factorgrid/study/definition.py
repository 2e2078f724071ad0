"""What a study is: data sets x methods x hyperparameter values x seeds, training and metrics; read from a TOML file."""

import dataclasses
import itertools
import re
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factorgrid.config import MOST_SEEDS, Config, split_options, without_effect
from factorgrid.datasets import DATASETS
from factorgrid.errors import Error, check_whole, unknown_name
from factorgrid.evaluation import split_names
from factorgrid.files import validated
from factorgrid.latents.abilities import Probabilistic
from factorgrid.methods import METHODS, method
from factorgrid.metrics import PUBLISHED, QUICK, Counts
from factorgrid.metrics.checks import check_counts

SCHEMA = {
    "name": str, "title": str, "description": str, "data": [str], "metrics": [str], "seeds": [int],
    "training": {}, "data_options": {}, "counts": {"downstream_sizes": [int]}, "gap_batches": int,
    "evaluation_seed": int, "group_size": (int, None), "snapshot_every?": (int, None),
    "methods": [{"title": str, "model": str, "seeds": (list, None), "hyperparameters": {}, "options": {}}],
}  # fmt: skip
DEFAULT_METRICS = ("six", "st_gap", "udr", "validation")
MOST_SEED = 2**31 - 1
COUNTS = {"published": PUBLISHED, "quick": QUICK}
SUPERVISION_TITLES = {"bce": "BCE", "l2": "L2", "l2_learned_scale": "L2, learned scale"}


@dataclass(frozen=True)
class MethodEntry:
    """A method of a study: what it trains, and what differs from the study's common settings.

    Attributes:
        title: as tables print it. Entries of one title may differ in the number of labels alone.
        model: a name of `METHODS`.
        seeds: how many or which; None: the study's.
        hyperparameters: values of each hyperparameter; all combinations are trained.
        options: fields of `Config` for this method only, such as labels, masked, supervision.
    """

    title: str
    model: str
    seeds: tuple[int, ...] | None = None
    hyperparameters: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A study as a value.

    Attributes:
        name: short; names its folder.
        title, description: for people; the description may say what the study can show and what not.
        data: names of `DATASETS` or paths of a user's own images.
        methods: what is trained on each of them.
        seeds: of every method that does not say otherwise.
        training: fields of `Config` common to all methods.
        data_options: options of single data sets, such as {"circles": {"image_size": 32}}.
        metrics: names of metrics and selectors; what does not apply to a group is left out there.
        counts: how many samples the metrics draw.
        gap_batches: batches of the straight-through gap.
        evaluation_seed: of the metrics' draws.
        group_size: how many members train together at most; all of a method's if None.
        snapshot_every: every so many steps the members are scored, for learning curves; None: at the end alone.
    """

    name: str
    title: str
    data: tuple[str, ...]
    methods: tuple[MethodEntry, ...]
    description: str = ""
    seeds: tuple[int, ...] = (0,)
    training: Mapping[str, Any] = field(default_factory=dict)
    data_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metrics: tuple[str, ...] = DEFAULT_METRICS
    counts: Counts = PUBLISHED
    gap_batches: int = 1000
    evaluation_seed: int = 0
    group_size: int | None = None
    snapshot_every: int | None = None

    def __post_init__(self) -> None:
        _check(self)

    def config(self, data: str, entry: MethodEntry) -> Config:
        """The configuration of all members of one method on one data set.

        Raises:
            Error: settings that do not exist or do not fit; the message names the method.
        """
        options = {**self.training, **entry.options}
        try:
            if data in self.data_options:
                options["data_options"] = {**options.get("data_options", {}), **self.data_options[data]}
            return Config.from_json(
                {
                    "data": data,
                    "model": entry.model,
                    "seeds": entry.seeds or self.seeds,
                    "hyperparameters": dict(entry.hyperparameters),
                    **options,
                }
            )
        except (Error, TypeError) as error:
            raise Error(f"study '{self.name}', method '{entry.title}': {error}") from None

    def on_twins(self) -> "Study":
        """The same study with every published data set replaced by its rendered twin: no download.

        Raises:
            Error: a data set that has no twin.
        """
        options = {twin_of(name): values for name, values in self.data_options.items() if name in DATASETS}
        return dataclasses.replace(self, data=tuple(twin_of(name) for name in self.data), data_options=options)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any], where: str = "a study") -> "Study":
        """The study that `to_json` gave.

        Raises:
            Error: something is missing or of another kind; `where` is named.
        """
        validated(values, SCHEMA, where)
        entries = [
            MethodEntry(
                title=entry["title"],
                model=entry["model"],
                seeds=None if entry["seeds"] is None else tuple(entry["seeds"]),
                hyperparameters={name: tuple(numbers) for name, numbers in entry["hyperparameters"].items()},
                options=entry["options"],
            )
            for entry in values["methods"]
        ]
        counts = {**values["counts"], "downstream_sizes": tuple(values["counts"]["downstream_sizes"])}
        lists = {name: tuple(values[name]) for name in ("data", "seeds", "metrics")}
        return Study(**{**values, **lists, "methods": tuple(entries), "counts": Counts(**counts)})


def read_study(path: Path) -> Study:
    """The study in a TOML file; `factorgrid study show small-circles` prints one to begin with.

    Options that change nothing are warned of: one of a method for that method, one of [training] for every method.

    Raises:
        Error: not a TOML file, or keys and values that do not exist or fit; the message names the file.
    """
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise Error(f"{path} does not exist") from None
    except OSError as error:
        raise Error(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Error(f"{path} is not a TOML file: {error}") from None
    try:
        study = _study({"name": path.stem, **values})
    except Error as error:
        raise Error(f"{path}: {error}") from None
    for idle in _without_effect(study):
        warnings.warn(f"{path}: {idle}", stacklevel=2)
    return study


def twin_of(name: str) -> str:
    """The rendered twin of a published data set; data that needs no download is its own.

    Raises:
        Error: there is none.
    """
    if name.endswith("_twin") or name == "circles":
        return name
    if f"{name}_twin" not in DATASETS:
        raise Error(f"data set '{name}' has no rendered twin")
    return f"{name}_twin"


def slug(text: str) -> str:
    """A file name for a title.

    >>> slug("D-VAE (M)"), slug("β-TCVAE")
    ('d-vae_m', 'beta-tcvae')
    """
    plain = text.lower().replace("β", "beta")
    return re.sub(r"[^a-z0-9.-]+", "_", plain).strip("_.") or "_"


_KEYS: dict[str, Any] = {
    "name": str,
    "title": str,
    "description": str,
    "data": list,
    "seeds": (int, list),
    "metrics": list,
    "group_size": int,
    "snapshot_every": int,
    "training": dict,
    "evaluation": dict,
    "data_options": dict,
    "methods": list,
}


def _study(values: Mapping[str, Any]) -> Study:
    for key, value in values.items():
        if key not in _KEYS:
            raise unknown_name("key", key, _KEYS)
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise Error(f"'{key}' must be {_kind(_KEYS[key])}, got {value!r}")
    for name, options in values.get("data_options", {}).items():
        if not isinstance(options, dict):
            raise Error(f"data_options.{name} must be a table, got {options!r}")
    for key in ("data", "methods"):
        if not values.get(key):
            raise Error(f"a study needs '{key}'; see: factorgrid study show small-circles")
    counts, gap_batches, seed = _evaluation(values.get("evaluation", {}))
    return Study(
        name=values["name"],
        title=values.get("title", values["name"]),
        description=values.get("description", "").strip(),
        data=_names("data", values["data"]),
        methods=tuple(_entry(entry, values.get("training", {})) for entry in values["methods"]),
        seeds=_seeds(values.get("seeds", 1)),
        training=values.get("training", {}),
        data_options=values.get("data_options", {}),
        metrics=_names("metrics", values.get("metrics", DEFAULT_METRICS)),
        counts=counts,
        gap_batches=gap_batches,
        evaluation_seed=seed,
        group_size=values.get("group_size"),
        snapshot_every=values.get("snapshot_every"),
    )


def _without_effect(study: Study) -> list[str]:
    idle = [without_effect(study.config(study.data[0], entry)) for entry in study.methods]
    return [
        *(
            f"{name} of [training] changes nothing for any method"
            for name in study.training
            if all(name in each for each in idle)
        ),
        *(
            f"method '{entry.title}': {name} {why}"
            for entry, each in zip(study.methods, idle, strict=True)
            for name, why in each.items()
            if name in entry.options
        ),
    ]


def _entry(values: Any, training: Mapping[str, Any]) -> MethodEntry:
    if not isinstance(values, Mapping) or "model" not in values:
        raise Error(f"an entry of [[methods]] needs 'model', one of {', '.join(METHODS)}; got {values!r}")
    left = dict(values)
    model = str(left.pop("model"))
    seeds = left.pop("seeds", None)
    varied, left = split_options(model, left)
    grid = {name: _numbers(name, list(values)) for name, values in varied.items()}
    title = left.pop("title", None)
    if title is not None and not isinstance(title, str):
        raise Error(f"a method's title must be a text, got {title!r}")
    title = title or _title(model, {**training, **left})
    return MethodEntry(title, model, None if seeds is None else _seeds(seeds), grid, left)


def _title(model: str, options: Mapping[str, Any]) -> str:
    """The paper's names: "VAE (BCE)", "D-VAE (M)"."""
    chosen = method(model)
    title = chosen.title
    if options.get("masked"):
        return f"{title} (M)"
    if not options.get("labels") or chosen.can(Probabilistic):
        return title
    kind = options.get("supervision", "bce")
    return f"{title} ({SUPERVISION_TITLES.get(kind, kind)})"


def _evaluation(values: Mapping[str, Any]) -> tuple[Counts, int, int]:
    left = dict(values)
    name = left.pop("counts", "published")
    if not isinstance(name, str) or name not in COUNTS:
        raise unknown_name("counts", str(name), COUNTS)
    gap_batches, seed = left.pop("gap_batches", 20 if name == "quick" else 1000), left.pop("seed", 0)
    known = [f.name for f in dataclasses.fields(Counts)]
    for key in left:
        if key not in known:
            raise unknown_name("key of [evaluation]", key, ["counts", "gap_batches", "seed", *known])
    for key, value in {"gap_batches": gap_batches, "seed": seed, **left}.items():
        if not _whole(*(value if key == "downstream_sizes" and isinstance(value, list) else [value])):
            raise Error(f"'{key}' of [evaluation] must be a whole number, got {value!r}")
    changed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in left.items()}
    return dataclasses.replace(COUNTS[name], **changed), gap_batches, seed


def _seeds(value: Any) -> tuple[int, ...]:
    seeds = value if isinstance(value, list) else [value]
    if not seeds or not _whole(*seeds) or (seeds == [value] and not 1 <= value <= MOST_SEEDS):
        raise Error(f"seeds must be a number of seeds (1 to {MOST_SEEDS:,}) or a list of them, got {value!r}")
    return tuple(value) if isinstance(value, list) else tuple(range(value))


def _names(key: str, values: Sequence[Any]) -> tuple[str, ...]:
    if not values or not all(isinstance(name, str) for name in values) or len(set(values)) < len(values):
        raise Error(f"'{key}' must be different names, got {list(values)}")
    return tuple(values)


def _whole(*values: Any) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise Error(f"'{name}' must be a number or a list of numbers, got {value!r}")
    return tuple(float(v) for v in values)


def _kind(kinds: Any) -> str:
    words = {str: "a text", list: "a list", dict: "a table", int: "a whole number"}
    return " or ".join(words[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))


def _check(study: Study) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", study.name):
        raise Error(
            f"a study's name may have letters, digits, '.', '_' and '-', and not begin with a dot, got {study.name!r}"
        )
    if study.group_size is not None and study.group_size < 1:
        raise Error(f"group_size must be at least 1, got {study.group_size}")
    if study.snapshot_every is not None:
        check_whole(study.snapshot_every, "snapshot_every", least=1)
    counts = dataclasses.asdict(study.counts)
    for size in counts.pop("downstream_sizes"):
        check_counts(downstream_sizes=size)
    check_counts(**counts)
    if not 0 <= study.evaluation_seed <= MOST_SEED:
        raise Error(f"seed of [evaluation] must be between 0 and {MOST_SEED}, got {study.evaluation_seed}")
    check_counts(gap_batches=study.gap_batches)
    if not study.methods or not study.metrics:
        raise Error(f"study '{study.name}' needs methods and metrics")
    split_names(study.metrics)
    for name in study.data_options:
        if name not in study.data:
            misspelt = [data for data in study.data if data not in DATASETS and not Path(data).exists()]
            if misspelt:  # not the name that is right
                raise unknown_name("data set", misspelt[0], DATASETS)
            raise unknown_name("data set in data_options", name, study.data)
    seen: set[tuple[str, int]] = set()
    for data, entry in itertools.product(study.data[:1], study.methods):
        key = (entry.title, study.config(data, entry).labels)
        if key in seen:
            raise Error(f"two methods have the title '{entry.title}'; give one of them another 'title'")
        seen.add(key)
