"""Selectors: scores that choose models without the metrics' labels; they need the models, or several of them.

Contract: trained members in, a value for each out, lower or higher better as declared in `SELECTORS`.
May import: `training`, `encoding`, and everything below them. To add one: write a file, and give it an entry.
"""

from factorgrid.selectors.certainty import lacks_probabilities as _lacks_probabilities
from factorgrid.selectors.certainty import score_certainty
from factorgrid.selectors.elbo import score_elbo
from factorgrid.selectors.gap import lacks_categories as _lacks_categories
from factorgrid.selectors.gap import score_gap, straight_through_gap
from factorgrid.selectors.ranking import lacks_seeds as _lacks_seeds
from factorgrid.selectors.ranking import score_udr, udr
from factorgrid.selectors.reconstruction import lacks_nothing as _lacks_nothing
from factorgrid.selectors.reconstruction import lacks_windows as _lacks_windows
from factorgrid.selectors.reconstruction import psnr, score_psnr, score_ssim, ssim
from factorgrid.selectors.selector import Members as Members
from factorgrid.selectors.selector import Selector as Selector
from factorgrid.selectors.validation import lacks_labels as _lacks_labels
from factorgrid.selectors.validation import score_validation, supervised_validation

__all__ = ["SELECTORS", "Members", "Selector", "psnr", "ssim", "straight_through_gap", "supervised_validation", "udr"]

SELECTORS: dict[str, Selector] = {
    "st_gap": Selector(
        ("st_gap_elbo", "st_gap_loss", "st_gap_relative"), False, "Friede et al. 2023, Section 3.4",
        _lacks_categories, score_gap,
    ),
    "posterior_entropy": Selector(
        ("posterior_entropy",), False, "Friede et al. 2023, Section 3.2", _lacks_probabilities, score_certainty
    ),
    "elbo": Selector(("elbo",), True, "Kingma and Welling 2014", _lacks_nothing, score_elbo),
    "udr": Selector(("udr",), True, "Duan et al. 2020", _lacks_seeds, score_udr),
    "validation": Selector(("validation_loss",), False, "Locatello et al. 2020", _lacks_labels, score_validation),
    "psnr": Selector(("psnr", "psnr_hard"), True, "10 log10 of 1 / squared error", _lacks_nothing, score_psnr),
    "ssim": Selector(("ssim", "ssim_hard"), True, "Wang et al. 2004", _lacks_windows, score_ssim),
}  # fmt: skip
