"""A run on disk.

`config.json`, `members.parquet`, `history.parquet`, `checkpoints/`, `models/MEMBER.safetensors`; and what is made of
them later: `scores.parquet`, `figures/`, `refined/`. `snapshots/STEP` are runs as they were on the way.
"""

import dataclasses
import importlib
import operator
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from factorgrid import datasets, results
from factorgrid.config import Config, Member, differences
from factorgrid.datasets import Dataset
from factorgrid.errors import Error, check_whole
from factorgrid.files import read_json, read_parquet, write_json, write_parquet
from factorgrid.latents import Latent
from factorgrid.method import Params
from factorgrid.metrics import published_settings
from factorgrid.models.trained import TrainedModel
from factorgrid.training.compilation import enable_cache
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.provenance import hardware, installed
from factorgrid.training.refined import Refined, load_refined, refined_file
from factorgrid.training.state import Group, State, state_shapes
from factorgrid.training.weights import load_weights, member_of, save_weights

FORMAT = "factorgrid-2"
CHECKPOINTS, SNAPSHOTS = "checkpoints", "snapshots"
MOST_SIZE = 2**24  # of an image's side, or of a factor
ALONE = "model.safetensors"  # the weights of a run that was saved as one pretrained model
# what config.json must hold to be read
DESCRIBED = {"config": {}, "data": {"image_shape": [int], "factors": (list, None)}}


