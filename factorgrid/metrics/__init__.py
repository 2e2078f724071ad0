"""Metrics: how disentangled a code is, as pure functions of arrays.

Contract. A metric is one file with one public function: arrays in (codes: float [sample, latent]; factors: int
[sample, factor]), a dict of named Python floats out. The two that need samples with a factor held fixed take a
Representation. Nothing here knows of models or images, and nothing imports JAX: NumPy, SciPy and scikit-learn
only (LightGBM for the fast trees, if installed). Metric files never import each other; what they share has files
of its own (`checks`, `sampling`, `mutual_information`, `trees`, ...).

`METRICS` below is the one place where a metric is declared: the numbers it yields, their direction and range, what
they are invariant to, how the sample is drawn, what it costs. Tests, reports and the command line read it. Every
metric draws from its own random stream, made from the seed and its name: adding one changes no other number.

`score` is for anyone's codes; `evaluate` is for many members of a run at once.
"""

from collections.abc import Iterable
from typing import Any

from numpy.typing import ArrayLike

from factorgrid.errors import unknown_name
from factorgrid.metrics import draws as _draws
from factorgrid.metrics.beta_vae_score import beta_vae_of as _beta_vae_of
from factorgrid.metrics.beta_vae_score import beta_vae_score as beta_vae_score
from factorgrid.metrics.dci import dci as dci
from factorgrid.metrics.dci import dci_lightgbm_of as _dci_lightgbm_of
from factorgrid.metrics.dci import dci_lightgbm_parts as _dci_lightgbm_parts
from factorgrid.metrics.dci import dci_of as _dci_of
from factorgrid.metrics.dci import dci_parts as _dci_parts
from factorgrid.metrics.downstream import downstream as downstream
from factorgrid.metrics.evaluate import Progress as Progress
from factorgrid.metrics.evaluate import evaluate_with as _evaluate_with
from factorgrid.metrics.evaluate import expand as _expand
from factorgrid.metrics.evaluate import score_with as _score_with
from factorgrid.metrics.evaluate import settings_of as _settings_of
from factorgrid.metrics.explicitness import explicitness as explicitness
from factorgrid.metrics.factor_vae_score import factor_vae_of as _factor_vae_of
from factorgrid.metrics.factor_vae_score import factor_vae_score as factor_vae_score
from factorgrid.metrics.gaussian_total_correlation import (
    gaussian_total_correlation as gaussian_total_correlation,
)
from factorgrid.metrics.infomec import infomec as infomec
from factorgrid.metrics.irs import irs as irs
from factorgrid.metrics.learning_curve import gbt_parts as _gbt_parts
from factorgrid.metrics.learning_curve import join_gbt as _join_gbt
from factorgrid.metrics.learning_curve import join_lr as _join_lr
from factorgrid.metrics.learning_curve import keys as _downstream_keys
from factorgrid.metrics.learning_curve import lr_parts as _lr_parts
from factorgrid.metrics.metric import Metric as Metric
from factorgrid.metrics.mig import mig as mig
from factorgrid.metrics.modularity import modularity as modularity
from factorgrid.metrics.mutual_information_score import mutual_information_score as mutual_information_score
from factorgrid.metrics.sampling import PUBLISHED as PUBLISHED
from factorgrid.metrics.sampling import QUICK as QUICK
from factorgrid.metrics.sampling import Counts as Counts
from factorgrid.metrics.sap import sap as sap
from factorgrid.metrics.trees import has_lightgbm as _has_lightgbm
from factorgrid.metrics.wasserstein_correlation import wasserstein_correlation as wasserstein_correlation

_INFINITY = float("inf")
_SHARE = (0.0, 1.0)
_SPLIT = ("num_train", "num_test")

