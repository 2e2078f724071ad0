"""The tables behind the claims: D-VAE against VAE, selection, rank correlations; and what differs from the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from factorgrid.metrics.sampling import PUBLISHED
from factorgrid.papers.friede2023.methods import (
    D_VAE,
    DISCRETE,
    FACTOR_D_VAE,
    GAUSSIAN,
    PREVIOUS,
    VAE,
    all_played,
    label,
    lightgbm_note,
    played,
    pool_title,
    six,
    supervised,
    title_of,
)
from factorgrid.papers.friede2023.published import SETTINGS, STEPS, column_of, is_twin
from factorgrid.readable import counted
from factorgrid.report.comparisons import compare_rows, pair_table
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Cell, Number, distinct
from factorgrid.study.outcomes import Kind
from factorgrid.study.select import GAP, VALIDATION, correlations, select

LR_EFFICIENCY, GBT_EFFICIENCY = "downstream_lr.efficiency", "downstream_gbt.efficiency"
GAP_OF_ELBO = "st_gap_elbo"
KEYS = {GAP: "gap", GAP_OF_ELBO: "gap of the ELBO", "udr": "UDR", VALIDATION: "supervised validation"}


def dvae_against_vae(cells: Cells) -> Table | Absent:
    """Every data set and metric."""
    pair = played(cells, VAE), played(cells, D_VAE)
    if pair[0] is None or pair[1] is None:
        return Absent("the study does not have both VAE and D-VAE")
    found = compare_rows(cells, [(pair[0], pair[1])], metrics=six(cells))
    table = pair_table(cells, found, "D-VAE against VAE. ")
    return replace(table, caption=table.caption + lightgbm_note(cells))


def selection_table(cells: Cells) -> Table | Absent:
    """Unsupervised models chosen by gap and UDR."""
    found: list[tuple[str, dict[str, Cell]]] = []
    for key, kinds in ((GAP, DISCRETE), (GAP_OF_ELBO, DISCRETE), ("udr", DISCRETE), ("udr", GAUSSIAN)):
        pool = all_played(cells, kinds)
        chosen = select(cells.models(pool), key=key, metrics=six(cells))
        for data, mine in chosen.groupby("data", sort=False):
            found.append((str(data), _selected(cells, str(data), key, pool, mine.set_index("metric"))))
    if not found:
        return Absent("no unsupervised model was scored by a gap or by UDR")
    order = {data: place for place, data in enumerate(cells.outcome.data)}
    rows = [record for _, record in sorted(found, key=lambda one: order.get(one[0], 0))]
    caption = (
        "For each data set and pool of models, the one with the smallest straight-through gap or the highest UDR. "
        "Scores in %; gain: MIG of the chosen model over the pool's median; percentile: its place in the pool by MIG "
        "(100: the best; ties count against it); best: the highest MIG of the pool, which needs labels to find."
    )
    return Table(rows, list(dict.fromkeys(name for row in rows for name in row)), caption + lightgbm_note(cells))


def supervised_selection_table(cells: Cells) -> Table | Absent:
    """Semi-supervised models chosen by held-out labels and by gap."""
    rows: dict[tuple[Row, str], dict[str, Cell]] = {}
    for row in supervised(cells):
        for key in (VALIDATION, GAP):
            for one in select(cells.models([row]), key=key, metrics=("mig",)).to_dict("records"):
                gain = f"{100 * one['gain']:+.0f} % " if np.isfinite(one["gain"]) else ""
                cell = Number(100 * one["value"], after=f"{gain}of {one['num']}")
                rows.setdefault((row, key), {})[str(one["data"])] = cell
    if not rows:
        return Absent("no semi-supervised model was scored by a gap or on held-out labels")
    missing = {data: Absent(short="not scored") for data in cells.outcome.data}
    caption = (
        "MIG in % of the model with the smallest loss on held-out labels, or the smallest straight-through gap, among "
        "all hyperparameters and seeds of a method; behind it its gain over their median."
    )
    records = [{"model": label(row), "by": KEYS[key], **missing, **found} for (row, key), found in rows.items()]
    return Table(records, ["model", "by", *cells.outcome.data], caption)


def _selected(cells: Cells, data: str, key: str, pool: Sequence[Row], chosen: pd.DataFrame) -> dict[str, Cell]:
    mig = chosen.loc["mig"] if "mig" in chosen.index else None
    any_row = chosen.iloc[0]
    record: dict[str, Cell] = {
        "data set": data, "by": KEYS[key], "pool": pool_title(pool), "models": int(any_row["num"]),
        "MIG": Absent() if mig is None else Number(100 * mig["value"]),
        "median": Absent() if mig is None else Number(100 * mig["median"]),
        "gain in %": Absent() if mig is None else Number(100 * mig["gain"], 0, signed=True),
        "percentile": Absent() if mig is None else Number(100 * mig["percentile"], 0),
        "best": Absent() if mig is None else Number(100 * mig["best"]),
    }  # fmt: skip
    for name in six(cells):
        if name != "mig":
            value = chosen.loc[name, "value"] if name in chosen.index else np.nan
            record[metric_title(name)] = Number(100 * value)
    return {**record, "chosen": f"{any_row['method']}, {any_row['member']}"}


@dataclass(frozen=True)
class Correlated:
    """What a figure of rank correlations correlates the metrics with.

    Attributes:
        key: the score.
        kinds: the methods whose models are pooled; all of them must be there.
        words: what the score is, for the caption.
        missing: why there is none, if no model has it.
    """

    key: str
    kinds: tuple[Kind, ...]
    words: str
    missing: str


# how often a metric draws, in words, and the paper's numbers: those of `Counts`
COUNTED = {
    "num_train": "training points", "num_test": "test points", "batch_size": "images a point",
    "num_variance_estimate": "images for variances",
}  # fmt: skip

_GAP = "the straight-through gap (negative: a small gap goes along with a high score)"
_EFFICIENCY = "statistical efficiency: accuracy of {} from 100 labels over that from 10,000"
_DOWNSTREAM = "the downstream task was not scored at 100 and 10,000 labels, or for fewer than three D-VAEs"
CORRELATED: Mapping[str, Correlated] = {
    "figure-4-left": Correlated(GAP, (D_VAE,), _GAP, "no three D-VAEs of a data set have both a gap and another score"),
    "figure-4-right": Correlated(LR_EFFICIENCY, (D_VAE,), _EFFICIENCY.format("logistic regression"), _DOWNSTREAM),
    "figure-6-left": Correlated(GAP, DISCRETE, _GAP, "no three models have both scores"),
    "figure-9": Correlated(GBT_EFFICIENCY, (D_VAE,), _EFFICIENCY.format("gradient-boosted trees"), _DOWNSTREAM),
}


def correlated(cells: Cells, figure: str) -> pd.DataFrame | Absent:
    """The correlations of a figure: columns as of `correlations`."""
    asked = CORRELATED[figure]
    for kind in asked.kinds:
        if played(cells, kind) is None:
            return Absent(f"no {title_of(kind)} in this study's plan")
    found = correlations(cells.models(all_played(cells, asked.kinds)), key=asked.key, metrics=six(cells))
    return found if found["rho"].notna().any() else Absent(asked.missing)


def correlation_table(cells: Cells, name: str, found: pd.DataFrame) -> Table:
    """Rows: metrics; columns: data sets."""
    values = {(row["data"], row["metric"]): row for row in found.to_dict("records")}
    data_sets = [data for data in cells.outcome.data if data in set(found["data"])]
    rows: list[dict[str, Cell]] = []
    for key in six(cells):
        row: dict[str, Cell] = {"metric": metric_title(key)}
        for data in data_sets:
            one = values.get((data, key))
            if one is None:
                row[data] = Absent(short="not scored")
            else:
                p = None if np.isnan(one["rho"]) else float(one["p"])
                row[data] = Number(float(one["rho"]), 2, p=p, num=int(one["num"]))
        rows.append(row)
    caption = (
        "Spearman's rank correlation over models; p: two-sided, by permutation for up to 30 models, not corrected; "
        "n: models." + lightgbm_note(cells)
    )
    return Table(rows, ["metric", *data_sets], caption, name=f"{name}-correlations")


def deviations_table(cells: Cells) -> Table:
    """Where this study is not the paper's."""
    outcome = cells.outcome
    steps = sorted(set(outcome.table["steps"]))
    rows = [("data", "published files", "; ".join(_data_text(data) for data in outcome.data))]
    rows.append(("training steps", f"{STEPS:,}", ", ".join(f"{n:,}" for n in steps) or "none yet"))
    for row in cells.rows:
        mine = cells.models([row])
        seeds, settings = mine["seed"].nunique(), mine["hyperparameters"].nunique()
        if seeds:
            ours = f"{counted(seeds, 'seed')} × {counted(settings, 'setting')} on each data set at most"
            rows.append((f"models of {label(row)}", _paper_models(row, outcome.data), ours))
    for key in six(cells):
        counts = cells.provenance(key)
        drawn = [name for name in COUNTED if name in counts]
        if drawn:
            paper, here = (
                ", ".join(f"{one[name]:,} {COUNTED[name]}" for name in drawn) for one in (asdict(PUBLISHED), counts)
            )
            rows.append((f"what {metric_title(key)} is estimated from", paper, here))
    gap = cells.provenance(GAP)
    if "num_batches" in gap:
        rows.append(("batches of the straight-through gap", "1,000", f"{gap['num_batches']:,}"))
    if any("dci" in metric for metric in outcome.table["metric"].unique()):
        rows.append(("trees of DCI", "scikit-learn", "LightGBM" if lightgbm_note(cells) else "scikit-learn"))
    rows += [(name, SETTINGS.get(name, "not stated"), words) for name, words in outcome.facts.items()]
    columns = ["aspect", "paper", "this study"]
    caption = (
        "The paper's numbers of seeds are those of Locatello et al. (2019), whose protocol it says it follows; "
        "its own are not legible in the text that this library was made from."
    )
    return Table([dict(zip(columns, row)) for row in rows], columns, caption, distinct(_doubles(cells)))


def _doubles(cells: Cells) -> list[str]:
    """Methods that are of the same kind as one before them: the paper's tables of one method show the first."""
    return [
        f"{row.title} is a {title_of(row.kind)} like {first.title}: where the paper has one, the first stands for it"
        for row in cells.rows
        if (first := played(cells, row.kind)) is not None and first != row
    ]


def _data_text(data: str) -> str:
    if is_twin(data):
        return f"{data}: rendered here in place of {column_of(data)}"
    return f"{data}: published files" if column_of(data) else f"{data}: no scores in the paper"


def _paper_models(row: Row, data: Sequence[str]) -> str:
    if row.kind.labels:
        return "not stated"
    plain = row.kind in (VAE, D_VAE)
    if set(data) == {"circles"}:
        return "50 seeds" if plain else "none"
    if row.kind.model not in (*PREVIOUS, D_VAE.model, FACTOR_D_VAE.model):
        return "none"
    return "300 seeds" if plain else "50 seeds × 6 settings"
