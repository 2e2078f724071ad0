"""Every picture of one run, by one call."""

from dataclasses import replace
from pathlib import Path

from jaxtyping import Float
from numpy import ndarray

from factorgrid.datasets import Dataset
from factorgrid.datasets.rendered.circles import Circles
from factorgrid.errors import check_whole
from factorgrid.report.captions import Chosen, choose_members, decoder_note, member_title
from factorgrid.report.curves import draw_total_correlation, draw_training
from factorgrid.report.draw_traversals import draw_categories, draw_reconstructions, draw_traversals
from factorgrid.report.kl_bars import DimensionKL, dimension_kl, draw_kl
from factorgrid.report.planes import describe, draw_planes, planes
from factorgrid.report.traversals import NUM_COLUMNS, USE_IMAGES, latent_traversals, reconstructions
from factorgrid.training import Run

NUM_IMAGES = 10
KL_IMAGES = 512
NUM_INPUTS = 4  # of the picture like Figure 8, as in the paper


def traverse(
    run: Run | str | Path,
    *,
    member: str | int = "best",
    out: str | Path | None = None,
    num_images: int = NUM_IMAGES,
    seed: int = 0,
    dataset: Dataset | None = None,
    whole_plane: bool = False,
) -> list[Path]:
    """Draw what a run has learned: PNG files in `figures/` of its folder.

    Members that were refined decode by their refined decoder, and titles say so; `load_run(..., refined=False)` leaves
    it out. For the chosen member or members: `reconstructions-MEMBER.png`, `traversals-MEMBER.png`, and with masked
    attention and labels `categories-MEMBER.png` (Figure 8 of the paper). For the whole group: `kl.png`, `training.png`,
    `total_correlation.png` if it was penalised, and `planes.png` for two latents on circles (Figures 10 and 11).

    Args:
        run: a trained run, or its folder.
        member: a name, a place in the list, "best" (by the straight-through gap if the run is discrete and was scored
            by it, else by MIG if scored, else the first; titles say which) or "all".
        out: another folder for the files.
        num_images: how many reconstructions.
        seed: which images are drawn.
        dataset: instead of loading the run's own.
        whole_plane: latent planes show all of [-1, 1], not just the part that a member uses.

    Returns:
        The files.

    Raises:
        Error: no such member, a run that has not finished training, data that is missing, files that cannot be written.
    """
    check_whole(num_images, "num_images", least=1)
    check_whole(seed, "seed", most=2**31 - 1)
    run = run if isinstance(run, Run) else Run.open(run)
    chosen = choose_members(run, member)
    folder = run.path / "figures" if out is None else Path(out)
    dataset = run.dataset() if dataset is None else dataset
    names = _supervised_names(run, dataset)
    found = dimension_kl(run, dataset.draw(KL_IMAGES, seed)[0])
    images, _ = dataset.draw(max(num_images, NUM_INPUTS), seed)
    data, _ = dataset.draw(USE_IMAGES, seed + 1)
    paths = []
    for one in chosen:
        paths += _draw_member(run, one, images, data, num_images, found, names, folder)
    paths.append(draw_kl(found, chosen[0], run, folder / "kl.png", names=names))
    paths.append(draw_training(run, folder / "training.png"))
    if "total_correlation" in run.history:
        paths.append(draw_total_correlation(run, folder / "total_correlation.png"))
    if run.config.num_latents == 2 and isinstance(dataset, Circles):
        paths.append(draw_planes(planes(run, dataset), describe(run), folder / "planes.png", whole=whole_plane))
    return paths


def _draw_member(
    run: Run,
    chosen: Chosen,
    images: Float[ndarray, "image height width channel"],
    data: Float[ndarray, "datum height width channel"],
    num_images: int,
    found: DimensionKL,
    names: tuple[str, ...],
    folder: Path,
) -> list[Path]:
    model = run.model(chosen.name)
    title = member_title(run, chosen) + decoder_note(model)
    own = replace(run, refined=False).model(chosen.name) if model.refined else None
    kl = found.values[found.members.index(chosen.name)]
    seen = reconstructions(model, images)
    rows = latent_traversals(model, images[:2], kl=kl, data=data)
    if max(len(row.values) for row in rows) > NUM_COLUMNS + 1:  # long rows of a masked model: one block only
        rows = latent_traversals(model, images[:1], kl=kl, data=data)
    shown = reconstructions(model, images[:num_images], own)
    name = f"{chosen.name}.png"
    paths = [
        draw_reconstructions(shown, title, folder / f"reconstructions-{name}"),
        draw_traversals(rows, seen, title, folder / f"traversals-{name}", names=names),
    ]
    if run.config.masked and names:
        inputs = images[:NUM_INPUTS]
        tied = latent_traversals(model, inputs, kl=kl, latents=range(len(names)), data=data)
        paths.append(draw_categories(tied, reconstructions(model, inputs), names, title, folder / f"categories-{name}"))
    return paths


def _supervised_names(run: Run, dataset: Dataset) -> tuple[str, ...]:
    """The factors that the first latents were tied to; none without labels."""
    if not run.config.labels or dataset.space is None:
        return ()
    return dataset.space.names
