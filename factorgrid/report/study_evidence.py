"""The tables behind the claims: the test of D-VAE against VAE, selection, rank correlations, deviations."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from factorgrid.report.comparisons import NOT_SUPPORTED, NOT_TESTED, SUPPORTED, Tested, compare_methods
from factorgrid.report.published import SETTINGS, STEPS, column_of, is_twin
from factorgrid.report.study_cells import (
    NONE,
    Cells,
    Row,
    distinct,
    metric_title,
    number,
    p_value,
    percent,
    with_interval,
    written,
)
from factorgrid.report.study_tables import lightgbm_note
from factorgrid.report.table_files import Table
from factorgrid.study.select import DISCRETE, DVAES, GAP, VALIDATION, correlations, select

LR_EFFICIENCY, GBT_EFFICIENCY = "downstream_lr.efficiency", "downstream_gbt.efficiency"
GAUSSIAN = ("VAE", "FactorVAE")
GAP_OF_ELBO = "st_gap_elbo"
KEYS = {GAP: "gap", GAP_OF_ELBO: "gap of the ELBO", "udr": "UDR", VALIDATION: "supervised validation"}


def dvae_against_vae(cells: Cells, *, resamples: int) -> list[Tested]:
    """Every data set and metric; empty if the study does not have both methods."""
    pair = Row("VAE"), Row("D-VAE")
    if not set(pair) <= set(cells.rows):
        return []
    return compare_methods(cells, [pair], metrics=cells.six, resamples=resamples)


def comparison_table(cells: Cells, tested: Sequence[Tested], *, resamples: int) -> Table:
    """D-VAE against VAE in numbers."""
    records = []
    for one in tested:
        texts = [written(cell, with_interval, resamples=resamples) for cell in one.cells]
        found = one.comparison
        records.append(
            {
                "data set": one.data,
                "metric": metric_title(one.metric),
                one.first.title: texts[0],
                one.second.title: texts[1],
                "difference": NONE if found is None else difference_text(found.difference, found.interval),
                "superiority": NONE if found is None else percent(found.superiority),
                "p": NONE if found is None else p_value(found.p),
                "p (Holm)": p_value(one.holm),
                "D-VAE is": _verdict(one),
            }
        )
    higher = [one.comparison.difference > 0 for one in tested if one.comparison is not None]
    first, second = tested[0].first.title, tested[0].second.title
    return Table(
        "dvae-against-vae",
        f"{second} against {first} (Figures 5, 12 and 13)",
        "Medians in % with 95 % bootstrap intervals; the difference of the medians in points with its interval; "
        "superiority: how often, in %, a random D-VAE scores higher than a random VAE (50: equal). p: two-sided "
        "Mann-Whitney U test, then after Holm's correction over the data sets of each metric. "
        f"The D-VAE's median is higher in {sum(higher)} of {len(higher)} cells." + lightgbm_note(cells),
        pd.DataFrame(records),
        distinct(one.reason for one in tested),
    )


def difference_text(difference: float, interval: tuple[float, float]) -> str:
    """ "+3.1 (1.0 to 5.2)", in percentage points."""
    shown = f"{100 * difference:+.1f}"
    return shown if np.isnan(interval[0]) else f"{shown} ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})"


def selection_table(cells: Cells) -> Table | None:
    """Unsupervised models chosen by gap and UDR; None if nothing was scored by either."""
    outcome = cells.outcome
    rows = []
    for key, pool in ((GAP, DISCRETE), (GAP_OF_ELBO, DISCRETE), ("udr", DISCRETE), ("udr", GAUSSIAN)):
        present = tuple(method for method in pool if Row(method) in cells.rows)
        found = select(outcome.table, key=key, metrics=cells.six, pool=present)
        for data, mine in found.groupby("data", sort=False):
            rows.append(_selection_record(cells, str(data), key, present, mine.set_index("metric")))
    if not rows:
        return None
    order = {data: place for place, data in enumerate(outcome.data)}
    rows = sorted(rows, key=lambda row: order.get(row["data set"], 0))
    return Table(
        "selection",
        "Selecting a model without labels (Section 6.3, Table 1)",
        "For each data set and pool of models, the one with the smallest straight-through gap or the highest UDR. "
        "Scores in %; gain: MIG of the chosen model over the pool's median; percentile: its place in the pool by MIG "
        "(100: the best; ties count against it); best: the highest MIG of the pool, which needs labels to find."
        + lightgbm_note(cells),
        pd.DataFrame(rows),
    )


def supervised_selection_table(cells: Cells) -> Table | None:
    """Semi-supervised models chosen by held-out labels and by gap; None if nothing was scored by either."""
    rows: dict[tuple[Row, str], dict[str, str]] = {}
    for row in cells.supervised:
        for key in (VALIDATION, GAP):
            found = select(cells.outcome.table, key=key, metrics=("mig",), pool=(row.method,), labels=row.labels)
            for one in found.to_dict("records"):
                text = f"{percent(one['value'])} ({gain_text(one['gain'])}) of {one['num']}"
                rows.setdefault((row, key), {})[str(one["data"])] = text
    if not rows:
        return None
    columns = ["model", "by", *cells.outcome.data]
    records = [{"model": row.title, "by": KEYS[key], **texts} for (row, key), texts in rows.items()]
    return Table(
        "selection-supervised",
        "Selecting a semi-supervised model (Section 6.4)",
        "MIG in % of the model with the smallest loss on held-out labels, or the smallest straight-through gap, among "
        "all hyperparameters and seeds of a method; in parentheses its gain over their median.",
        pd.DataFrame(records, columns=columns).fillna(f"{NONE} not scored"),
    )


def _selection_record(cells: Cells, data: str, key: str, pool: Sequence[str], chosen: pd.DataFrame) -> dict[str, str]:
    mig = chosen.loc["mig"] if "mig" in chosen.index else None
    any_row = chosen.iloc[0]
    others = [metric for metric in cells.six if metric != "mig"]
    return {
        "data set": data,
        "by": KEYS[key],
        "pool": " ∪ ".join(pool),
        "models": str(int(any_row["num"])),
        "MIG": NONE if mig is None else percent(mig["value"]),
        "median": NONE if mig is None else percent(mig["median"]),
        "gain in %": NONE if mig is None else gain_number(mig["gain"]),
        "percentile": NONE if mig is None else f"{100 * mig['percentile']:.0f}",
        "best": NONE if mig is None else percent(mig["best"]),
        **{metric_title(name): percent(chosen.loc[name, "value"]) if name in chosen.index else NONE for name in others},
        "chosen": f"{any_row['method']}, {any_row['member']}",
    }


def gain_number(gain: float) -> str:
    """In percent, with its sign."""
    return f"{100 * gain:+.0f}" if np.isfinite(gain) else NONE


def gain_text(gain: float) -> str:
    return f"{100 * gain:+.0f} %" if np.isfinite(gain) else NONE


def correlation_frames(cells: Cells) -> Mapping[str, pd.DataFrame]:
    """Correlations for each figure that has some: "figure-4-left", "figure-4-right", "figure-6-left", "figure-9"."""
    table = cells.outcome.table
    both = tuple(method for method in DISCRETE if Row(method) in cells.rows)
    asked = {
        "figure-4-left": (GAP, DVAES),
        "figure-4-right": (LR_EFFICIENCY, DVAES),
        "figure-6-left": (GAP, DISCRETE if len(both) == 2 else ()),
        "figure-9": (GBT_EFFICIENCY, DVAES),
    }
    found = {
        name: correlations(table, key=key, metrics=cells.six, pool=pool) for name, (key, pool) in asked.items() if pool
    }
    return {name: frame for name, frame in found.items() if len(frame) and frame["rho"].notna().any()}


def correlation_table(cells: Cells, name: str, title: str, frame: pd.DataFrame) -> Table:
    """Rows: metrics; columns: data sets; "−0.62 p 0.003 n 50"."""
    values = {(row["data"], row["metric"]): row for row in frame.to_dict("records")}
    data_sets = [data for data in cells.outcome.data if data in set(frame["data"])]
    records = []
    for key in cells.six:
        record = {"metric": metric_title(key)}
        for data in data_sets:
            record[data] = _correlation_text(values.get((data, key)))
        records.append(record)
    return Table(
        f"{name}-correlations",
        title,
        "Spearman's rank correlation over models; p: two-sided, by permutation for up to 30 models, not corrected; "
        "n: models." + lightgbm_note(cells),
        pd.DataFrame(records, columns=["metric", *data_sets]),
    )


def _correlation_text(found: Mapping[Hashable, Any] | None) -> str:
    if found is None or not np.isfinite(found["rho"]):
        return f"{NONE} not scored" if found is None else f"{NONE} n {found['num']}"
    return f"{number(found['rho'])} p {p_value(found['p'])} n {found['num']}"


def deviations_table(cells: Cells) -> Table:
    """Where this study is not the paper's."""
    outcome = cells.outcome
    steps = sorted(set(outcome.table["steps"]))
    rows = [("data", "published files", "; ".join(_data_text(data) for data in outcome.data))]
    rows.append(("training steps", f"{STEPS:,}", ", ".join(f"{n:,}" for n in steps) or NONE))
    for row in cells.rows:
        mine = outcome.table[(outcome.table["method"] == row.method) & (outcome.table["labels"] == row.labels)]
        seeds, settings = mine["seed"].nunique(), mine["hyperparameters"].nunique()
        if seeds:
            text = f"{seeds} seeds × {settings} setting{'s' if settings > 1 else ''} on each data set at most"
            rows.append((f"models of {row.title}", _paper_models(row, outcome.data), text))
    counts = cells.provenance("mig")
    if "num_train" in counts:
        rows.append(("images that MIG is estimated from", "10,000", f"{counts['num_train']:,}"))
    gap = cells.provenance(GAP)
    if "num_batches" in gap:
        rows.append(("batches of the straight-through gap", "1,000", f"{gap['num_batches']:,}"))
    if any("dci" in metric for metric in outcome.table["metric"].unique()):
        rows.append(("trees of DCI", "scikit-learn", "LightGBM" if lightgbm_note(cells) else "scikit-learn"))
    rows += [(name, SETTINGS.get(name, NONE), text) for name, text in outcome.facts.items()]
    return Table(
        "deviations",
        "What differs from the paper",
        "The paper's numbers of seeds are those of Locatello et al. (2019), whose protocol it says it follows; "
        "its own are not legible in the text that this library was made from.",
        pd.DataFrame(rows, columns=["aspect", "paper", "this study"]),
        words=True,
    )


def _data_text(data: str) -> str:
    if is_twin(data):
        return f"{data}: rendered here in place of {column_of(data)}"
    return f"{data}: published files" if column_of(data) else f"{data}: no scores in the paper"


def _paper_models(row: Row, data: Sequence[str]) -> str:
    if row.labels:
        return "not stated"
    if set(data) == {"circles"}:
        return "50 seeds" if row.method in ("VAE", "D-VAE") else NONE
    if row.method in ("VAE", "D-VAE"):
        return "300 seeds"
    return "50 seeds × 6 settings"


def _verdict(one: Tested) -> str:
    return {SUPPORTED: "better", NOT_SUPPORTED: "worse", NOT_TESTED: "not tested"}.get(one.verdict, "not different")