METRICS: dict[str, Metric] = {
    "beta_vae_score": Metric(
        keys={"beta_vae_score": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Higgins et al. 2017",
        counts=("batch_size", *_SPLIT),
        draw=_draws.distances,
        compute=_beta_vae_of,
    ),
    "factor_vae_score": Metric(
        keys={"factor_vae_score": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Kim and Mnih 2018",
        counts=("batch_size", *_SPLIT, "num_variance_estimate"),
        draw=_draws.variances,
        compute=_factor_vae_of,
        options={"std_threshold": 0.05},
    ),
    "mig": Metric(
        keys={"mig": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Chen et al. 2018",
        counts=("num_train", "num_bins"),
        draw=_draws.points_and_bins,
        compute=mig,
    ),
    "dci": Metric(
        keys={
            "dci.disentanglement": _SHARE,
            "dci.completeness": _SHARE,
            "dci.informativeness_train": _SHARE,
            "dci.informativeness_test": _SHARE,
        },
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="minutes",
        source="Eastwood and Williams 2018",
        counts=_SPLIT,
        draw=_draws.seeded_split,
        parts=_dci_parts,
        join=_dci_of,
        options={"estimator": "gradient_boosting"},
    ),
    "modularity": Metric(
        keys={"modularity": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=("num_train", "num_bins"),
        draw=_draws.points_and_bins,
        compute=modularity,
    ),
    "sap": Metric(
        keys={"sap": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "permuting_factors"}),
        cost="instant",
        source="Kumar et al. 2018",
        counts=_SPLIT,
        draw=_draws.split,
        compute=sap,
        options={"continuous": False},
    ),
    "explicitness": Metric(
        keys={"explicitness.train": _SHARE, "explicitness.test": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=_SPLIT,
        draw=_draws.split,
        compute=explicitness,
    ),
    "irs": Metric(
        keys={"irs": (-1.0, 1.0)},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Suter et al. 2019",
        counts=("num_train",),
        draw=_draws.points,
        compute=irs,
        options={"quantile": 0.99},
    ),
    "infomec": Metric(
        keys={
            "infomec.modularity": _SHARE,
            "infomec.explicitness": (-_INFINITY, 1.0),
            "infomec.compactness": _SHARE,
        },
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="seconds",
        source="Hsu et al. 2023",
        counts=("num_train",),
        draw=_draws.seeded_points,
        compute=infomec,
        options={"active": "range_20", "discrete": False},
    ),
    "dci_lightgbm": Metric(
        keys={
            "dci_lightgbm.disentanglement": _SHARE,
            "dci_lightgbm.completeness": _SHARE,
            "dci_lightgbm.informativeness_train": _SHARE,
            "dci_lightgbm.informativeness_test": _SHARE,
        },
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="seconds",
        source="Eastwood and Williams 2018; trees of Ke et al. 2017",
        counts=_SPLIT,
        draw=_draws.seeded_split,
        parts=_dci_lightgbm_parts,
        join=_dci_lightgbm_of,
        options={"estimator": "lightgbm"},
        package="lightgbm",
    ),
    "downstream_lr": Metric(
        keys=_downstream_keys("downstream_lr"),
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="seconds",
        source="Locatello et al. 2019",
        counts=("downstream_sizes", "num_test"),
        draw=_draws.downstream_splits,
        parts=_lr_parts,
        join=_join_lr,
    ),
    "downstream_gbt": Metric(
        keys=_downstream_keys("downstream_gbt"),
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="minutes",
        source="Locatello et al. 2019",
        counts=("downstream_sizes", "num_test"),
        draw=_draws.downstream_splits,
        parts=_gbt_parts,
        join=_join_gbt,
    ),
    "gaussian_total_correlation": Metric(
        keys={"gaussian_total_correlation": (0.0, _INFINITY)},
        higher_is_better=False,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train",),
        draw=_draws.codes,
        compute=gaussian_total_correlation,
        options={"active_only": True},
    ),
    "wasserstein_correlation": Metric(
        keys={
            "wasserstein_correlation": (0.0, _INFINITY),
            "wasserstein_correlation.normalised": (0.0, 2.0),
        },
        higher_is_better=False,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train",),
        draw=_draws.codes,
        compute=wasserstein_correlation,
        options={"active_only": True},
    ),
    "mutual_information_score": Metric(
        keys={"mutual_information_score": (0.0, _INFINITY)},
        higher_is_better=False,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train", "num_bins"),
        draw=_draws.codes_and_bins,
        compute=mutual_information_score,
    ),
}

SIX = ("beta_vae_score", "factor_vae_score", "mig", "dci", "modularity", "sap")


def metric_names(metrics: str | Iterable[str]) -> list[str]:
    """Names in the table for metric names and groups: "six" are the paper's, "all" every one that is installed.

    >>> metric_names("six")
    ['beta_vae_score', 'factor_vae_score', 'mig', 'dci', 'modularity', 'sap']

    Raises:
        Error: an unknown name; the nearest known one is suggested.
    """
    installed = [name for name, metric in METRICS.items() if metric.package != "lightgbm" or _has_lightgbm()]
    return _expand(METRICS, {"six": SIX, "all": installed}, metrics)


def metric_of(key: str) -> str:
    """The table name of the metric that yields `key`: "dci" for "dci.completeness".

    Raises:
        Error: no metric does.
    """
    owners = {key: name for name, metric in METRICS.items() for key in metric.keys}
    if key not in owners:
        raise unknown_name("score", key, owners)
    return owners[key]


def higher_is_better(key: str) -> bool:
    """The direction of a result key: True for "dci.completeness", False for "mutual_information_score".

    Raises:
        Error: no metric yields this key.
    """
    return METRICS[metric_of(key)].higher_is_better


def metric_settings(
    metrics: str | Iterable[str], *, seed: int = 0, counts: Counts = PUBLISHED
) -> dict[str, dict[str, Any]]:
    """For each metric name, what its scores depend on besides the codes: to be stored with them.

    >>> metric_settings("mig")
    {'mig': {'seed': 0, 'num_train': 10000, 'num_bins': 20}}
    """
    return {name: _settings_of(METRICS[name], counts, seed) for name in metric_names(metrics)}


def score(
    codes: ArrayLike,
    factors: ArrayLike,
    metrics: str | Iterable[str] = "six",
    seed: int = 0,
    *,
    counts: Counts = PUBLISHED,
    jobs: int | None = 1,
) -> dict[str, float]:
    """Scores of any codes with known factors; the grid of factors may be incomplete.

    Metrics that need one sample use the given codes (at most 10,000 of them, chosen at random); those that train
    a classifier split them at random, in the published proportion of 2 to 1 (at most 10,000 and 5,000). The
    BetaVAE and FactorVAE scores draw pairs and groups that agree in a factor from the given codes, with
    replacement. Downstream sizes for which there are not enough codes are left out.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        metrics: names from `METRICS`, "six" (the paper's) or "all".
        seed: decides every draw.
        counts: how many samples to draw at most.
        jobs: threads, and processes for the slow metrics; None for all cores.

    Returns:
        Result key -> value. Factors with one value only are dropped, with one warning.

    Raises:
        Error: bad shapes or types, NaN codes, fewer samples than bins, no factor with two values, an unknown
            metric, or factors of which no two codes share a value.

    >>> import numpy as np
    >>> grid = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)
    >>> score(grid.astype(float), grid, ("mig", "modularity"))
    {'mig': 1.0, 'modularity': 1.0}
    """
    return _score_with(METRICS, codes, factors, metric_names(metrics), seed=seed, counts=counts, jobs=jobs)


def evaluate(
    representations: Iterable[Any],
    metrics: str | Iterable[str] = "six",
    *,
    seed: int = 0,
    counts: Counts = PUBLISHED,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Scores of many members. Threads of this process draw the codes, so that encoders and `progress` are called from
    several at once; the slow metrics are computed in other processes.

    All members are scored on the same factor draws. What a score depends on is told by `metric_settings`.

    Args:
        representations: one Representation per member.
        metrics: names from `METRICS`, "six" (the paper's) or "all".
        seed: decides every draw.
        counts: the published sample counts, or fewer for a first look (`QUICK`).
        jobs: threads, and processes for slow metrics; None for one per core, 1 to stay in this process. Changes no
            number.
        progress: called as (steps done, steps known of, what was done) after every step; the number of steps
            known of grows while codes are drawn.

    Returns:
        For each member, result key -> value.

    Raises:
        Error: an unknown metric, NaN codes (naming the member), jobs below 1.
    """
    return _evaluate_with(
        METRICS,
        representations,
        metric_names(metrics),
        seed=seed,
        counts=counts,
        jobs=jobs,
        progress=progress,
    )
