"""The trained models that come with the library: small ones, to try things with."""

from dataclasses import dataclass
from pathlib import Path

from factorgrid.errors import unknown_name
from factorgrid.models.trained import TrainedModel
from factorgrid.pretrained.card import FENCE, PLACE
from factorgrid.pretrained.folder import CARD, CONFIG, WEIGHTS, from_pretrained
from factorgrid.training import Run

FOLDER = Path(__file__).parent / "shipped"


@dataclass(frozen=True)
class Shipped:
    """What a list says of a model.

    Attributes:
        name: to load it by.
        data, model, steps: what it is and how long it was trained.
        scores: value by metric.
        num_bytes: of its weights.
    """

    name: str
    data: str
    model: str
    steps: int
    scores: dict[str, float]
    num_bytes: int


def shipped_names() -> list[str]:
    """The names of the models that come with the library."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{CONFIG}"))


def load_pretrained(name: str) -> TrainedModel:
    """A trained model that comes with the library, by its name (see: factorgrid models list).

    Raises:
        Error: no such model.

    >>> load_pretrained("dvae-circles").num_latents
    2
    """
    return from_pretrained(shipped_folder(name))


def shipped_folder(name: str) -> Path:
    """Where it lies."""
    known = shipped_names()
    if name not in known:
        raise unknown_name("pretrained model", name, known)
    return FOLDER / name


def card(name: str) -> str:
    """Its card, as Markdown, for readers who have the library: without the lines for a hub."""
    text = (shipped_folder(name) / CARD).read_text(encoding="utf-8")
    _, _, text = text.removeprefix(FENCE).partition(FENCE)
    return text.lstrip().replace(f'fg.from_pretrained("{PLACE}")', f'fg.load_pretrained("{name}")')


def shipped() -> list[Shipped]:
    """All of them."""
    return [_described(name) for name in shipped_names()]


def _described(name: str) -> Shipped:
    folder = FOLDER / name
    run = Run.open(folder)
    config, table = run.config, run.scores
    scores = dict(zip(table["metric"], table["value"]))
    size = (folder / WEIGHTS).stat().st_size
    return Shipped(name, config.data, config.model, config.steps, scores, size)
