"""Curves of training: every loss term of `history.parquet`, and the total correlation with its discriminator."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from factorgrid.report.captions import run_title, setting
from factorgrid.report.style import FAINT, picture, set_title, setting_colors
from factorgrid.training import Run

FIRST = ("loss", "reconstruction", "kl")
DISCRIMINATOR = ("discriminator_loss", "discriminator_accuracy")
MOST_COLUMNS = 4
UNITS = {
    "discriminator_accuracy": "share told apart",
    "noise_scale": "times standard Gumbel noise",
    "max_probability": "its mean probability",
}
TITLES = {
    "loss": "Loss: what is minimised",
    "reconstruction": "Reconstruction: the pixels' error",
    "kl": "KL: what codes tell of an image",
    "noise_scale": "Noise on the categories' logits",
    "max_probability": "Certainty: the likeliest category",
    "supervised": "Error of the labelled images",
    "capacity_error": "Distance of the KL to its goal",
    "total_correlation": "Total correlation of the latents",
    "off_diagonal": "Covariances of the latents",
    "diagonal": "Variances' distance to the prior's",
    "discriminator_accuracy": "Discriminator: joint or shuffled",
}


def loss_terms(history: pd.DataFrame) -> list[str]:
    """Columns worth a panel: the loss, its terms, then the rest; constant schedules and the discriminator left out."""
    names = [name for name in history.columns if name not in ("member", "step", *DISCRIMINATOR)]
    if "noise_scale" in names and history["noise_scale"].nunique() < 2:
        names.remove("noise_scale")
    return [name for name in FIRST if name in names] + [name for name in names if name not in FIRST]


def draw_training(run: Run, path: Path) -> Path:
    """A panel for each loss term: members as thin lines, their median (per hyperparameter setting) as a thick one.

    Raises:
        Error: the run has no history yet.
    """
    history = run.history
    names = loss_terms(history)
    rows = math.ceil(len(names) / MOST_COLUMNS)
    columns = math.ceil(len(names) / rows)
    with picture(path, 2.7 * columns + 0.6, 2.2 * rows + 0.7) as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(axes.flat, names):
            draw_term(axis, run, history, name)
            axis.set_title(term_title(name))
            if name in FIRST[:2]:
                _log_if_wide(axis, history[name])
        _label(dict(zip(names, axes.flat)))
        _legend(axes.flat[0], run)
        set_title(figure, f"Training: members (thin) and their median\n{run_title(run)}, {len(run.members)} members")
    return path


def draw_total_correlation(run: Run, path: Path) -> Path:
    """The estimated total correlation, and beside it how well the discriminator tells joint from shuffled latents.

    Raises:
        Error: the run has no history yet.
    """
    history = run.history
    has_discriminator = DISCRIMINATOR[1] in history
    names = ["total_correlation", *(DISCRIMINATOR[1:] if has_discriminator else [])]
    with picture(path, 4.2 * len(names) + 0.6, 3.1) as figure:
        axes = figure.subplots(1, len(names), squeeze=False)
        for axis, name in zip(axes.flat, names):
            draw_term(axis, run, history, name)
            axis.set_title(term_title(name))
        axes[0, 0].axhline(0, color=FAINT, linewidth=0.8, linestyle=":")
        axes[0, 0].set_ylabel("estimate (nats)")
        if has_discriminator:
            axes[0, 1].axhline(0.5, color=FAINT, linewidth=0.8, linestyle=":")
            axes[0, 1].text(0.99, 0.5, "chance", transform=axes[0, 1].get_yaxis_transform(), ha="right", va="bottom",
                            fontsize=7, color=FAINT)  # fmt: skip
        _label(dict(zip(names, axes.flat)))
        _legend(axes[0, 0], run)
        how = "by the discriminator" if has_discriminator else "within the minibatch"
        set_title(figure, f"Total correlation of the latents, estimated {how}\n{run_title(run)}")
    return path


def term_title(name: str) -> str:
    """A column of the history in words; its own name where there are none."""
    return TITLES.get(name, name.replace("_", " "))


def draw_term(axis: Axes, run: Run, history: pd.DataFrame, name: str) -> None:
    """One term of all members on an axis, coloured by hyperparameter setting; lines of diverged members end."""
    settings = {member.name: setting(member) for member in run.members}
    labels = list(dict.fromkeys(settings.values()))
    colors = setting_colors(labels)
    curves = history.pivot(index="step", columns="member", values=name)
    for label in labels:
        mine = curves[[member for member, own in settings.items() if own == label and member in curves]]
        steps = mine.index.to_numpy()
        if mine.shape[1] > 1:
            axis.plot(steps, mine.to_numpy(), color=colors[label], linewidth=0.6, alpha=0.45)
        middle = mine.median(axis=1).to_numpy()  # of the members that are alive
        axis.plot(steps, middle, color=colors[label], linewidth=1.8, label=label)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.02)


def _label(panels: dict[str, Axes]) -> None:
    for place, (name, axis) in enumerate(panels.items()):
        axis.set_xlabel("step")
        axis.locator_params(axis="x", nbins=4)
        if name in UNITS:
            axis.set_ylabel(UNITS[name])
        elif place == 0 and not axis.get_ylabel():
            axis.set_ylabel("nats per image")


def _legend(axis: Axes, run: Run) -> None:
    """Only where members differ in hyperparameters."""
    if len({setting(member) for member in run.members}) > 1:
        axis.legend(loc="upper right", fontsize=7)


def _log_if_wide(axis: Axes, values: pd.Series) -> None:
    finite = values[np.isfinite(values)]
    if len(finite) and finite.min() > 0 and finite.max() > 10 * finite.min():
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
