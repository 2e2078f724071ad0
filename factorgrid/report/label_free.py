"""Scores that need no labels, side by side: what each goes along with, and which model it would have chosen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from factorgrid.latents.abilities import Discrete
from factorgrid.methods import METHODS
from factorgrid.metrics import METRICS
from factorgrid.report.study_cells import Cells, Row, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import Absent, Cell, Number, P
from factorgrid.selectors import SELECTORS
from factorgrid.study.select import higher_is_better, models, select
from factorgrid.study.statistics import correlate, correlation_interval, holm

LEAST = 30  # models; fewer cannot tell scores apart
JUDGE = "mig"
OF_CODES = ("code_usage", "fos", "gaussian_total_correlation", "wasserstein_correlation", "mutual_information_score")
KEYS = (
    *(key for name, selector in SELECTORS.items() if name != "validation" for key in selector.keys),
    *(key for name in OF_CODES for key in METRICS[name].keys),
)


def label_free_table(cells: Cells) -> Table | Absent:
    """Every label-free score in every pool of at least `LEAST` models: rank correlations, and the model it chooses."""
    judged = [key for key in cells.metrics if in_percent(key) and higher_is_better(key) and key != JUDGE]
    rows = []
    for title, pool in _pools(cells):
        table = cells.models(pool)
        for data in dict.fromkeys(table["data"]):
            mine = table[table["data"] == data]
            rows += _rows(str(data), title, mine, judged, cells.resamples)
    if not rows:
        return Absent(f"no {LEAST} models of a data set have both MIG and scores that need no labels")
    caption = (
        "Rank correlation of each score with the metrics over the models of a pool, turned so that a positive number "
        "means: what the score calls better is better. In parentheses the 95 % bootstrap interval; p: of the "
        "correlation with MIG, corrected over the scores of a pool. Chosen: MIG in % of the model that the score calls "
        "best; percentile: its place in the pool (100: the best, 50: as good as blind choice). Scores that have no "
        "better side by themselves (code usage) are turned by their declared direction too."
    )
    return Table(rows, list(rows[0]), caption)


def _pools(cells: Cells) -> list[tuple[str, list[Row]]]:
    """Unsupervised models whose latents are alike: a gap exists for the discrete ones only."""
    pools: dict[bool, list[Row]] = {True: [], False: []}
    for row in cells.rows:
        if not row.kind.labels:
            pools[METHODS[row.kind.model].can(Discrete)].append(row)
    return [(", ".join(row.title for row in pool), pool) for pool in pools.values() if pool]


def _rows(data: str, pool: str, table: pd.DataFrame, judged: Sequence[str], resamples: int) -> list[dict[str, Cell]]:
    wide = models(table)
    keys = [key for key in KEYS if key in wide and JUDGE in wide and _finite(wide, key, JUDGE).shape[0] >= LEAST]
    found = {key: correlate(*_finite(wide, key, JUDGE).T) for key in keys}
    found = {key: one for key, one in found.items() if np.isfinite(one.rho)}  # equal scores choose nothing
    corrected = holm([one.p for one in found.values()])
    rows: list[dict[str, Cell]] = []
    for key, p in zip(found, corrected):
        sign = 1.0 if higher_is_better(key) else -1.0
        ends = correlation_interval(*_finite(wide, key, JUDGE).T, resamples=resamples)
        low, high = sorted(sign * end for end in ends)
        chosen = select(table, key=key, metrics=(JUDGE,)).iloc[0]
        record: dict[str, Cell] = {
            "data set": data, "pool": pool, "score": metric_title(key), "models": found[key].num,
            "with MIG": Number(sign * found[key].rho, 2, signed=True, interval=(low, high)), "p": P(float(p)),
            "chosen": Number(100 * chosen["value"]), "percentile": Number(100 * chosen["percentile"], 0),
        }  # fmt: skip
        for metric in judged:
            pairs = _finite(wide, key, metric) if metric in wide else np.empty((0, 2))
            record[f"with {metric_title(metric)}"] = Number(sign * correlate(*pairs.T).rho, 2, signed=True)
        rows.append(record)
    return rows


def _finite(wide: pd.DataFrame, key: str, metric: str) -> np.ndarray:
    """[model, 2]: both values, of models that have both."""
    both = wide[[key, metric]].to_numpy(np.float64)
    return both[np.isfinite(both).all(axis=1)]