@dataclass(frozen=True)
class Run:
    """A group on disk, trained or in training.

    Attributes:
        data: where its images are now, if not where `config.data` says.
        refined: whether `model` gives a member its refined decoder, where it has one.
    """

    path: Path
    config: Config
    shapes: Shapes
    data: str | None = None
    refined: bool = True

    @staticmethod
    def open(path: str | Path, *, data: str | Path | None = None, refined: bool = True) -> "Run":
        """The run in a folder.

        Args:
            path: the folder.
            data: where its images are, if they have moved since.
            refined: whether members that have a refined decoder (`factorgrid refine`) decode by it.

        Raises:
            Error: the folder holds no run, or one that cannot be read, or whose files do not belong together.
        """
        enable_cache()  # whatever is done with a run compiles programs
        folder = Path(path)
        if not (folder / "config.json").exists():
            if folder.is_file():
                raise Error(f"{folder} is a file, and a run is a folder; files of `factorgrid export` are for encode, "
                            "generate and sample")  # fmt: skip
            if (folder / "study.json").exists():
                raise Error(f"{folder} is a study; its runs are in {folder / 'groups'}, a folder each")
            raise Error(f"{folder} holds no run (no config.json); train one with: factorgrid train --out {folder} ...")
        described = read_json(folder / "config.json", DESCRIBED)
        known = described["data"]
        try:
            height, width, channels = known["image_shape"]
            factors = None if known["factors"] is None else tuple(int(size) for _, size in known["factors"])
            config = Config.from_json(described["config"])
            shapes = Shapes((height, width, channels), factors)
            for size in (*shapes.image, *(shapes.factors or ())):
                check_whole(size, "a size", least=1, most=MOST_SIZE)
        except (Error, OverflowError, TypeError, ValueError) as error:
            raise Error(f"{folder / 'config.json'} describes no run of this version: {error}") from None
        _check_identity(folder, config, described.get("identity"))
        return Run(folder, config, shapes, None if data is None else str(data), refined)

    @staticmethod
    def create(path: Path, config: Config, dataset: Dataset) -> "Run":
        """Begin a run in a folder, or find the same run there.

        Raises:
            Error: the folder holds a run of another configuration, or of other images.
        """
        if (path / "config.json").exists():
            old = Run.open(path)
            if not (path / "members.parquet").exists():  # killed between the two
                _write_members(path, config)
            changed = differences(old.config, config)
            if changed:
                raise Error(
                    f"{path} holds a run of another configuration ({'; '.join(changed)}); "
                    "choose another --out, or the old values to resume it"
                )
            described = read_json(path / "config.json")["data"]
            own_images = config.data not in datasets.DATASETS
            if Shapes.of(dataset) != old.shapes or (own_images and described.get("origin") != dataset.origin):
                raise Error(
                    f"{path} was trained on other images or factors than {config.data} has now; choose another --out, "
                    "or put the old ones back"
                )
            return old
        write_json(path / "config.json", _described(config, dataset))
        _write_members(path, config)
        return Run(path, config, Shapes.of(dataset))

    @property
    def members(self) -> tuple[Member, ...]:
        return self.config.members

    @property
    def history(self) -> pd.DataFrame:
        """A row for each member and logged step: loss terms averaged since the row before."""
        return read_parquet(self.path / "history.parquet")

    @property
    def scores(self) -> pd.DataFrame:
        """What `evaluate` has found so far: a row for each member and value."""
        return results.read(self.path / "scores.parquet")

    @property
    def finished(self) -> bool:
        return all(self.weights(member.name).exists() for member in self.members)

    @property
    def newest_checkpoint(self) -> int | None:
        """The step of the newest checkpoint that is whole."""
        steps = [int(found.parent.name) for found in (self.path / CHECKPOINTS).glob("*/checksums.json")]
        return max(steps, default=None)

    def weights(self, member: str) -> Path:
        alone = self.path / ALONE
        return alone if alone.exists() else self.path / "models" / f"{member}.safetensors"

    def dataset(self) -> Dataset:
        """The data set that the run was trained on.

        Raises:
            Error: it cannot be loaded, or what lies at `data` has other images or factors.
        """
        name = self.config.data
        if self.data is None and name not in datasets.DATASETS and not Path(name).exists():
            raise Error(f"{self.path} was trained on the images at {name}, which are not there; say where they are: "
                        "--data PATH, or load_run(..., data=PATH)")  # fmt: skip
        found = datasets.load(self.data or name, **self.config.data_options)
        if Shapes.of(found) != self.shapes:
            raise Error(f"{self.data or name} holds {_said(Shapes.of(found))}, but {self.path} was trained on "
                        f"{_said(self.shapes)}")  # fmt: skip
        return found

    def group(self) -> Group:
        return make_group(self.config, self.shapes)

    def state(self) -> State:
        """The trained parameters of all members; optimisers are left out.

        Raises:
            Error: training has not finished.
        """
        like = shapes_of_member(self.config, self.shapes)
        trees = [load_weights(self.weights(member.name), like) for member in self.members]
        kept = jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
        steps = jnp.asarray(self.config.steps, jnp.int32)
        return State(kept["params"], kept["memory"], Params(None), kept["alive"], steps)  # type: ignore[arg-type]

    def publish(self, state: State) -> None:
        """Write the parameters of every member to `models/`."""
        for index, member in enumerate(self.members):
            metadata = {"run": self.config.identity, "member": member.name, "format": FORMAT}
            save_weights(self.weights(member.name), member_of(_published(state), index), metadata)

    @property
    def snapshots(self) -> dict[int, "Run"]:
        """What was kept on the way (`train --snapshot-every`), by the number of steps; each can be scored and drawn.

        Their configuration is that of the whole run, whose schedules they followed.
        """
        folders = [folder for folder in (self.path / SNAPSHOTS).glob("*") if folder.name.isdigit()]
        found = {int(folder.name): Run.open(folder, data=self.data) for folder in folders}
        return {step: found[step] for step in sorted(found) if found[step].finished}

    def keep_snapshot(self, state: State, step: int) -> None:
        """Write what the members have learned after so many steps into a run of its own."""
        folder = self.path / SNAPSHOTS / f"{step}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "members.parquet"):
            shutil.copyfile(self.path / name, folder / name)
        dataclasses.replace(self, path=folder).publish(state)

    def member(self, member: str | SupportsIndex) -> Member:
        """One member's name, seed and hyperparameters, by name or by its place in the list.

        Raises:
            Error: no such member.
        """
        names = [m.name for m in self.members]
        place = None if isinstance(member, str) else operator.index(member)
        name = names[place] if place is not None and -len(names) <= place < len(names) else str(member)
        if name not in names:
            raise Error(f"{self.path} has no member '{member}'; it has: {', '.join(names)}")
        return self.members[names.index(name)]

    def model(self, member: str | SupportsIndex = 0) -> TrainedModel:
        """One member, ready to use, by name or by its place in the list. The data set is not needed.

        It decodes by its refined decoder if it has one, unless the run was opened with refined=False.

        Raises:
            Error: no such member, training has not finished, or files that are damaged.
        """
        chosen = self.member(member)
        kept = self.kept(chosen.name)
        method = member_of(self.group().method, self.members.index(chosen))
        inner = method.autoencoder(kept["params"], kept["memory"])
        found = self.refined_decoder(chosen.name, method.latent)
        if found is None:
            return TrainedModel(inner, self.shapes.image, self, chosen.name)
        return TrainedModel(found.decoding(inner), self.shapes.image, self, chosen.name, found.words)

    def refined_decoder(self, member: str, latent: Latent) -> Refined | None:
        """What a member decodes by instead of its own decoder; None if it has no other or it is left out."""
        return load_refined(refined_file(self.path, member), latent) if self.refined else None

    def kept(self, member: str) -> dict[str, Any]:
        """What a member is made of, by name: "params" (without what only training needs), "memory" and "alive"."""
        like = shapes_of_member(self.config, self.shapes)
        like["params"] = Params(like["params"].model)
        return load_weights(self.weights(member), like)

    def preferred_scores(self) -> pd.DataFrame:
        """`scores`, each measured with the settings that tables prefer; no row if the run has not been scored."""
        if not (self.path / "scores.parquet").exists():
            return results.to_frame([])
        return results.preferred(self.scores, published_settings()).table

    def scores_of(self, member: str) -> list[results.Result]:
        """A member's scores among them."""
        return [row for row in results.from_frame(self.preferred_scores()) if row.member == member]

    def best(self, metric: str) -> TrainedModel:
        """The member with the best score: the lowest straight-through gap, the highest MIG, ...

        Raises:
            Error: this run has not been scored by that metric.
        """
        return self.model(self.best_member(metric))

    def best_member(self, metric: str) -> str:
        """The name of that member."""
        if not (self.path / "scores.parquet").exists():
            raise Error(f"{self.path} has no scores yet; run: factorgrid evaluate {self.path}")
        key = "st_gap_loss" if metric == "st_gap" else metric
        table = self.preferred_scores()
        rows = [row for row in results.from_frame(table) if row.metric == key and np.isfinite(row.value)]
        if not rows:
            known = ", ".join(sorted(table["metric"].unique()))
            raise Error(f"{self.path} has no score '{key}'; it has: {known}")
        sign = 1 if rows[0].provenance["higher_is_better"] else -1
        return max(rows, key=lambda row: sign * row.value).member

    def _repr_html_(self) -> str:
        """For a notebook, from a room that builds on this one."""
        return importlib.import_module("factorgrid.notebook").run_html(self)


