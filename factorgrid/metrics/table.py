"""The table of metrics: each declared once, and what is read off the declarations.

To add one: its file in `definitions/`, and an entry here.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from factorgrid.errors import Error, unknown_name
from factorgrid.metrics import draws
from factorgrid.metrics.definitions.beta_vae_score import beta_vae_of
from factorgrid.metrics.definitions.dci import dci_of, dci_parts
from factorgrid.metrics.definitions.downstream import curve_keys, curve_of, curve_parts
from factorgrid.metrics.definitions.explicitness import explicitness
from factorgrid.metrics.definitions.factor_vae_score import factor_vae_of
from factorgrid.metrics.definitions.gaussian_total_correlation import gaussian_total_correlation
from factorgrid.metrics.definitions.infomec import infomec
from factorgrid.metrics.definitions.irs import irs
from factorgrid.metrics.definitions.mig import mig
from factorgrid.metrics.definitions.modularity import modularity
from factorgrid.metrics.definitions.mutual_information_score import mutual_information_score
from factorgrid.metrics.definitions.sap import sap
from factorgrid.metrics.definitions.wasserstein_correlation import wasserstein_correlation
from factorgrid.metrics.metric import Metric
from factorgrid.metrics.sampling import PUBLISHED, Counts
from factorgrid.metrics.solvers.trees import has_lightgbm

Options = Mapping[str, Mapping[str, Any]]  # metric name -> options other than the declared ones

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
        draw=draws.distances,
        compute=beta_vae_of,
        options={"solver": "own"},
    ),
    "factor_vae_score": Metric(
        keys={"factor_vae_score": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
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
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Chen et al. 2018",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
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
        draw=draws.seeded_split,
        parts=dci_parts,
        join=dci_of,
        options={"estimator": "gradient_boosting"},
    ),
    "modularity": Metric(
        keys={"modularity": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=("num_train", "num_bins"),
        draw=draws.points_and_bins,
        compute=modularity,
    ),
    "sap": Metric(
        keys={"sap": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "permuting_factors"}),
        cost="instant",
        source="Kumar et al. 2018",
        counts=_SPLIT,
        draw=draws.split,
        compute=sap,
        options={"continuous": False, "solver": "own"},
    ),
    "explicitness": Metric(
        keys={"explicitness.train": _SHARE, "explicitness.test": _SHARE},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Ridgeway and Mozer 2018",
        counts=_SPLIT,
        draw=draws.split,
        compute=explicitness,
        options={"solver": "own"},
    ),
    "irs": Metric(
        keys={"irs": (-1.0, 1.0)},
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
        cost="instant",
        source="Suter et al. 2019",
        counts=("num_train",),
        draw=draws.points,
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
        draw=draws.seeded_points,
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
        draw=draws.seeded_split,
        parts=dci_parts,
        join=partial(dci_of, name="dci_lightgbm"),
        options={"estimator": "lightgbm"},
        package="lightgbm",
    ),
    "downstream_lr": Metric(
        keys=curve_keys("downstream_lr"),
        higher_is_better=True,
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
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
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
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
        invariances=frozenset({"permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"}),
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
        invariances=frozenset({"permuting_latents", "adding_dead_latents", "permuting_factors"}),
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
        invariances=frozenset({"permuting_latents", "rescaling_latents", "permuting_factors"}),
        cost="instant",
        source="Locatello et al. 2019",
        counts=("num_train", "num_bins"),
        draw=draws.codes_and_bins,
        compute=mutual_information_score,
    ),
}

SIX = ("beta_vae_score", "factor_vae_score", "mig", "dci", "modularity", "sap")


def metric_names(metrics: str | Iterable[str]) -> list[str]:
    """Names in the table for metric names and groups: "six" are the paper's, "all" every one that is installed.

    >>> metric_names("six")
    ['beta_vae_score', 'factor_vae_score', 'mig', 'dci', 'modularity', 'sap']

    Case and punctuation do not matter, nor a missing "score": "MIG", "FactorVAE" and "beta-VAE" are known.

    Raises:
        Error: an unknown name; the nearest known one is suggested. Or no name at all.
    """
    installed = [name for name, metric in METRICS.items() if metric.package != "lightgbm" or has_lightgbm()]
    groups: dict[str, Sequence[str]] = {"six": SIX, "all": installed}
    asked = [metrics] if isinstance(metrics, str) else list(metrics)
    if not asked:
        raise Error(f"no metric given. Known: {', '.join([*groups, *METRICS])}")
    spelled = {plain(name).removesuffix(end): name for end in ("", "score") for name in (*METRICS, *groups)}
    names: list[str] = []
    for name in asked:
        if plain(name) not in spelled:
            raise unknown_name("metric", name, [*groups, *METRICS])
        known = spelled[plain(name)]
        names += groups.get(known, [known])
    return list(dict.fromkeys(names))


def plain(name: str) -> str:
    """Letters and digits alone, in lower case.

    >>> plain("Beta-VAE score")
    'betavaescore'
    """
    return "".join(letter for letter in name.lower() if letter.isalnum())


def chosen(metrics: str | Iterable[str], options: Options | None = None) -> dict[str, Metric]:
    """The entries of `metric_names(metrics)`, with their options set.

    Raises:
        Error: an unknown name or option, or options of a metric that was not asked for.
    """
    entries = {name: METRICS[name] for name in metric_names(metrics)}
    for name, values in (options or {}).items():
        if name not in entries:
            raise unknown_name("metric with options", name, entries)
        entries[name] = entries[name].with_options(values)
    return entries


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
    metrics: str | Iterable[str], *, seed: int = 0, counts: Counts = PUBLISHED, options: Options | None = None
) -> dict[str, dict[str, Any]]:
    """For each metric name, what its scores depend on besides the codes: to be stored with them.

    >>> metric_settings("mig")
    {'mig': {'seed': 0, 'num_train': 10000, 'num_bins': 20}}
    """
    return {name: metric.settings(counts, seed) for name, metric in chosen(metrics, options).items()}
