"""Friede, Reimers, Stuckenschmidt & Niepert: Learning Disentangled Discrete Representations (ECML PKDD 2023).

`TABLES`, `FIGURES` and `CLAIMS`: what the paper shows and says, made from the results of any study that has what it
needs. Methods are found by what they are (`methods.Kind`s), whatever a study calls them. Adding one: a function of the
study's `Cells`, and an entry here.
"""

from collections.abc import Mapping
from functools import partial

from factorgrid.papers.friede2023 import (
    claims,
    claims_of_planes,
    claims_of_scores,
    claims_of_training,
    evidence,
    figures,
    model_figures,
    settings,
    tables,
)
from factorgrid.papers.friede2023.methods import D_VAE, FACTOR_D_VAE, TITLES
from factorgrid.papers.friede2023.published import column_of
from factorgrid.papers.friede2023.summary import summarise_studies as summarise_studies
from factorgrid.report.paper import ClaimEntry, FigureEntry, TableEntry
from factorgrid.report.study_cells import Cells
from factorgrid.study.outcomes import Outcome

TITLE = "Friede et al. 2023"

CLAIMS: Mapping[str, ClaimEntry] = {
    "dvae-mig": ClaimEntry(
        "The D-VAE is better disentangled than the VAE: higher MIG, on all but SmallNORB.",
        "Section 6.1, Figure 5", claims.dvae_mig,
    ),
    "mpi3d-all-metrics": ClaimEntry(
        "On MPI3D the D-VAE is better than the VAE by each of the six metrics.",
        "Section 6.1, Figure 5 left", claims.mpi3d_all,
    ),
    "cells-won": ClaimEntry(
        "Over all data sets and metrics the D-VAE improves over the VAE in most cases: 31 of 36, as we read it.",
        "Section 6.1, Figures 12 and 13", claims.cells_won,
    ),
    "axis-alignment": ClaimEntry(
        "Most latent spaces of the D-VAE lie parallel to the axes, those of the VAE are rotated (Circles).",
        "Section 3.3, Figures 3, 10 and 11", claims_of_planes.axis_alignment,
    ),
    "mig-angle": ClaimEntry(
        "The disentanglement score follows the angle of the rotation: the less a plane is turned, the higher its MIG.",
        "Section 3.3, Figure 3", claims_of_planes.mig_follows_angle,
    ),
    "one-hot": ClaimEntry(
        "In training the KL rises while the reconstruction loss falls, until each image has one category a latent.",
        "Section 3.2", claims_of_training.one_hot,
    ),
    "gap-mig": ClaimEntry(
        "A small straight-through gap goes along with a high MIG.",
        "Section 3.4 and 6.3, Figures 4 and 6", claims_of_scores.gap_mig,
    ),
    "mig-efficiency": ClaimEntry(
        "MIG is the most reliable indicator of sample efficiency downstream, over all data sets.",
        "Section 5, Figures 4 right and 9", claims_of_scores.mig_efficiency,
    ),
    "factor-dvae-mig": ClaimEntry(
        "With the total correlation penalised the discrete model is better too: higher MIG of FactorDVAE than of "
        "FactorVAE, on all but SmallNORB.",
        "Section 6.1, Figure 6", claims.factor_dvae_mig,
    ),
    "factor-dvae-best": ClaimEntry(
        "FactorDVAE has a higher MIG than the best of the previous methods, on all but SmallNORB.",
        "Section 6.2, Table 1", claims.factor_dvae_best,
    ),
    "selection": ClaimEntry(
        "Choosing the model with the smallest gap gives a better MIG than the median model.",
        "Section 6.3, last row of Table 1", claims_of_scores.selection,
    ),
    "figure-7-ranking": ClaimEntry(
        "The unregularised discrete method surpasses the others at semi-supervised disentanglement: it is best in most "
        "pairs of a data set and a metric.",
        "Section 6.4, Figure 7", claims.figure_7,
    ),
    "masked-mig": ClaimEntry(
        "Masked attention improves semi-supervised discrete models: higher MIG with it.",
        "Section 6.4, Table 7", claims.masked_mig,
    ),
}  # fmt: skip

