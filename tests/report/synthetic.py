"""A study that never ran: random scores with known effects, for the tests of the report."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from factorgrid.study.outcomes import COLUMNS, Group, Kind, Outcome

DATA = ("dsprites_twin", "color_dsprites_twin", "smallnorb_twin", "cars3d_twin", "shapes3d_twin", "mpi3d_toy_twin")
SIX = ("beta_vae_score", "factor_vae_score", "mig", "dci.disentanglement", "modularity", "sap")
UNSUPERVISED = ("VAE", "D-VAE", "FactorVAE", "FactorDVAE")
SUPERVISED = ("VAE (BCE)", "VAE (L2)", "FactorVAE (BCE)", "FactorVAE (L2)",
              "D-VAE", "D-VAE (M)", "FactorDVAE", "FactorDVAE (M)")  # fmt: skip
# medians of every metric; the discrete methods are better, the masked ones best
LEVEL = {"VAE": 0.2, "D-VAE": 0.35, "FactorVAE": 0.3, "FactorDVAE": 0.5}


def synthetic(
    *,
    data: tuple[str, ...] = DATA,
    methods: tuple[str, ...] = UNSUPERVISED,
    supervised: tuple[str, ...] = SUPERVISED,
    labels: tuple[int, ...] = (100, 1000),
    seeds: int = 5,
    level: Mapping[str, float] = LEVEL,
    metrics: tuple[str, ...] = SIX,
    downstream: bool = True,
    runs: Mapping[str, Path] | None = None,
    arrays: Mapping[str, Path] | None = None,
    states: Mapping[str, tuple[str, str]] | None = None,
    titles: Mapping[str, str] | None = None,
) -> Outcome:
    """Scores of level + noise; a small gap goes with a high score; groups in `states` have none.

    Methods are called by their titles in the paper, or by those in `titles`.
    """
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    groups = []
    asked = [(method, 0) for method in methods] + [(method, n) for n in labels for method in supervised]
    for name in data:
        for method, num_labels in asked:
            kind, title = _kind(method, num_labels), (titles or {}).get(method, method)
            group = f"{name}-{method.lower().replace(' ', '-')}-{num_labels}"
            state, reason = (states or {}).get(group, ("done", ""))
            members = list(_members(method, num_labels, seeds))
            groups.append(Group(group, name, title, kind, len(members), state, reason))
            if state == "done":
                for member, seed, hyperparameters in members:
                    scores = _scores(rng, method, num_labels, level, metrics, downstream)
                    known = {"group": group, "data": name, "method": title, **dataclasses.asdict(kind),
                             "member": member, "seed": seed, "hyperparameters": json.dumps(hyperparameters),
                             "steps": 20_000}  # fmt: skip
                    provenance = json.dumps({"seed": 0, "num_train": 10_000, "num_batches": 1000})
                    rows += [{**known, "metric": key, "value": value, "provenance": provenance}
                             for key, value in scores.items()]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    facts = {"hardware": "2 x AMD EPYC <7B13>", "factorgrid": "0.1.0"}
    called = tuple(dict.fromkeys((titles or {}).get(method, method) for method in [*methods, *supervised]))
    description = "Random numbers & no models.\n\nFor tests only: <b>nothing</b> here was measured."
    return Outcome("synthetic", "A study that never ran", description, data, called, table, tuple(groups),
                   runs or {}, arrays or {}, facts)  # fmt: skip


def _members(method: str, labels: int, seeds: int) -> Iterator[tuple[str, int, dict[str, float]]]:
    for gamma in (10.0, 30.0, 100.0) if method.startswith("Factor") else (None,):
        for omega in (1.0, 8.0) if labels else (None,):
            values = {k: v for k, v in (("gamma", gamma), ("omega", omega)) if v is not None}
            for seed in range(seeds):
                yield "-".join([*(f"{k}{v:g}" for k, v in values.items()), f"seed{seed}"]), seed, values


def _scores(
    rng: np.random.Generator, method: str, labels: int, level: Mapping[str, float], metrics: tuple[str, ...],
    downstream: bool,
) -> dict[str, float]:  # fmt: skip
    base = method.split(" ")[0]
    quality = level.get(base, 0.2) + 0.1 * (labels > 0) + 0.1 * method.endswith("(M)") + 0.05 * rng.normal()
    scores = {key: float(np.clip(quality + 0.03 * rng.normal(), 0, 1)) for key in metrics}
    if "D-VAE" in method or "DVAE" in method:
        scores["st_gap_loss"] = float(np.exp(3 - 8 * quality + 0.2 * rng.normal()))
        scores["st_gap_elbo"] = scores["st_gap_loss"] * 0.9
    if not labels:
        scores["udr"] = float(np.clip(quality + 0.1 * rng.normal(), 0, 1))
        if downstream:
            for kind in ("lr", "gbt"):
                scores[f"downstream_{kind}.efficiency"] = float(0.5 + 0.5 * quality + 0.05 * rng.normal())
    else:
        scores["validation_loss"] = float(2 - quality + 0.1 * rng.normal())
    return scores


def _kind(method: str, labels: int) -> Kind:
    base, *suffix = method.split(" ")
    names = {"VAE": "vae", "D-VAE": "dvae", "FactorVAE": "factor_vae", "FactorDVAE": "factor_dvae", "β-VAE": "beta_vae",
             "β-TCVAE": "beta_tcvae"}  # fmt: skip
    gaussian = {"(BCE)": "bce", "(L2)": "l2"}.get("".join(suffix), "cross_entropy")
    return Kind(names[base], suffix == ["(M)"], gaussian if labels else "", labels)
