"""Every objective on the paper's network: speed alone and as a group of five, and whether what it penalises falls.

    python benchmarks/objectives.py                              # all methods; about 12 minutes on 2 quiet cores
    python benchmarks/objectives.py dvae factor_dvae --steps 20  # some of them, shorter

Needs factorgrid only. Data: dsprites_twin, rendered on the way; network: conv64; batches of 64. A group has three
members (seeds 0, 1, 2) with the method's default weight on its penalty, and two (seeds 0, 1) with no weight. They take
`--steps` steps together at a learning rate of 1e-3: ten times the paper's, since the training is short.

The penalised term is averaged over the first and over the last tenth of those steps, and over the members of a kind. A
KL or a total correlation begins near zero and grows as a model learns to use its latents, so the comparison that
matters is between "after" and "after, no weight". Steps per second leave out compilation and the first step.

Written to benchmarks/results/objectives.json and objectives.md after every row; a row that is there, of the same
settings, is not measured again (--again does). Expected: methods without a discriminator within a third of each other;
a group of five slower than one, but at most about five times; every penalised term lower with its weight than without.
"""

import argparse
import datetime
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from factorgrid import datasets
from factorgrid.datasets import Dataset
from factorgrid.files import read_json, replacing, write_json
from factorgrid.methods import METHODS
from factorgrid.training import Config
from factorgrid.training.groups import Shapes, make_group, stack
from factorgrid.training.state import Group, initial_state
from factorgrid.training.step import advance

RESULTS = Path(__file__).resolve().parent / "results"
DATA = "dsprites_twin"
LEARNING_RATE = 1e-3
WEIGHTED, UNWEIGHTED = (0, 1, 2), (0, 1)  # seeds

Terms = dict[str, np.ndarray]


class Penalty(NamedTuple):
    """What an objective penalises, and the hyperparameters that take its weight away."""

    label: str
    term: Callable[[Terms], np.ndarray]
    off: dict[str, float]