TABLES: Mapping[str, TableEntry] = {
    "table-1": TableEntry("MIG in %, medians", "Table 1", tables.table_1),
    "table-2-3": TableEntry("Networks, layer by layer", "Tables 2 and 3", settings.networks_table),
    "table-4": TableEntry("Hyperparameters", "Table 4", settings.hyperparameters_table),
    "table-5": TableEntry("MIG in %, quantiles", "Table 5", tables.table_5),
    "table-6": TableEntry("D-VAE in %, all metrics", "Table 6", tables.table_6),
    "table-7": TableEntry("Semi-supervised MIG in %, quantiles", "Table 7", tables.table_7),
    "table-8": TableEntry("Factors of variation", "Table 8", settings.factors_table),
    "dvae-against-vae": TableEntry("D-VAE against VAE", "Figures 5, 12 and 13", evidence.dvae_against_vae),
    "selection": TableEntry("Selecting a model without labels", "Section 6.3, Table 1", evidence.selection_table),
    "selection-supervised": TableEntry(
        "Selecting a semi-supervised model", "Section 6.4", evidence.supervised_selection_table
    ),
    "deviations": TableEntry("What differs from the paper", "Tables 2 to 4", evidence.deviations_table),
}

_correlations = figures.figure_of_correlations
FIGURES: Mapping[str, FigureEntry] = {
    "figure-2": FigureEntry("Latents of a Gumbel-softmax", "Figure 2", figures.figure_2),
    "section-3-2": FigureEntry("Do posteriors become one-hot?", "Section 3.2", claims_of_training.figure),
    "figure-3": FigureEntry("Latent planes of circles, the best by MIG", "Figure 3", model_figures.figure_3),
    "figure-4-left": FigureEntry(
        "Gap and metrics, D-VAE", "Figure 4, left", partial(_correlations, name="figure-4-left")
    ),
    "figure-4-right": FigureEntry(
        "Metrics and sample efficiency, D-VAE", "Figure 4, right", partial(_correlations, name="figure-4-right")
    ),
    "figure-5": FigureEntry("D-VAE and VAE", "Figure 5", figures.figure_5),
    "figure-6-left": FigureEntry(
        "Gap and metrics, D-VAE ∪ FactorDVAE", "Figure 6, left", partial(_correlations, name="figure-6-left")
    ),
    "figure-6-right": FigureEntry("MIG of FactorDVAE and FactorVAE", "Figure 6, right", figures.figure_6_right),
    "figure-7": FigureEntry("How often each semi-supervised method is best", "Figure 7", figures.figure_7),
    "figure-8": FigureEntry("Categories of a masked semi-supervised model", "Figure 8", model_figures.figure_8),
    "figure-9": FigureEntry(
        "Metrics and sample efficiency by boosted trees, D-VAE", "Figure 9", partial(_correlations, name="figure-9")
    ),
    "figure-10": FigureEntry("All latent planes of the VAE, sorted by MIG", "Figure 10", model_figures.figure_10),
    "figure-11": FigureEntry("All latent planes of the D-VAE, sorted by MIG", "Figure 11", model_figures.figure_11),
    "figure-12-13": FigureEntry(
        "D-VAE and VAE, all data sets and metrics", "Figures 12 and 13", figures.figure_12
    ),
}  # fmt: skip


OF_MODELS = ("section-3-2", "figure-8", "figure-10", "figure-11")  # figures that need more than scores


def save_arrays(outcome: Outcome) -> None:
    """Compute and save what figures need of a study's models, as a report does: call it where the models are."""
    cells = Cells(outcome)
    for name in OF_MODELS:
        FIGURES[name].make(cells)


def applies(cells: Cells) -> bool:
    """Whether a study has the paper's own methods, or methods and data that the paper has numbers of."""
    models = {row.kind.model for row in cells.rows}
    published = any(column_of(data) for data in cells.outcome.data)
    return bool(models & {D_VAE.model, FACTOR_D_VAE.model}) or (published and bool(models & set(TITLES)))
