"""How runs and models show themselves in a notebook: HTML with pictures and tables, and the explorer in a frame."""

import base64
import html
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from factorgrid import evaluation, explorer
from factorgrid.errors import Error
from factorgrid.models.trained import TrainedModel
from factorgrid.report.captions import Chosen, choose_members, decoder_note, member_title, run_title
from factorgrid.report.curves import draw_training
from factorgrid.report.draw_traversals import draw_reconstructions, draw_traversals
from factorgrid.report.traversals import latent_traversals, reconstructions
from factorgrid.training import Run

MOST_ROWS = 12  # of members in a table
NUM_IMAGES = 8  # reconstructed
NUM_DATA = 512  # by which columns of a traversal are called used or unused
HEIGHT = 760  # of a frame, in pixels


@dataclass(frozen=True)
class Frame:
    """A page that a notebook shows in a frame.

    Attributes:
        page: its HTML, which needs nothing else.
        height: in pixels.
    """

    page: str
    height: int = HEIGHT

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" sandbox="allow-scripts allow-downloads" '
            f'title="Latent explorer" style="width: 100%; height: {self.height}px; border: 1px solid #8888"></iframe>'
        )


def explorer_frame(model: TrainedModel, *, height: int = HEIGHT, **options: Any) -> Frame:
    """The latent explorer of one model.

    Args:
        model: of a run, or pretrained.
        height: of the frame, in pixels.
        options: of `factorgrid.explore`, but `members` and `out`.

    Raises:
        Error: a model that belongs to no run, or what `explore` raises.
    """
    if not isinstance(model.run, Run):
        raise Error("this model belongs to no run, so there are no data to explore it with; take run.model(...)")
    with tempfile.TemporaryDirectory() as folder:
        page = explorer.explore(model.run, members=[model.member], out=Path(folder) / "page.html", **options)
        return Frame(page.read_text(encoding="utf-8"), height)


def run_html(run: Run) -> str:
    """What a run is, its members with their scores, its curves, and what its best member has learned."""
    parts = [f"<b>{html.escape(run_title(run))}</b> in <code>{html.escape(str(run.path))}</code>", _members(run)]
    if (run.path / "history.parquet").exists():
        parts.append(curves_picture(run))
    if not run.finished:
        return _joined([*parts, "training has not finished"])
    chosen = choose_members(run, "best")[0]
    return _joined([*parts, *seen(run.model(chosen.name), chosen)])


def model_html(model: TrainedModel) -> str:
    """What a model is, and what it makes of images: reconstructions and traversals."""
    kind = type(model.autoencoder.latent).__name__
    about = f"TrainedModel: {model.num_latents} latents, {html.escape(kind)}"
    if not isinstance(model.run, Run):
        return _joined([about])
    title = member_title(model.run, Chosen(model.member)) + decoder_note(model)
    return _joined([f"<b>{html.escape(title)}</b>", about, *seen(model, Chosen(model.member))])


def curves_picture(run: Run) -> str:
    """The loss terms of every member over the steps, as an HTML image."""
    return _picture(lambda path: draw_training(run, path), "training curves")


def seen(model: TrainedModel, chosen: Chosen) -> list[str]:
    """Reconstructions and traversals of a member of a run as HTML images, or why there are none."""
    try:
        dataset = model.run.dataset()
    except Error as error:  # data that are not on this machine
        return [f"no pictures: {html.escape(str(error))}"]
    images, _ = dataset.draw(NUM_IMAGES, 0)
    data, _ = dataset.draw(NUM_DATA, 1)
    title, shown = member_title(model.run, chosen) + decoder_note(model), reconstructions(model, images)
    rows = latent_traversals(model, images[:1], kl=model.usage(data), data=data)
    return [
        _picture(lambda path: draw_reconstructions(shown, title, path), "reconstructions"),
        _picture(lambda path: draw_traversals(rows, shown, title, path), "latent traversals"),
    ]


def _members(run: Run) -> str:
    known = pd.DataFrame([{"member": m.name, "seed": m.seed, **m.hyperparameters} for m in run.members])
    if (run.path / "scores.parquet").exists():
        known = evaluation.table(run, run.scores)
    rest = f"<br>and {len(known) - MOST_ROWS} more members" if len(known) > MOST_ROWS else ""
    return known.head(MOST_ROWS).to_html(index=False, float_format="{:.4g}".format, na_rep="", border=0) + rest


def _picture(draw: Callable[[Path], Path], about: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        drawn = base64.b64encode(draw(Path(folder) / "picture.png").read_bytes()).decode("ascii")
    return f'<img alt="{about}" style="max-width: 100%" src="data:image/png;base64,{drawn}">'


def _joined(parts: list[str]) -> str:
    return "".join(f"<div>{part}</div>" for part in parts)
