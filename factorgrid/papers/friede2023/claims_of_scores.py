"""The paper's claims about what a score tells of others: the straight-through gap, and MIG itself."""

import numpy as np
import pandas as pd

from factorgrid.papers.friede2023.evidence import LR_EFFICIENCY
from factorgrid.papers.friede2023.methods import D_VAE, DISCRETE, all_played, played, pool_title, six
from factorgrid.papers.friede2023.published import SELECTION, published_mig
from factorgrid.report.claims import Finding, Test, Verdict, demoted, judge
from factorgrid.report.study_cells import Cells, metric_title
from factorgrid.report.values import Absent, Cell, Number
from factorgrid.study.select import GAP, correlations, select
from factorgrid.study.statistics import chosen_p, least_correlation_p

CORRELATION = "Spearman's rank correlation over models, their settings as given"


def gap_mig(cells: Cells) -> Finding | Absent:
    """A small gap goes along with a high MIG, over all discrete models of a data set."""
    pool = all_played(cells, DISCRETE)
    if not pool:
        return Absent("no discrete models in this study")
    found = correlations(cells.models(pool), key=GAP, metrics=("mig",))
    tests = [correlation_test(str(one["data"]), one, positive=False) for one in found.to_dict("records")]
    if not any(isinstance(test, Test) for test in tests):
        return Absent("no three discrete models have both scores")
    effect = f"rank correlation of gap and MIG over {pool_title(pool)}"
    return judge(tests, effect=effect, test=CORRELATION)


def mig_efficiency(cells: Cells) -> Finding | Absent:
    """MIG goes along with statistical efficiency on every data set, more reliably than any other of the six metrics."""
    row = played(cells, D_VAE)
    if row is None:
        return Absent("no D-VAE in this study's plan")
    found = correlations(cells.models([row]), key=LR_EFFICIENCY, metrics=six(cells))
    found = found[found["rho"].notna()]
    if found.empty or "mig" not in set(found["metric"]):
        return Absent("the downstream task was not scored at 100 and 10,000 labels, or for fewer than three D-VAEs")
    lowest = found.groupby("metric", sort=False)["rho"].min()
    tests: list[Test | Absent] = []
    for data, mine in found.groupby("data", sort=False):
        by_metric = mine.set_index("metric")
        if "mig" in by_metric.index:
            others: dict[str, Cell] = {
                metric_title(key): Number(float(by_metric.loc[key, "rho"]), 2)
                for key in six(cells)
                if key != "mig" and key in by_metric.index
            }
            tests.append(correlation_test(str(data), by_metric.loc["mig"], positive=True, more=others))
    better = [metric_title(key) for key, rho in lowest.items() if rho > lowest["mig"]]
    also = [f"Of {len(lowest)} metrics MIG has the highest lowest correlation over the data sets."]
    if better:
        also = [f"The lowest correlation over the data sets is higher for {', '.join(better)}."]
    result = judge(tests, effect="rank correlation of MIG and efficiency", test=CORRELATION, also=also)
    if isinstance(result, Finding) and result.verdict is Verdict.SUPPORTED and better:
        return demoted(result, "MIG indicates it, but is not the most reliable one")
    return result


def selection(cells: Cells) -> Finding | Absent:
    """The model with the smallest gap has a better MIG than the median model."""
    pool = all_played(cells, DISCRETE)
    found = select(cells.models(pool), key=GAP, metrics=("mig",))
    if found.empty:
        return Absent("no discrete models in this study" if not pool else "no discrete model has both scores")
    p, above = chosen_p(found["rank"], found["num"]), chosen_p(found["better"] + 1, found["num"])
    # each side asks whether chance does as well; the one that the choice lies on answers, for both
    supports = p <= above
    where = str(found["data"].iloc[0]) if len(found) == 1 else f"{len(found)} data sets together"
    gain = float(found["gain"].mean())
    more: dict[str, Cell] = {"mean percentile": Number(100 * float(found["percentile"].mean()), 0)}
    beside: dict[str, Cell] = {}
    if len(found) == 1:
        one = found.iloc[0]
        beside = {"MIG of the chosen": Number(100 * one["value"]), "median": Number(100 * one["median"])}
        more |= {"rank": int(one["better"]) + 1, "best": Number(100 * one["best"])}
    test = Test(
        where, Number(100 * gain, 0, signed=True), int(found["num"].min()), min(1.0, 2 * min(p, above)), supports,
        least_p=min(1.0, 2 * float(np.prod(1 / found["num"].to_numpy(np.float64)))), published=_published_gain(cells),
        beside=beside, more=more,
    )  # fmt: skip
    return judge(
        [test], effect=f"gain in MIG over the median of {pool_title(pool)} in %",
        test="how often random choices have as extreme a mean percentile (two-sided)",
        also=[_ranks(found)],
    )  # fmt: skip


def _ranks(found: pd.DataFrame) -> str:
    ranks = ", ".join(f"{one['better'] + 1} of {one['num']} on {one['data']}" for one in found.to_dict("records"))
    return f"Rank by MIG: {ranks}."


def _published_gain(cells: Cells) -> Cell:
    """The paper's mean gain of its selection over the median FactorDVAE, on the study's data sets."""
    gains = []
    for data in cells.outcome.data:
        one, other = published_mig(SELECTION, data), published_mig("factor_dvae", data)
        if one is not None and other is not None:
            gains.append(100 * (one.median / other.median - 1))
    return Number(float(np.mean(gains)), 0, signed=True, after="% over FactorDVAE's median") if gains else Absent()


def correlation_test(
    where: str, found: pd.Series | dict, *, positive: bool, more: dict[str, Cell] | None = None
) -> Test | Absent:
    """A row of `correlations` as a test."""
    rho, num = float(found["rho"]), int(found["num"])
    if not np.isfinite(rho):
        return Absent(f"{where}: no correlation of {num} models")
    return Test(
        where, Number(rho, 2), num, float(found["p"]), supports=(rho > 0) == positive,
        least_p=least_correlation_p(num), more=more or {},
    )  # fmt: skip
