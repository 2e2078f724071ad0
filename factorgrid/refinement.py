"""Sharper pictures without touching the code: a second, larger decoder for a trained run.

The encoders stay as they are. The new decoder of each member is trained on what its encoder gives, from its categories
(its codes, where there are none), to reconstruct the data that the run was trained on. Codes, categories and every
score of them are the same by construction: no gradient ever reaches them. All members train at once, by the trainer
that trained the run.
"""

import dataclasses
import inspect
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Int, Key
from rich.console import Console

from factorgrid.datasets import Batch, Dataset, DeviceDataset
from factorgrid.errors import Error, check_whole
from factorgrid.files import read_json, read_parquet, working_on, write_json, write_parquet
from factorgrid.latents import Latent
from factorgrid.layers.product import products_in
from factorgrid.method import WEIGHTS, Examples, Optimizer, Params, purpose_key
from factorgrid.models import ARCHITECTURES, Networks
from factorgrid.models.autoencoder import Encoder
from factorgrid.models.trained import as_floats
from factorgrid.objectives import Loss
from factorgrid.objectives.objective import reconstruction
from factorgrid.selectors import Members, psnr, ssim
from factorgrid.selectors.reconstruction import NUM_IMAGES, SEED, decoded_from, lacks_windows
from factorgrid.training import Run
from factorgrid.training.compilation import enable_cache, make_room
from factorgrid.training.groups import stack
from factorgrid.training.loop import take_all_steps
from factorgrid.training.refined import FOLDER, Refined, refined_file, save_refined
from factorgrid.training.run import CHECKPOINTS, has_begun
from factorgrid.training.state import Group
from factorgrid.training.weights import member_of

DECODER, STEPS, LEARNING_RATE = "convolutional", 20_000, 1e-3
LARGER = 2  # times an architecture's own width
SETTINGS, QUALITY = "settings.json", "quality.parquet"


class Refinement(eqx.Module):
    """What the trainer trains: a decoder; see `method.Trainable`. Nothing else of it is learned.

    Attributes:
        encoder, latent, codebook: of a trained member.
        positions: where the categories of each latent dimension lie; None for a latent without.
        networks: of which the decoder is one half; the other is never made.
        optimizer, precision: as of a `Method`.
    """

    encoder: Encoder
    latent: Latent
    codebook: Any
    positions: Float[Array, "*member latent category"] | None
    networks: Networks = eqx.field(static=True)
    optimizer: Optimizer
    precision: str = eqx.field(static=True)

    @property
    def views(self) -> int:
        return 1

    def init(self, key: Key[Array, ""]) -> tuple[Params, Any]:
        """A fresh decoder."""
        decoder = self.networks.build(self.latent, purpose_key(key, WEIGHTS, 1)).decoder
        return Params(decoder), None  # type: ignore[arg-type]

    def optimizers(self) -> Params:
        return Params(self.optimizer.make())

    def draw(self, dataset: DeviceDataset, key: Key[Array, ""], num: int) -> tuple[Batch, ...]:
        return (dataset.sample(key, num),)

    def losses(
        self,
        params: Params,
        memory: None,
        examples: Examples,
        key: Key[Array, ""],
        step: Int[Array, ""],
        num_steps: int,
    ) -> tuple[dict[str, Loss], None]:
        """The reconstruction loss of a batch, which only the decoder has a part in."""
        images = examples.views[0].images
        decoder: Any = params.model
        with products_in(self.precision):
            posterior: Any = self.latent.read(self.encoder(images), self.codebook)
            if self.positions is None:
                codes = posterior.codes()
            else:
                codes = self.positions[jnp.arange(len(self.positions)), posterior.categories()]
            loss = reconstruction(decoder(self.latent.embed(codes, self.codebook)), images)
        return {"model": Loss(loss, {"loss": loss})}, None


