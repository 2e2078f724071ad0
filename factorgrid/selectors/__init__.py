"""Selectors: scores that choose models without the metrics' labels; they need the models, or several of them.

Contract: trained members in, a value for each out, lower or higher better as declared in `SELECTORS`.
May import: `training`, `encode`, and everything below them. To add one: write a file, and give it an entry.
"""

from dataclasses import dataclass

from factorgrid.selectors.straight_through_gap import straight_through_gap as straight_through_gap
from factorgrid.selectors.supervised_validation import supervised_validation as supervised_validation
from factorgrid.selectors.udr import udr as udr


@dataclass(frozen=True)
class Selector:
    """An entry of `SELECTORS`: what a label-free score yields, and for which models.

    Attributes:
        keys: names of its values.
        higher_is_better: their direction.
        needs: "categories" for discrete models, "labels" for semi-supervised ones, "seeds" for several of a kind.
        source: where it was published.
    """

    keys: tuple[str, ...]
    higher_is_better: bool
    needs: str
    source: str


SELECTORS: dict[str, Selector] = {
    "st_gap": Selector(("st_gap_elbo", "st_gap_loss"), False, "categories", "Friede et al. 2023, Section 3.4"),
    "udr": Selector(("udr",), True, "seeds", "Duan et al. 2020"),
    "validation": Selector(("validation_loss",), False, "labels", "Locatello et al. 2020"),
}
