"""The latent explorer: every latent dimension of trained models, with a decoder that runs in the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from factorgrid.datasets import Dataset
from factorgrid.errors import Error, check_whole
from factorgrid.explorer.facts import NUM_PROBES, correlation, gather
from factorgrid.explorer.member_data import Shown, member_data
from factorgrid.explorer.page import base64_of, write_page
from factorgrid.report.captions import choose_members, data_title, scores_of
from factorgrid.training import Run

NUM_IMAGES = 8
PRECISION_PROBES = 128
Runs = Run | str | Path | Sequence[Run | str | Path]


def explore(
    run: Runs,
    *,
    members: Sequence[str | int] = ("best",),
    out: str | Path | None = None,
    num_images: int = NUM_IMAGES,
    seed: int = 0,
    dataset: Dataset | None = None,
) -> Path:
    """Write the latent explorer: one HTML file that opens from disk in any browser, without a network.

    The decoder and the encoder run in the page. Every latent dimension has a slider (of its categories; of numbers for
    a Gaussian model), pictures of all its categories, how often each is used, its KL, and its mutual information with
    each factor. Several members are chosen from a menu, and two can be moved side by side by the same sliders.

    Args:
        run: a trained run or its folder; or several, of the same data, to compare methods.
        members: of each run: names, places in the list, "best" (as in `report.traverse`), or "all".
        out: the file; "explorer.html" in the (first) run's folder by default.
        num_images: how many stored images one can start from.
        seed: which images are drawn.
        dataset: instead of loading the run's own.

    Returns:
        The file.

    Raises:
        Error: no such member, runs of different data, a run that has not finished training, data that is missing, a
            network that the explorer does not know, or a file that cannot be written.
    """
    check_whole(num_images, "num_images", least=1)
    check_whole(seed, "seed", most=2**31 - 1)
    runs = _opened(run)
    shown = [one for each in runs for one in _shown(each, members)]
    if not shown:
        raise Error(f"no members are given; {runs[0].path} has: {', '.join(one.name for one in runs[0].members)}")
    dataset = runs[0].dataset() if dataset is None else dataset
    path = runs[0].path / "explorer.html" if out is None else Path(out)
    data = explorer_data(shown, dataset, num_images=num_images, seed=seed)
    return write_page(
        path,
        skeleton="explorer.html",
        title=f"Latent explorer: {data['data']}",
        styles=["look.css", "explorer.css"],
        scripts=["network.js", "latents.js", "explorer.js"],
        data=data,
    )


def explorer_data(
    shown: Sequence[Shown], dataset: Dataset, *, num_images: int, seed: int, num_probes: int = NUM_PROBES
) -> dict[str, Any]:
    """All that the page knows, as JSON."""
    facts = gather([one.model for one in shown], dataset, num=num_probes, seed=seed + 1)
    probes, _ = dataset.draw(PRECISION_PROBES + num_images, seed)
    images, probes = probes[:num_images], probes[num_images:]
    return {
        "data": data_title(shown[0].run),
        "shape": dataset.image_shape,
        "factors": [] if dataset.space is None else dataset.space.names,
        "probes": num_probes,
        "images": [base64_of((image * 255).round().astype(np.uint8)) for image in images],
        "members": [member_data(one, known, images, probes) for one, known in zip(shown, facts)],
        # by which latents of two members are told to be the same one
        "correlations": [[correlation(a.codes, b.codes).round(3).tolist() for b in facts] for a in facts],
    }


def _opened(run: Runs) -> list[Run]:
    several = [run] if isinstance(run, Run | str | Path) else list(run)
    if not several:
        raise Error("no run given; the explorer shows at least one")
    runs = [each if isinstance(each, Run) else Run.open(each) for each in several]
    first = runs[0].config
    for other in runs[1:]:
        if (other.config.data, other.config.data_options) != (first.data, first.data_options):
            raise Error(
                f"runs side by side must share their data: {runs[0].path} was trained on '{first.data}', "
                f"{other.path} on '{other.config.data}'" + _different_options(first, other.config)
            )
    return runs


def _different_options(first: Any, other: Any) -> str:
    return f" with other options ({first.data_options}; {other.data_options})" if first.data == other.data else ""


def _shown(run: Run, members: Sequence[str | int]) -> list[Shown]:
    """Each once, the best score first."""
    names = list(dict.fromkeys(chosen.name for member in members for chosen in choose_members(run, member)))
    gaps, migs = scores_of(run, "st_gap_loss"), scores_of(run, "mig")
    infinite = float("inf")
    names.sort(key=lambda name: (gaps.get(name, infinite), -migs.get(name, -infinite)))
    return [Shown(run, name, run.model(name)) for name in names]
