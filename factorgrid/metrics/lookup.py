"""What is read off the table of metrics: names, options, settings, directions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from factorgrid.errors import Error, unknown_name
from factorgrid.metrics.hard import Codes, hard, options_of, recorded, soft
from factorgrid.metrics.metric import Metric
from factorgrid.metrics.sampling import PUBLISHED, Counts
from factorgrid.metrics.solvers.trees import has_lightgbm
from factorgrid.metrics.table import METRICS, SIX

Options = Mapping[str, Mapping[str, Any]]  # metric name -> options other than the declared ones


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
    names: list[str] = []
    for name in spelled(metrics, [*groups, *METRICS]):
        names += groups.get(name, [name])
    return list(dict.fromkeys(names))


def spelled(metrics: str | Iterable[str], known: Sequence[str], *, also: Sequence[str] = ()) -> list[str]:
    """The known names for names as people spell them. Those in `also` are known too; errors do not list them.

    >>> spelled(["MIG", "Beta-VAE"], ["mig", "beta_vae_score"])
    ['mig', 'beta_vae_score']

    Raises:
        Error: an unknown name; the nearest known one is suggested. Or no name at all.
    """
    asked = [metrics] if isinstance(metrics, str) else list(metrics) if isinstance(metrics, Iterable) else [metrics]
    if not asked or metrics is None:
        raise Error(f"no metric given. Known: {', '.join(known)}")
    table = {key: name for name in (*also, *known) for key in (plain(name), plain(name).replace("score", ""))}
    for name in asked:
        if not isinstance(name, str) or plain(name) not in table:
            raise unknown_name("metric", str(name), known, also=also)
    return [table[plain(name)] for name in asked]


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
    """What the metric that yields `key` is asked for by: "dci" for "dci.completeness".

    Raises:
        Error: no metric does.
    """
    owners = {_stem(key): name for name, metric in METRICS.items() for key in metric.keys}
    if _stem(soft(key)) not in owners:
        raise unknown_name("score", key, [key for metric in METRICS.values() for key in metric.keys])
    owner = owners[_stem(soft(key))]
    return owner if _stem(key) in owners else hard(owner)


def _stem(key: str) -> str:
    """Without the numbers of labels that counts decide: "downstream_lr.accuracy_" for any of them."""
    return key.rstrip("0123456789") if "." in key else key


def higher_is_better(key: str) -> bool:
    """The direction of a result key: True for "dci.completeness", False for "mutual_information_score".

    Raises:
        Error: no metric yields this key.
    """
    return METRICS[soft(metric_of(key))].higher_is_better


def metric_settings(
    metrics: str | Iterable[str], *, seed: int = 0, counts: Counts = PUBLISHED, options: Options | None = None
) -> dict[str, dict[str, Any]]:
    """For each metric name, what its scores depend on besides the codes: to be stored with them.

    >>> metric_settings("mig")
    {'mig': {'seed': 0, 'num_train': 10000, 'num_bins': 20}}
    """
    return {name: metric.settings(counts, seed) for name, metric in chosen(metrics, options).items()}


def published_settings() -> dict[str, dict[str, Any]]:
    """For each result key, of hard codes too, the counts and options of its published numbers, whatever the seed.

    >>> published_settings()["mig"], published_settings()["mig_hard"]
    ({'num_train': 10000, 'num_bins': 20}, {'num_train': 10000, 'num_bins': 20, 'codes': 'hard'})
    """
    return _published("soft") | {hard(key): {**found, **recorded("hard")} for key, found in _published("hard").items()}


def _published(codes: Codes) -> dict[str, dict[str, Any]]:
    table = chosen(list(METRICS), options_of(codes, METRICS))
    return {
        key: {name: value for name, value in metric.settings(PUBLISHED, 0).items() if name != "seed"}
        for metric in table.values()
        for key in metric.keys
    }