def refine(
    run: Run | str | Path,
    decoder: str = DECODER,
    *,
    width: int | None = None,
    depth: int | None = None,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    batch_size: int = 64,
    members: Sequence[str | int] | None = None,
    dataset: Dataset | None = None,
    checkpoint_seconds: float = 60.0,
    quiet: bool = False,
    console: Console | None = None,
) -> pd.DataFrame:
    """Train a new decoder for every member of a run on its categories, and keep it in the run's folder.

    Encoders, codes, categories and all scores of them stay as they are. From then on the run's models decode by it
    (traversals, reconstructions, the explorer; `load_run(..., refined=False)` leaves it out), while `evaluate` still
    scores the run as it was trained. Where a latent has no categories the decoder is trained on its codes: the means of
    a Gaussian one.

    The same call again goes on where it was stopped. To refine a run anew, delete its folder `refined`.

    Args:
        run: a trained run, or its folder.
        decoder: an architecture, "convolutional", "broadcast" or "mlp", or "my_module:make_networks".
        width, depth: of it; by default twice its usual width, and its usual depth.
        steps, learning_rate, batch_size: of the training, by Adam.
        members: which ones, by name or place in the list; all by default.
        dataset: instead of loading the run's own.
        checkpoint_seconds: how much may be lost when the process is killed.
        quiet: no progress bar.
        console: where it is shown.

    Returns:
        A row per member: `psnr_before`, `psnr_after`, `ssim_before`, `ssim_after`, of the pictures that the old and the
        new decoder make of the same 1,000 images' categories. It is kept as `refined/quality.parquet`.

    Raises:
        Error: an unknown decoder or member, options that do not fit, a run that has not finished training, another
            refinement in its folder, or one that diverged.
    """
    run = dataclasses.replace(run if isinstance(run, Run) else Run.open(run), refined=False)
    check_whole(steps, "steps", least=1)
    check_whole(batch_size, "batch_size", least=1)
    for value, name in ((width, "width"), (depth, "depth")):
        if value is not None:
            check_whole(value, name, least=1, most=4096)
    if not isinstance(learning_rate, int | float) or not 0 < learning_rate < np.inf:
        raise Error(f"learning_rate must be a number above 0, got {learning_rate}")
    networks = Networks(decoder, run.shapes.image, run.config.init, width or larger_width(decoder), depth)
    chosen = {run.member(member).name for member in (range(len(run.members)) if members is None else members)}
    names = [member.name for member in run.members if member.name in chosen]
    if not names:
        raise Error(f"no members are given; {run.path} has: {', '.join(member.name for member in run.members)}")
    settings = {
        "decoder": decoder, "width": networks.width, "depth": depth, "steps": steps, "learning_rate": learning_rate,
        "batch_size": batch_size, "members": names,
    }  # fmt: skip
    enable_cache()
    make_room()
    dataset = run.dataset() if dataset is None else dataset
    group = _group(Members(run, dataset), names, networks, Optimizer(learning_rate), steps, batch_size)
    eqx.filter_eval_shape(group.method.init, jax.random.key(0))  # options that do not fit, before anything is written
    folder = run.path / FOLDER
    with working_on(folder, "refining"):
        _check_settings(folder, settings)
        write_json(folder / SETTINGS, settings)
        if not (folder / QUALITY).exists():
            title = f"refining {run.config.model} on {dataset.name}, {len(names)} members"
            state = take_all_steps(
                group, dataset, None, folder, names, title,
                checkpoint_seconds=checkpoint_seconds, quiet=quiet, console=console,
            )  # fmt: skip
            for index, name in enumerate(names):
                if bool(state.alive[index]):
                    found = Refined(member_of(state.params.model, index), networks)
                    save_refined(refined_file(run.path, name), found, {"run": run.config.identity, "member": name})
            write_parquet(folder / QUALITY, _quality(run, names, dataset))
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return read_parquet(folder / QUALITY)


def larger_width(decoder: str) -> int | None:
    """Twice the width that an architecture has by itself; None for a user's own networks."""
    if decoder not in ARCHITECTURES:
        return None
    return LARGER * int(inspect.signature(ARCHITECTURES[decoder].build).parameters["width"].default)


def _group(
    members: Members, names: Sequence[str], networks: Networks, optimizer: Optimizer, steps: int, batch_size: int
) -> Group:
    each, seeds = [], []
    for member, model in zip(members.run.members, members.models):
        if member.name in names:
            inner, positions = model.autoencoder, jnp.asarray(model.position_table) if model.discrete else None
            frozen = inner.encoder, inner.latent, inner.codebook, positions
            each.append(Refinement(*frozen, networks, optimizer, inner.precision))
            seeds.append(member.seed)
    config = members.run.config
    return Group(stack(each), jnp.asarray(seeds, jnp.int32), steps, batch_size, config.data_seed)


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    if not (folder / SETTINGS).exists() or not (has_begun(folder) or (folder / QUALITY).exists()):
        return
    old = read_json(folder / SETTINGS, {})
    changed = [f"{key}: {old.get(key)} -> {value}" for key, value in settings.items() if old.get(key) != value]
    if changed:
        raise Error(
            f"{folder} holds another refinement ({'; '.join(changed)}); delete that folder to refine the run anew"
        )


def _quality(run: Run, names: Sequence[str], dataset: Dataset) -> pd.DataFrame:
    images = as_floats(dataset.draw(NUM_IMAGES, SEED)[0])
    qualities = {"psnr": psnr} if lacks_windows(run) else {"psnr": psnr, "ssim": ssim}
    rows = []
    for name in names:
        row: dict[str, Any] = {"member": name}
        for when, refined in (("before", False), ("after", True)):
            model = dataclasses.replace(run, refined=refined).model(name)
            decoded = decoded_from(model, images, hard=model.discrete)
            found = {key: float(quality(images, decoded).mean()) for key, quality in qualities.items()}
            diverged = refined and not model.refined
            row |= {f"{key}_{when}": np.nan if diverged else value for key, value in found.items()}
        rows.append(row)
    return pd.DataFrame(rows)
