"""The live latent planes of Circles: move the disc, and see where each model puts it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from factorgrid.datasets.rendered.circles import HIGH, LOW, Circles
from factorgrid.errors import Error
from factorgrid.explorer.member_data import Shown, model_data
from factorgrid.explorer.page import short, write_page
from factorgrid.report.captions import Chosen, choose_members, scores_of
from factorgrid.report.planes import JUMP, draw_circles, lattice, planes
from factorgrid.training import Run

NUM_POSITIONS = 21
PATIENCE = 15  # milliseconds that a decoder may take while the disc moves
NUM_PROBES = 9  # a side, of the lattice that decides whether half precision is enough


def live_planes(runs: Sequence[Run | str | Path], out: str | Path, *, num_positions: int = NUM_POSITIONS) -> Path:
    """Write a page on which one moves the disc of Circles and watches its code move in each model's latent plane.

    One HTML file that needs nothing else. The disc is drawn and encoded in the page; each plane also shows the codes
    of a whole lattice of positions, its lines of constant x and of constant y.

    Args:
        runs: trained on Circles with two latents, of the same image size: a VAE and a D-VAE, say. Each gets a panel
            with a menu of its best, median and worst member by MIG; of a run that was not scored, its first member.
        out: the file.
        num_positions: lines of the lattice in each direction.

    Returns:
        The file.

    Raises:
        Error: no run, runs of other data, of other sizes, with other than two latents, or that have not finished
            training; or a file that cannot be written.
    """
    opened = [run if isinstance(run, Run) else Run.open(run) for run in runs]
    if not opened:
        raise Error("no run given; live planes show at least one, trained on circles with two latents")
    dataset = _shared_dataset(opened)
    return write_page(
        Path(out),
        skeleton="planes.html",
        title="Move the disc: latent planes of circles",
        styles=["look.css", "planes.css"],
        scripts=["network.js", "circles.js", "planes.js"],
        data={
            "shape": dataset.image_shape,
            "scale": dataset.scale,
            "low": LOW,
            "high": HIGH,
            "jump": JUMP,
            "patience": PATIENCE,
            "panels": [_panel_data(run, dataset, num_positions) for run in opened],
        },
    )


def pick_members(run: Run) -> list[tuple[str, Chosen]]:
    """Best, median and worst by MIG with that word, each member once; or the first member with no word."""
    migs = scores_of(run, "mig")
    ordered = sorted(migs, key=lambda name: -migs[name])
    if not ordered:
        return [("", choose_members(run, 0)[0])]
    places = {"best": 0, "median": (len(ordered) - 1) // 2, "worst": len(ordered) - 1}
    picked: dict[int, str] = {}
    for word, place in places.items():
        picked.setdefault(place, word)
    return [(word, Chosen(ordered[place])) for place, word in picked.items()]


def _shared_dataset(runs: Sequence[Run]) -> Circles:
    datasets = [run.dataset() for run in runs]
    for run, dataset in zip(runs, datasets):
        if not isinstance(dataset, Circles):
            raise Error(f"latent planes are drawn of circles, and {run.path} was trained on '{run.config.data}'")
        if dataset.image_shape != datasets[0].image_shape:
            sizes = f"{datasets[0].image_shape[0]} and {dataset.image_shape[0]} pixels a side"
            raise Error(f"{runs[0].path} and {run.path} were trained on circles of {sizes}; choose runs of one size")
    first = datasets[0]
    assert isinstance(first, Circles)
    return first


def _panel_data(run: Run, dataset: Circles, num_positions: int) -> list[dict[str, Any]]:
    """The members of one panel, the best first."""
    picked = pick_members(run)
    found = {p.member: p for p in planes(run, dataset, members=[chosen for _, chosen in picked], num=num_positions)}
    probes = draw_circles(dataset, lattice(NUM_PROBES).reshape(-1, 2))
    return [
        {
            **model_data(Shown(run, chosen.name, run.model(chosen.name)), probes[:: NUM_PROBES + 1], probes),
            "place": place,
            "plane": [[short(code, 5) for code in line] for line in found[chosen.name].codes],
        }
        for place, chosen in picked
    ]