def shapes_of_member(config: Config, shapes: Shapes) -> Any:
    """Shapes of what is kept of one member once training is over."""
    group = _published(state_shapes(make_group(config, shapes)))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), group)


def has_begun(folder: Path) -> bool:
    """Whether training has left anything there to go on with."""
    return (folder / "history.parquet").exists() or any(folder.glob(f"{CHECKPOINTS}/*"))


def _check_identity(folder: Path, config: Config, stored: Any) -> None:
    """The configuration, its hash and the table of members must belong together."""
    if stored not in (None, config.identity):
        raise Error(f"{folder / 'config.json'} does not fit its own identity: it was changed or damaged; put the old "
                    "one back, or train again elsewhere")  # fmt: skip
    path = folder / "members.parquet"
    if path.exists():
        table = read_parquet(path)
        names = [member.name for member in config.members]
        same = {"member", "run"} <= set(table.columns) and list(table["member"]) == names
        if not same or set(table["run"]) != {config.identity}:
            raise Error(f"{path} does not fit config.json beside it; delete it, and it is written again by training")


def _said(shapes: Shapes) -> str:
    sizes = "no factors" if shapes.factors is None else f"factors of {', '.join(map(str, shapes.factors))} values"
    return f"images of {' x '.join(map(str, shapes.image))} and {sizes}"


def _write_members(path: Path, config: Config) -> None:
    rows = [{"member": m.name, "seed": m.seed, **m.hyperparameters, "run": config.identity} for m in config.members]
    write_parquet(path / "members.parquet", pd.DataFrame(rows))


def _published(state: State) -> dict[str, Any]:
    """What is kept of a state once training is over; all of it has a member axis."""
    return {"params": state.params, "memory": state.memory, "alive": state.alive}


def _described(config: Config, dataset: Dataset) -> dict[str, Any]:
    space = dataset.space
    return {
        "config": config.to_json(),
        "identity": config.identity,
        "members": [member.name for member in config.members],
        "data": {
            "name": dataset.name,
            "image_shape": list(dataset.image_shape),
            # pairs, not an object: the order of the factors matters
            "factors": None if space is None else [list(pair) for pair in zip(space.names, space.sizes)],
            "words": None if space is None or not space.words else [list(words) for words in space.words],
            "origin": dataset.origin,
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": installed(),
        "hardware": hardware(),
    }
