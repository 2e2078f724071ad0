"""The table of metrics: each declared once; `lookup` reads it by name.

To add one: its file in `definitions/`, and an entry here.
"""

from functools import partial

from factorgrid.metrics import draws
from factorgrid.metrics.definitions.beta_vae_score import beta_vae_of
from factorgrid.metrics.definitions.code_usage import code_usage
from factorgrid.metrics.definitions.dci import dci_details, dci_keys, dci_of, dci_parts
from factorgrid.metrics.definitions.dcimig import dcimig
from factorgrid.metrics.definitions.downstream import curve_keys, curve_of, curve_parts
from factorgrid.metrics.definitions.edi import edi
from factorgrid.metrics.definitions.explicitness import explicitness, explicitness_details
from factorgrid.metrics.definitions.factor_vae_score import factor_vae_of
from factorgrid.metrics.definitions.fos import fos
from factorgrid.metrics.definitions.gaussian_total_correlation import gaussian_total_correlation
from factorgrid.metrics.definitions.infomec import infomec, infomec_details, infomec_discrete_of, infomec_keys
from factorgrid.metrics.definitions.irs import irs, irs_details
from factorgrid.metrics.definitions.jemmig import jemmig
from factorgrid.metrics.definitions.mig import mig, mig_details
from factorgrid.metrics.definitions.mig_sup import mig_sup
from factorgrid.metrics.definitions.minimality_sufficiency import minimality_sufficiency
from factorgrid.metrics.definitions.modularity import modularity, modularity_details
from factorgrid.metrics.definitions.mutual_information_score import mutual_information_score
from factorgrid.metrics.definitions.omes import omes_of
from factorgrid.metrics.definitions.sap import sap, sap_details
from factorgrid.metrics.definitions.wasserstein_correlation import wasserstein_correlation
from factorgrid.metrics.definitions.z_max_variance import z_max_of
from factorgrid.metrics.metric import Invariance, Metric

_INFINITY = float("inf")
_SHARE = (0.0, 1.0)
_SPLIT = ("num_train", "num_test")

