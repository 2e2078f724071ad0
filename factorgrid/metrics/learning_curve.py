"""The downstream task at several sizes, as one metric: accuracies and the statistical efficiency."""

from typing import Any

from factorgrid.metrics.downstream import downstream_parts, efficiency, mean_accuracy
from factorgrid.metrics.parallel import Part, run_part

FEW, MANY = 100, 10_000  # the sizes that the statistical efficiency compares
SIZES = (100, 1_000, 10_000)

Fit = tuple[int, tuple[float, float] | None]


def keys(name: str) -> dict[str, tuple[float, float]]:
    """Result keys and ranges at the published sizes."""
    accuracies = {f"{name}.accuracy_{size}": (0.0, 1.0) for size in SIZES}
    numbers = {f"{name}.num_factors_{size}": (0.0, float("inf")) for size in SIZES}
    return {**accuracies, f"{name}.efficiency": (0.0, float("inf")), **numbers}


def lr_parts(splits: dict[int, Any], seed: int) -> list[Part]:
    """Fits of logistic regressions at every size."""
    return parts_at(splits, "lr", seed)


def gbt_parts(splits: dict[int, Any], seed: int) -> list[Part]:
    """Fits of gradient-boosted trees at every size."""
    return parts_at(splits, "gbt", seed)


def parts_at(splits: dict[int, Any], classifier: str, seed: int) -> list[Part]:
    return [
        (fit_at, {"size": size, "function": function, **arguments})
        for size, split in splits.items()
        for function, arguments in downstream_parts(**split, classifier=classifier, seed=seed)
    ]


def fit_at(size: int, function: Any, **arguments: Any) -> Fit:
    return size, run_part((function, arguments))


def join_lr(fits: list[Fit]) -> dict[str, float]:
    """Scores of the logistic regressions."""
    return join("downstream_lr", fits)


def join_gbt(fits: list[Fit]) -> dict[str, float]:
    """Scores of the trees."""
    return join("downstream_gbt", fits)


def join(name: str, fits: list[Fit]) -> dict[str, float]:
    """Test accuracy and number of factors at every size; the efficiency if both its sizes are there."""
    scores = {}
    for size in dict.fromkeys(size for size, _ in fits):
        means = mean_accuracy([pair for of_size, pair in fits if of_size == size])
        scores[f"{name}.accuracy_{size}"] = means["test_accuracy"]
        scores[f"{name}.num_factors_{size}"] = means["num_factors"]
    few, many = (f"{name}.accuracy_{size}" for size in (FEW, MANY))
    if few in scores and many in scores:
        scores[f"{name}.efficiency"] = efficiency(scores[few], scores[many])
    return scores