PENALTIES: dict[str, Penalty] = {
    "beta_vae": Penalty("KL", lambda t: t["kl"], {"beta": 1.0}),
    "annealed_vae": Penalty("distance of KL to capacity", lambda t: t["capacity_error"], {"gamma": 0.0}),
    "beta_tcvae": Penalty("minibatch total correlation", lambda t: t["total_correlation"], {"beta": 1.0}),
    "dip_vae_i": Penalty(
        "off-diagonal² + 10 (diagonal - prior's variance)²",
        lambda t: t["off_diagonal"] + 10 * t["diagonal"],
        {"lambda_od": 0.0},
    ),
    "dip_vae_ii": Penalty(
        "off-diagonal² + (diagonal - prior's variance)²",
        lambda t: t["off_diagonal"] + t["diagonal"],
        {"lambda_od": 0.0},
    ),
    "factor_vae": Penalty("discriminator's total correlation", lambda t: t["total_correlation"], {"gamma": 0.0}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", help=f"which; all by default: {', '.join(METHODS)}")
    parser.add_argument("--steps", type=int, default=100, help="of the group's training (default 100)")
    parser.add_argument("--alone-steps", type=int, default=15, help="timed steps of one member (default 15)")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    asked = parser.parse_args()
    unknown = set(asked.methods) - set(METHODS)
    if unknown:
        parser.error(f"unknown methods: {', '.join(sorted(unknown))}")
    path = asked.out / "objectives.json"
    rows: dict[str, Any] = read_json(path)["rows"] if path.exists() else {}
    settings = {"steps": asked.steps, "alone_steps": asked.alone_steps, "learning_rate": LEARNING_RATE, "data": DATA}
    for name in asked.methods or METHODS:
        if not asked.again and rows.get(name, {}).get("settings") == settings:
            print(f"{name}: measured on {rows[name]['date']}")
            continue
        rows[name] = {**measure(name, asked.steps, asked.alone_steps), "settings": settings, **circumstances()}
        write_json(path, {"rows": {known: rows[known] for known in METHODS if known in rows}})
        write_table(asked.out / "objectives.md", rows)
        print(
            name, {key: value for key, value in rows[name].items() if key not in ("settings", "versions")}, flush=True
        )


def measure(name: str, steps: int, alone_steps: int) -> dict[str, Any]:
    """One row."""
    dataset = datasets.load(DATA)
    together = group_of_five(name, steps, dataset)
    alone = jax.tree.map(lambda leaf: leaf[:1], together)
    alone_speed, _ = train(alone, dataset, [1, alone_steps])
    tenth = max(1, steps // 10)
    group_speed, terms = train(together, dataset, [1, tenth, max(1, steps - 2 * tenth - 1), tenth])
    row = {"steps_per_second_alone": round(alone_speed, 2), "steps_per_second_group_of_5": round(group_speed, 2)}
    penalty = PENALTIES.get(METHODS[name].objective)
    if penalty is None:
        return {**row, "penalised": None}
    before, after = penalty.term(terms[1]), penalty.term(terms[-1])
    weighted, unweighted = slice(0, len(WEIGHTED)), slice(len(WEIGHTED), None)
    return {
        **row,
        "penalised": penalty.label,
        "before": float(np.mean(before[weighted])),
        "after": float(np.mean(after[weighted])),
        "after_no_weight": float(np.mean(after[unweighted])),
    }


def group_of_five(name: str, steps: int, dataset: Dataset) -> Group:
    """Three members with the default weight, two without."""
    chosen, seeds = METHODS[name], WEIGHTED + UNWEIGHTED
    config = Config(data=DATA, model=name, seeds=tuple(range(len(seeds))), steps=steps, learning_rate=LEARNING_RATE)
    penalty = PENALTIES.get(chosen.objective)
    off = chosen.make_objective(penalty.off if penalty else {})
    objective = stack([chosen.make_objective({})] * len(WEIGHTED) + [off] * len(UNWEIGHTED))
    group = make_group(config, Shapes.of(dataset))
    return replace(group, method=replace(group.method, objective=objective), seeds=jnp.asarray(seeds, jnp.int32))


def train(group: Group, dataset: Dataset, chunks: list[int]) -> tuple[float, list[Terms]]:
    """Steps per second of all chunks but the first, and the terms of each chunk."""
    state, terms = initial_state(group), []
    began, done = 0.0, 0
    for index, chunk in enumerate(chunks):
        state, means = advance(state, group, dataset, None, jnp.asarray(chunk, jnp.int32))
        terms.append({key: np.asarray(value) for key, value in means.items()})  # waits for the device
        if index == 0:
            began = time.monotonic()
        else:
            done += chunk
    return done / (time.monotonic() - began), terms


def circumstances() -> dict[str, Any]:
    packages = ("factorgrid", "jax", "jaxlib", "equinox", "optax")
    return {
        "date": datetime.date.today().isoformat(),
        "hardware": f"{jax.devices()[0].platform}, {platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "versions": {package: importlib.metadata.version(package) for package in packages},
    }


def write_table(path: Path, rows: dict[str, Any]) -> None:
    lines = [
        "# Objectives: speed and effect",
        "",
        "Made by `python benchmarks/objectives.py`; its header says how. conv64, batches of 64, dsprites_twin.",
        "",
        "| method | steps/s alone | steps/s, group of 5 | penalised term | before | after | after, no weight |",
        "| --- | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    for name, row in ((known, rows[known]) for known in METHODS if known in rows):
        numbers = [f"{row[key]:.4g}" if row["penalised"] else "" for key in ("before", "after", "after_no_weight")]
        speeds = [f"{row['steps_per_second_alone']:.1f}", f"{row['steps_per_second_group_of_5']:.1f}"]
        cells = [METHODS[name].title, *speeds, row["penalised"] or "none", *numbers]
        lines.append("| " + " | ".join(cells) + " |")
    facts = {f"{row['date']}; {row['hardware']}; {versions_of(row)}; {settings_of(row)}" for row in rows.values()}
    with replacing(path) as temporary:
        temporary.write_text("\n".join([*lines, "", *(f"Measured: {fact}." for fact in sorted(facts)), ""]))


def versions_of(row: dict[str, Any]) -> str:
    return ", ".join(f"{package} {version}" for package, version in row["versions"].items())


def settings_of(row: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in row["settings"].items())


if __name__ == "__main__":
    main()
