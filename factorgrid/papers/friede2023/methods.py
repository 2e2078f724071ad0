"""The methods of the paper by what they are, and who plays them in a study, whatever it calls them."""

from collections.abc import Sequence

from factorgrid.report.study_cells import Cells, Row
from factorgrid.study.definition import SUPERVISION_TITLES
from factorgrid.study.outcomes import Kind
from factorgrid.study.select import SIX_KEYS

VAE, D_VAE = Kind("vae"), Kind("dvae")
FACTOR_VAE, FACTOR_D_VAE = Kind("factor_vae"), Kind("factor_dvae")
# Figure 6 and the selection row of Table 1: a D-VAE is a FactorDVAE of gamma 0
DISCRETE, GAUSSIAN = (D_VAE, FACTOR_D_VAE), (VAE, FACTOR_VAE)
PREVIOUS = ("beta_vae", "beta_tcvae", "dip_vae_i", "dip_vae_ii", "annealed_vae", "factor_vae")  # the models of Table 1
TITLES = {
    "vae": "VAE",
    "beta_vae": "β-VAE",
    "beta_tcvae": "β-TCVAE",
    "dip_vae_i": "DIP-VAE-I",
    "dip_vae_ii": "DIP-VAE-II",
    "annealed_vae": "AnnealedVAE",
    "factor_vae": "FactorVAE",
    "dvae": "D-VAE",
    "factor_dvae": "FactorDVAE",
}
DCI, DCI_LIGHTGBM = "dci.disentanglement", "dci_lightgbm.disentanglement"


def title_of(kind: Kind) -> str:
    """What the paper calls it: "D-VAE (M)", "VAE (BCE)"; of other models their name."""
    title = TITLES.get(kind.model, kind.model)
    if kind.masked:
        return f"{title} (M)"
    return f"{title} ({SUPERVISION_TITLES[kind.supervision]})" if kind.supervision in SUPERVISION_TITLES else title


def label(row: Row) -> str:
    """The study's title of a method, and the paper's where that is another."""
    paper = title_of(row.kind)
    if row.kind.model not in TITLES or row.method == paper:
        return row.title
    return f"{row.title} = {paper}"


def played(cells: Cells, kind: Kind) -> Row | None:
    """The method of a study that is of a kind; of several, the first."""
    return next((row for row in cells.rows if row.kind == kind), None)


def all_played(cells: Cells, kinds: Sequence[Kind]) -> tuple[Row, ...]:
    """Those of some kinds that the study has."""
    return tuple(row for kind in kinds if (row := played(cells, kind)) is not None)


def supervised(cells: Cells) -> tuple[Row, ...]:
    return tuple(row for row in cells.rows if row.kind.labels)


def six(cells: Cells) -> tuple[str, ...]:
    """Keys of the paper's six metrics; DCI by LightGBM where that was scored in more cells than the exact one."""
    scored = [metric for *_, metric in cells.scores]
    lightgbm = scored.count(DCI_LIGHTGBM) > scored.count(DCI)
    return tuple(DCI_LIGHTGBM if key == DCI and lightgbm else key for key in SIX_KEYS)


def lightgbm_note(cells: Cells) -> str:
    """What to say where DCI was measured with faster trees."""
    if DCI_LIGHTGBM not in six(cells):
        return ""
    return " DCI was measured here with LightGBM's trees, the paper's with scikit-learn's: its values differ somewhat."


def pool_title(rows: Sequence[Row]) -> str:
    return " ∪ ".join(title_of(row.kind) for row in rows)
