"""Which latent dimensions the members of a run use: the KL of each, a bar for the median, a point for a member."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from numpy import ndarray

from factorgrid.latents.abilities import Probabilistic
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import Chosen, run_title, setting
from factorgrid.report.style import ACCENT, INK, jitter, picture, set_title, setting_colors
from factorgrid.report.traversals import usage
from factorgrid.training import Run


@dataclass(frozen=True)
class DimensionKL:
    """Mean KL in nats of every member's dimensions.

    Attributes:
        members, settings: names of the members, and their hyperparameters in words.
        values: of dimension i of each member.
        ceiling: the most that each dimension can hold; infinite for latents without probabilities of categories.
    """

    members: tuple[str, ...]
    settings: tuple[str, ...]
    values: Float[ndarray, "member latent"]
    ceiling: Float[ndarray, " latent"]


def dimension_kl(run: Run, images: Shaped[ndarray, "sample height width channel"]) -> DimensionKL:
    """The KL of every member on the same images.

    Raises:
        Error: training has not finished.
    """
    models = [run.model(member.name) for member in run.members]
    return DimensionKL(
        tuple(member.name for member in run.members),
        tuple(setting(member) for member in run.members),
        np.stack([usage(model, images) for model in models]),
        kl_ceiling(models[0]),
    )


def kl_ceiling(model: TrainedModel) -> Float[ndarray, " latent"]:
    """The logarithm of the number of active categories: the KL of a dimension that is certain of its category."""
    if not model.can(Probabilistic):
        return np.full(model.num_latents, np.inf, np.float32)
    return np.log(np.asarray([len(categories) for categories in model.active_categories], np.float32))


def draw_kl(found: DimensionKL, chosen: Chosen, run: Run, path: Path, *, names: tuple[str, ...] = ()) -> Path:
    """Bars of the median over members, points of the members, `chosen` ringed and numbered.

    Dimensions of different members have nothing to do with each other, so each member's are sorted; not so those
    that are tied to factors (`names`), which keep their place.
    """
    num_members, num_latents = found.values.shape
    tied = bool(names)
    order = np.tile(np.arange(num_latents), (num_members, 1)) if tied else np.argsort(-found.values, axis=1)
    values = np.take_along_axis(found.values, order, axis=1)
    with picture(path, max(4.6, 0.62 * num_latents + 1.8), 3.3) as figure:
        axis = figure.subplots()
        axis.bar(np.arange(num_latents), np.median(values, axis=0), color="0.88", edgecolor="0.7", label="median")
        _draw_members(axis, found, values)
        _draw_chosen(axis, found, chosen, values, None if tied else order)
        _draw_ceiling(axis, found.ceiling, values)
        labels = [names[i] if i < len(names) else f"latent {i}" for i in range(num_latents)] if tied else None
        axis.set_xticks(np.arange(num_latents), labels or [str(i + 1) for i in range(num_latents)])
        if tied:
            axis.tick_params(axis="x", rotation=30)
        axis.set_xlabel("latent dimension" if tied else "dimensions of each member, sorted by KL")
        axis.set(ylabel="mean KL (nats)", ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
        set_title(figure, f"KL of each latent dimension\n{run_title(run)}, {num_members} members")
    return path


def _draw_members(axis: Axes, found: DimensionKL, values: Float[ndarray, "member latent"]) -> None:
    names = list(dict.fromkeys(found.settings))
    colors = setting_colors(names)
    offsets = jitter(len(values), 0.6) if len(values) > 1 else np.zeros(1)
    for name in names:
        mine = np.asarray([own == name for own in found.settings])
        x = np.arange(values.shape[1])[None, :] + offsets[mine, None]
        axis.scatter(x, values[mine], s=14, color=colors[name], linewidths=0, alpha=0.8, label=name or "members")


def _draw_chosen(
    axis: Axes, found: DimensionKL, chosen: Chosen, values: Float[ndarray, "member latent"], order: ndarray | None
) -> None:
    index = found.members.index(chosen.name)
    x = np.arange(values.shape[1]) + (jitter(len(values), 0.6)[index] if len(values) > 1 else 0)
    ring = chosen.name if order is None else f"{chosen.name},\nnumbers: its latents"
    axis.scatter(x, values[index], s=44, facecolors="none", edgecolors=ACCENT, linewidths=1.3, label=ring)
    for place, latent in enumerate([] if order is None else order[index]):
        axis.annotate(
            str(latent), (x[place], values[index, place]), xytext=(7, -3), textcoords="offset points",
            ha="left", fontsize=7, color=ACCENT,
        )  # fmt: skip


def _draw_ceiling(axis: Axes, ceiling: Float[ndarray, " latent"], values: Float[ndarray, "member latent"]) -> None:
    """Only where it is near enough to matter."""
    if not np.isfinite(ceiling).all() or values.max() < 0.4 * ceiling.max():
        return
    edges = np.arange(len(ceiling))
    axis.hlines(ceiling, edges - 0.45, edges + 0.45, colors=INK, linestyles=":", linewidths=1, label="log categories")
