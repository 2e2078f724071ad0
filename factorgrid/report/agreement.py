"""How far metrics agree: rank correlations of each with each other, over the models of a data set."""

import numpy as np

from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.report.table_files import Table
from factorgrid.report.tables import in_percent
from factorgrid.report.values import NOTHING, Absent, Cell, Number
from factorgrid.study.select import higher_is_better, models
from factorgrid.study.statistics import correlate

LEAST = 20  # models; fewer cannot tell metrics apart


def agreement_table(cells: Cells) -> Table | Absent:
    """A row and a column for each metric, for every data set with at least `LEAST` models without labels."""
    keys = [key for key in cells.metrics if in_percent(key) and higher_is_better(key)]
    pool = [row for row in cells.rows if not row.kind.labels]
    table = cells.models(pool)
    rows: list[dict[str, Cell]] = []
    for data in dict.fromkeys(table["data"]):
        wide = models(table[table["data"] == data])
        known = np.isfinite(wide[[key for key in keys if key in wide]]).groupby(wide["method"]).any().all()
        shared = list(known[known].index)  # by all methods
        scored = wide.loc[np.isfinite(wide[shared]).all(axis=1), shared]  # each model counts for all metrics or none
        if len(scored) < LEAST or scored.shape[1] < 2:
            continue
        for key in scored:
            others: dict[str, Cell] = {
                metric_title(other): NOTHING
                if other == key
                else Number(correlate(scored[key], scored[other]).rho, 2, signed=True)
                for other in scored
            }
            rows.append({"data set": str(data), "models": len(scored), "metric": metric_title(key), **others})
    if not rows:
        return Absent(f"no {LEAST} models of a data set were scored by two metrics or more")
    caption = (
        "Spearman's rank correlation of metrics over all models without labels of a data set, methods together: +1 "
        "where two metrics order the models alike. Metrics that all methods have."
    )
    return Table(rows, list(dict.fromkeys(name for row in rows for name in row)), caption)
