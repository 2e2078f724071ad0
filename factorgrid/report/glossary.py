"""What the scores of a report mean, in a sentence each, with their direction and range."""

from factorgrid.metrics import METRICS
from factorgrid.metrics.hard import hard
from factorgrid.metrics.metric import Metric
from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.selectors import SELECTORS, Selector

MEANINGS = {
    "beta_vae_score": "How often a linear classifier names the factor that two sets of images share, from the mean "
    "absolute differences of their codes.",
    "factor_vae_score": "How often the latent that varies least names the factor that was held fixed.",
    "mig": "Mutual information gap: how much more the best latent says of a factor than the second best, in shares of "
    "the factor's entropy; mean over factors.",
    "dci": "Disentanglement: whether each latent matters for one factor only; completeness: whether each factor is "
    "read from one latent only; both by the importances of fitted trees. Informativeness is their accuracy.",
    "dci_lightgbm": "DCI with faster trees; its numbers are near, and not equal, to those of DCI.",
    "modularity": "Whether each latent shares information with one factor only.",
    "sap": "How much better the best latent predicts a factor by itself than the second best; mean over factors.",
    "explicitness": "How well a linear classifier reads the factors from the whole code, as area under its ROC curve.",
    "irs": "How little a latent changes when other factors than its own are changed.",
    "downstream_lr": "Accuracy of logistic regressions that predict the factors from few labelled codes.",
    "downstream_gbt": "Accuracy of boosted trees that predict the factors from few labelled codes.",
    "infomec": "InfoM: how far each latent informs of one factor only. InfoC: how far each factor is told by one "
    "latent only. InfoE: how much of the factors' entropy a linear classifier reads from the whole code.",
    "code_usage": "How many of its categories a latent uses: exp of their entropy, and how many occur; mean over "
    "latents. Of codes with more than 256 values it is that of 20 bins.",
    "fos": "How far the codes leave combinations of two latents' values empty, in squared units of the codes.",
    "gaussian_total_correlation": "How dependent the latents are, were they Gaussian, in nats.",
    "wasserstein_correlation": "The distance of the codes from independent ones with the same marginals.",
    "mutual_information_score": "Mean mutual information between two latents, in nats.",
    "st_gap": "Straight-through gap: how much the loss rises when the model's soft choice of a category is replaced "
    "by its most probable category. It needs no labels.",
    "posterior_entropy": "Mean entropy of the probabilities of categories, 0 where each image has one certain "
    "category. It needs no labels.",
    "elbo": "Evidence lower bound: reconstruction and KL of the model, whatever else its objective holds. It needs no "
    "labels.",
    "udr": "How alike the codes of several seeds of one setting are, latent by latent. It needs no labels.",
    "validation": "The supervised loss on labelled images that were not trained on.",
    "psnr": "Peak signal-to-noise ratio of reconstructions in dB, from codes and from categories (hard).",
    "ssim": "Structural similarity of reconstructions, 1 where they equal the images, from codes and from categories "
    "(hard).",
}
HARD_CODES = (
    "of hard codes",
    "The score of the positions of the most probable or nearest categories of a discrete model, in place of the codes "
    "that it gives without rounding.",
)
GENERAL = (
    (
        "median",
        "Half of the models score higher, half lower. Its 95 % bootstrap interval is wide where models are few.",
    ),
    (
        "p",
        "How often chance alone gives a difference as large as the one seen, if the methods were alike; corrected over "
        "the tests of a claim.",
    ),
)


def glossary(cells: Cells) -> list[tuple[str, str]]:
    """The scores of this study, then words of statistics."""
    known: dict[str, Metric | Selector] = {**METRICS, **SELECTORS}
    scored, entries = set(cells.outcome.table["metric"]), []
    for name, one in known.items():
        keys = [key for each in one.keys for key in dict.fromkeys((each, hard(each))) if key in scored]
        if keys:
            titles = ", ".join(dict.fromkeys(metric_title(key) for key in keys))
            better = "Higher" if one.higher_is_better else "Lower"
            meaning = f"{MEANINGS[name]} " if name in MEANINGS else ""
            entries.append((titles, f"{meaning}{better} is better. {one.source}."))
    if any(metric_title(key).endswith(HARD_CODES[0]) for key in scored):
        entries.append(HARD_CODES)
    return [*entries, *GENERAL] if entries else []