_ALL_INVARIANCES: frozenset[Invariance] = frozenset(
    {"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}
)


def without(*missing: Invariance) -> frozenset[Invariance]:
    """All invariances but these."""
    return _ALL_INVARIANCES - set(missing)


METRICS: dict[str, Metric] = {
    "beta_vae_score": Metric(
        keys={"beta_vae_score": _SHARE},
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Higgins et al. 2017",
        counts=("batch_size", *_SPLIT),
        draw=draws.distances,
        compute=beta_vae_of,
        options={"solver": "own"},
    ),
    "factor_vae_score": Metric(
        keys={"factor_vae_score": _SHARE},
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Kim and Mnih 2018",
        counts=("batch_size", *_SPLIT, "num_variance_estimate"),
        draw=draws.variances,
        compute=factor_vae_of,
        options={"std_threshold": 0.05},
    ),
    "mig": Metric(
        keys={"mig": _SHARE},
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="Chen et al. 2018",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=mig,
        details=mig_details,
    ),
    "dci": Metric(
        keys=dci_keys("dci"),
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="minutes",
        source="Eastwood and Williams 2018",
        counts=_SPLIT,
        draw=draws.seeded_split,
        parts=dci_parts,
        join=dci_of,
        details=dci_details,
        options={"estimator": "gradient_boosting"},
    ),
    "modularity": Metric(
        keys={"modularity": _SHARE},
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=modularity,
        details=modularity_details,
    ),
    "sap": Metric(
        keys={"sap": _SHARE},
        higher_is_better=True,
        invariances=without("rescaling_latents", "adding_dead_latents"),
        cost="instant",
        source="Kumar et al. 2018",
        counts=_SPLIT,
        draw=draws.split,
        compute=sap,
        details=sap_details,
        options={"continuous": False, "solver": "own"},
    ),
    "explicitness": Metric(
        keys={"explicitness.train": _SHARE, "explicitness.test": _SHARE},
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=_SPLIT,
        draw=draws.split,
        compute=explicitness,
        details=explicitness_details,
        options={"solver": "own"},
    ),
    "irs": Metric(
        keys={"irs": (-1.0, 1.0)},
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Suter et al. 2019",
        counts=("num_train",),
        draw=draws.points,
        compute=irs,
        details=irs_details,
        options={"quantile": 0.99},
    ),
    "infomec": Metric(
        keys=infomec_keys("infomec"),
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="seconds",
        source="Hsu et al. 2023",
        counts=("num_train",),
        draw=draws.seeded_points,
        compute=infomec,
        details=infomec_details,
        options={"active": "range_20", "discrete": False},
    ),
    "dci_lightgbm": Metric(
        keys=dci_keys("dci_lightgbm"),
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="seconds",
        source="Eastwood and Williams 2018; trees of Ke et al. 2017",
        counts=_SPLIT,
        draw=draws.seeded_split,
        parts=dci_parts,
        join=partial(dci_of, name="dci_lightgbm"),
        details=dci_details,
        options={"estimator": "lightgbm"},
        package="lightgbm",
    ),
    "downstream_lr": Metric(
        keys=curve_keys("downstream_lr"),
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="seconds",
        source="Locatello et al. 2019",
        counts=("downstream_sizes", "num_test"),
        draw=draws.downstream_splits,
        parts=partial(curve_parts, classifier="lr"),
        join=partial(curve_of, name="downstream_lr"),
        options={"solver": "own"},
    ),
    "downstream_gbt": Metric(
        keys=curve_keys("downstream_gbt"),
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="minutes",
        source="Locatello et al. 2019",
        counts=("downstream_sizes", "num_test"),
        draw=draws.downstream_splits,
        parts=partial(curve_parts, classifier="gbt"),
        join=partial(curve_of, name="downstream_gbt"),
    ),
    "gaussian_total_correlation": Metric(
        keys={"gaussian_total_correlation": (0.0, _INFINITY)},
        higher_is_better=False,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train",),
        draw=draws.codes,
        compute=gaussian_total_correlation,
        options={"active_only": True},
    ),
    "wasserstein_correlation": Metric(
        keys={
            "wasserstein_correlation": (0.0, _INFINITY),
            "wasserstein_correlation.normalised": (0.0, 2.0),
        },
        higher_is_better=False,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train",),
        draw=draws.codes,
        compute=wasserstein_correlation,
        options={"active_only": True},
    ),
    "mutual_information_score": Metric(
        keys={"mutual_information_score": (0.0, _INFINITY)},
        higher_is_better=False,
        invariances=without("adding_dead_latents"),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train", "num_bins"),
        draw=draws.codes_and_bins,
        compute=mutual_information_score,
    ),
    "mig_sup": Metric(
        keys={"mig_sup": _SHARE},
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="instant",
        source="Li et al. 2020",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=mig_sup,
    ),
    "dcimig": Metric(
        keys={"dcimig": _SHARE},
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="Sepliarskaia et al. 2019",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=dcimig,
    ),
    "jemmig": Metric(
        keys={"jemmig": _SHARE},
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="Do and Tran 2020",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=jemmig,
    ),
    "minimality_sufficiency": Metric(
        keys={"minimality_sufficiency.minimality": _SHARE, "minimality_sufficiency.sufficiency": _SHARE},
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="instant",
        source="code of dependent_disentanglement",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=minimality_sufficiency,
    ),
    "edi": Metric(
        keys={"edi.modularity": _SHARE, "edi.compactness": _SHARE, "edi.explicitness": _SHARE},
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="instant",
        source="Julka et al. 2024",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=edi,
    ),
    "omes": Metric(
        keys={"omes": _SHARE, "omes.overlap": _SHARE, "omes.multiple_encoding": _SHARE},
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="code of transfer_disentanglement (J. Dapueto)",
        counts=("num_train", "num_variance_estimate"),
        draw=draws.associations,
        compute=omes_of,
        options={"alpha": 0.5, "std_threshold": 0.05},
    ),
    "z_max_variance": Metric(
        keys={"z_max_variance": _SHARE},
        higher_is_better=True,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Kim et al. 2019",
        counts=("batch_size", *_SPLIT, "num_variance_estimate"),
        draw=draws.changes,
        compute=z_max_of,
        options={"std_threshold": 0.05},
    ),
    "dci_forest": Metric(
        keys=dci_keys("dci_forest"),
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="seconds",
        source="Eastwood and Williams 2018",
        counts=_SPLIT,
        draw=draws.seeded_split,
        parts=dci_parts,
        join=partial(dci_of, name="dci_forest"),
        details=dci_details,
        options={"estimator": "random_forest"},
    ),
    "infomec_discrete": Metric(
        keys=infomec_keys("infomec_discrete"),
        higher_is_better=True,
        invariances=_ALL_INVARIANCES,
        cost="seconds",
        source="Hsu et al. 2023",
        counts=("num_train",),
        draw=draws.seeded_points,
        compute=infomec_discrete_of,
        details=infomec_details,
        options={"active": "range_20", "discrete": True},
    ),
    "code_usage": Metric(
        keys={"code_usage.perplexity": (1.0, _INFINITY), "code_usage.active_categories": (1.0, _INFINITY)},
        higher_is_better=True,
        invariances=without("adding_dead_latents"),
        cost="instant",
        source="this library",
        counts=("num_train",),
        draw=draws.codes,
        compute=code_usage,
    ),
    "fos": Metric(
        keys={"fos": (0.0, _INFINITY)},
        higher_is_better=False,
        invariances=without("rescaling_latents"),
        cost="instant",
        source="Roth et al. 2023",
        counts=("num_train",),
        draw=draws.codes,
        compute=fos,
        options={"batch_size": 64, "max_batches": 16},
    ),
}

SIX = ("beta_vae_score", "factor_vae_score", "mig", "dci", "modularity", "sap")
