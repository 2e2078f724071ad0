"""The paper's claims, each with a verdict that is computed from a study's results.

A verdict is about this study: with few models "no difference seen" says little, and the numbers of models stand
beside it. One rule for all: a difference counts when its p, corrected over the claim's tests, is below 0.05. Tests are
two-sided, but for that of the selection, which asks of each side whether chance does as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from factorgrid.report.alignment import ALIGNED, Alignment
from factorgrid.report.comparisons import (
    NO_DIFFERENCE,
    NOT_SUPPORTED,
    NOT_TESTED,
    SUPPORTED,
    Tested,
    compare_methods,
)
from factorgrid.report.published import SELECTION, TWIN, column_of, published_mig
from factorgrid.report.study_cells import (
    Cells,
    Row,
    counted,
    distinct,
    number,
    p_value,
    percent,
    summary_of,
    with_interval,
)
from factorgrid.report.study_evidence import difference_text, gain_number, gain_text
from factorgrid.report.table_files import Table
from factorgrid.study.select import DISCRETE, GAP, correlations, select
from factorgrid.study.statistics import ALPHA, chosen_p, compare, holm

REVERSED = "smallnorb"  # the paper claims nothing for it: its own numbers go the other way
FACTOR_PAIR = (Row("FactorVAE"), Row("FactorDVAE"))


@dataclass(frozen=True)
class Claim:
    """A claim and what this study says to it.

    Attributes:
        name: of its anchor and files.
        text: what the paper claims.
        where: in the paper.
        verdict: "supported", "not supported", "no difference seen at this size", "not tested in this study"; or, over
            several data sets that disagree, how many support it.
        summary: the numbers behind the verdict, in a sentence.
        test: which test.
        evidence: a row for each data set; None if there is nothing to show.
    """

    name: str
    text: str
    where: str
    verdict: str
    summary: str
    test: str
    evidence: Table | None = None


def claims(
    cells: Cells, aligned: Mapping[str, Sequence[Alignment]] | None, why_not_aligned: str, *, resamples: int
) -> list[Claim]:
    """All claims in the paper's order.

    Args:
        cells: the study.
        aligned: of the latent planes of "VAE" and "D-VAE" on circles; None if they could not be computed.
        why_not_aligned: the reason.
        resamples: of the bootstrap.
    """
    masked = [(row, Row(f"{row.method} (M)", row.labels)) for row in cells.supervised if not row.method.endswith("(M)")]
    masked = [pair for pair in masked if pair[1] in cells.rows]
    plain = [Row("VAE"), Row("D-VAE")]
    return [
        _compared(
            cells, "dvae-mig", "The D-VAE is better disentangled than the VAE: higher MIG, on all but SmallNORB.",
            "Section 6.1, Figure 5", [(plain[0], plain[1])], resamples, lacking_methods="pair of VAE and D-VAE",
        ),
        _alignment_claim(aligned, why_not_aligned),
        _correlation_claim(cells),
        _compared(
            cells, "factor-dvae-mig", "With the total correlation penalised the discrete model is better too: higher "
            "MIG of FactorDVAE than of FactorVAE, on all but SmallNORB.",
            "Section 6.1, Figure 6", [FACTOR_PAIR], resamples, lacking_methods="pair of FactorVAE and FactorDVAE",
            beside=_paper_gains(cells, "FactorDVAE", "FactorVAE"),
        ),
        _selection_claim(cells),
        _compared(
            cells, "masked-mig", "Masked attention improves semi-supervised discrete models: higher MIG with it.",
            "Section 6.4, Table 7", masked, resamples, lacking_methods="pair of a semi-supervised method without and "
            "with masked attention", all_data=True,
        ),
    ]  # fmt: skip


def overall(verdicts: Sequence[str], unit: str = "data sets") -> str:
    """One verdict for several tests: never more than all of them bear out."""
    tested = [verdict for verdict in verdicts if verdict != NOT_TESTED]
    if not tested:
        return NOT_TESTED
    yes, no = tested.count(SUPPORTED), tested.count(NOT_SUPPORTED)
    if len(tested) in (yes, no):
        return tested[0]
    if not yes and not no:
        return NO_DIFFERENCE
    if not yes:
        return f"{NOT_SUPPORTED}: the reverse on {no} of {len(tested)} {unit}"
    against = f", the reverse on {no}" if no else ""
    return f"supported on {yes} of {len(tested)} {unit}{against}"


def _compared(
    cells: Cells,
    name: str,
    text: str,
    where: str,
    pairs: Sequence[tuple[Row, Row]],
    resamples: int,
    *,
    lacking_methods: str,
    all_data: bool = False,
    beside: str = "",
) -> Claim:
    """A claim that the second method of each pair has the higher MIG."""
    known = [pair for pair in pairs if set(pair) <= set(cells.rows)]
    found = compare_methods(cells, known, resamples=resamples)
    family = [one for one in found if one.comparison is not None]
    tested = [one for one in family if all_data or one.data.removesuffix(TWIN) != REVERSED]
    if not tested:
        why = f"the paper claims nothing for {family[0].data}" if family else f"this study has no {lacking_methods}"
        lacking = distinct(one.reason for one in found) or (why,)
        return Claim(name, text, where, NOT_TESTED, lacking[0], "")
    corrected = f", Holm's correction over {len(family)} tests" if len(family) > 1 else ""
    test = f"two-sided Mann-Whitney U test{corrected}"
    verdict = overall([one.verdict for one in tested], "tests" if len(known) > 1 else "data sets")
    untested = distinct(one.reason for one in found if one.comparison is None)
    left_out = f"Not tested: {'; '.join(untested)}." if untested else ""
    summary = " ".join(filter(None, [_medians_text(tested), _too_few(tested, family), left_out, beside]))
    return Claim(name, text, where, verdict, summary, test, _pair_table(name, text, family, resamples))


def _medians_text(tested: Sequence[Tested]) -> str:
    """Which medians are higher, by how much, and how many models that rests on."""
    higher = sum(one.comparison.difference > 0 for one in tested if one.comparison)
    nums = [min(one.comparison.num_first, one.comparison.num_second) for one in tested if one.comparison]
    if len(tested) == 1 and tested[0].comparison is not None:
        one, found = tested[0], tested[0].comparison
        medians = [percent(float(np.median(cell.values))) for cell in one.cells]
        return (
            f"{one.data}: median MIG {medians[1]} % ({one.second.title}, n {found.num_second}) against {medians[0]} % "
            f"({one.first.title}, n {found.num_first}); difference {difference_text(found.difference, found.interval)} "
            f"points, superiority {percent(found.superiority)} %, p {p_value(one.holm)}."
        )
    differences = [100 * one.comparison.difference for one in tested if one.comparison]
    return (
        f"The median is higher in {higher} of {len(tested)} comparisons, by {min(differences):+.1f} to "
        f"{max(differences):+.1f} points; at least {min(nums)} models a side."
    )


def _too_few(tested: Sequence[Tested], family: Sequence[Tested]) -> str:
    """A warning where the test could not have decided, whatever the scores: not even if all tests gave their least."""
    least = holm([one.comparison.least_p for one in family if one.comparison])
    undecidable = {id(one) for one, p in zip(family, least) if not p < ALPHA}
    hopeless = [one for one in tested if id(one) in undecidable]
    if not hopeless:
        return ""
    some = f"In {counted(len(hopeless), 'comparison')} with few models"
    what = "With so few models" if len(hopeless) == len(tested) else some
    return f"{what} no outcome could have been significant after the correction."


def _pair_table(name: str, text: str, tested: Sequence[Tested], resamples: int) -> Table:
    records = []
    for one in tested:
        assert one.comparison is not None
        first, second = (with_interval(summary_of(cell, resamples=resamples)) for cell in one.cells)
        records.append(
            {
                "data set": one.data,
                "methods": f"{one.second.title} / {one.first.title}",
                "first": second,
                "second": first,
                "difference": difference_text(one.comparison.difference, one.comparison.interval),
                "superiority": percent(one.comparison.superiority),
                "p (Holm)": p_value(one.holm),
                "verdict": one.verdict,
            }
        )
    caption = "Median MIG in % of the two methods, with 95 % bootstrap intervals; difference in points."
    return Table(f"claim-{name}", text, caption, pd.DataFrame(records))


def _alignment_claim(aligned: Mapping[str, Sequence[Alignment]] | None, why_not: str) -> Claim:
    text = "Most latent spaces of the D-VAE lie parallel to the axes, those of the VAE are rotated (Circles)."
    where = "Section 3.3, Figures 3, 10 and 11"
    if aligned is None:
        return Claim("axis-alignment", text, where, NOT_TESTED, why_not, "")
    angles = {title: np.asarray([one.angle for one in found]) for title, found in aligned.items()}
    shares = {title: sum(one.aligned for one in found) for title, found in aligned.items()}
    found = compare(angles["D-VAE"], angles["VAE"])  # smaller angles are better, so the VAE comes second
    table = [[shares[title], len(angles[title]) - shares[title]] for title in ("VAE", "D-VAE")]
    fisher = float(fisher_exact(table).pvalue)
    verdict = NO_DIFFERENCE
    if found.p < ALPHA:
        verdict = SUPPORTED if found.superiority > 0.5 else NOT_SUPPORTED
    if verdict == SUPPORTED and 2 * shares["D-VAE"] <= len(angles["D-VAE"]):
        verdict = f"{SUPPORTED} in part: closer to the axes, but most are not parallel to them"
    parts = [
        f"{title}: {shares[title]} of {len(angles[title])} members within {ALIGNED:.0f}° of the axes, median angle "
        f"{np.median(angles[title]):.1f}°"
        for title in ("VAE", "D-VAE")
    ]
    hopeless = " With so few members no outcome could have been significant." if found.least_p >= ALPHA else ""
    summary = "; ".join(parts) + f"; p {p_value(found.p)} for the angles, {p_value(fisher)} for the shares.{hopeless}"
    test = "two-sided Mann-Whitney U test of the angles; Fisher's exact test of the shares"
    return Claim("axis-alignment", text, where, verdict, summary, test, _alignment_table(aligned))


def _alignment_table(aligned: Mapping[str, Sequence[Alignment]]) -> Table:
    records = [
        {
            "model": f"{title} {one.member}",
            "MIG": "–" if one.mig is None else percent(one.mig),
            "angle": number(one.angle, 1),
            "of x": number(one.angles[0], 1),
            "of y": number(one.angles[1], 1),
            "coherence of x": number(one.coherence[0]),
            "coherence of y": number(one.coherence[1]),
            "separate": "yes" if one.separate else "no",
        }
        for title, found in aligned.items()
        for one in found
    ]
    caption = (
        "Angle in degrees between the direction in which a factor moves the code and the nearest latent axis, the "
        "larger of x and y (0: parallel, 45: worst; 45 where both move the code along one axis). Coherence: whether "
        "the steps agree on a direction (1) or have none (0)."
    )
    title = "How far latent planes are turned from their axes"
    return Table("claim-axis-alignment", title, caption, pd.DataFrame(records))


def _correlation_claim(cells: Cells) -> Claim:
    text = "A small straight-through gap goes along with a high MIG."
    where = "Section 3.4 and 6.3, Figures 4 and 6"
    pool = tuple(method for method in DISCRETE if Row(method) in cells.rows)
    found = correlations(cells.outcome.table, metrics=("mig",), pool=pool)
    found = found[found["rho"].notna()]
    if found.empty:
        why = "no discrete models in this study" if not pool else "no three discrete models have both scores"
        return Claim("gap-mig", text, where, NOT_TESTED, why, "")
    corrected = holm(found["p"])
    verdicts = [
        NO_DIFFERENCE if not p < ALPHA else SUPPORTED if rho < 0 else NOT_SUPPORTED
        for rho, p in zip(found["rho"], corrected)
    ]
    records = [
        {
            "data set": row.data,
            "correlation": number(row.rho),
            "models": str(row.num),
            "p (Holm)": p_value(p),
            "verdict": verdict.replace(NO_DIFFERENCE, "no correlation seen at this size"),
        }
        for row, p, verdict in zip(found.itertuples(), corrected, verdicts)
    ]
    caption = f"Spearman's rank correlation of gap and MIG, models of {' ∪ '.join(pool)}; negative supports the claim."
    table = Table("claim-gap-mig", text, caption, pd.DataFrame(records))
    shown = ", ".join(f"{row.data} {number(row.rho)} (n {row.num})" for row in found.itertuples())
    test = "Spearman's rank correlation" + (
        f", Holm's correction over {len(found)} data sets" if len(found) > 1 else ""
    )
    verdict = overall(verdicts).replace(NO_DIFFERENCE, "no correlation seen at this size")
    return Claim("gap-mig", text, where, verdict, f"Correlation: {shown}.", test, table)


def _selection_claim(cells: Cells) -> Claim:
    text = "Choosing the model with the smallest gap gives a better MIG than the median model."
    where = "Section 6.3, last row of Table 1"
    pool = tuple(method for method in DISCRETE if Row(method) in cells.rows)
    found = select(cells.outcome.table, key=GAP, metrics=("mig",), pool=pool)
    if found.empty:
        why = "no discrete models in this study" if not pool else "no discrete model has both scores"
        return Claim("selection", text, where, NOT_TESTED, why, "")
    p = chosen_p(found["rank"], found["num"])
    above = chosen_p(found["better"] + 1, found["num"])
    verdict = SUPPORTED if p < ALPHA else NOT_SUPPORTED if above < ALPHA else NO_DIFFERENCE
    test = "how often random choices have as high a mean percentile (one-sided)"
    if len(found) == 1 and 1 / found["num"].iloc[0] >= ALPHA:
        test += f"; of {found['num'].iloc[0]} models not even the best would have been significant"
    summary = f"{_gains_text(found)} p {p_value(p)}. {_paper_gains(cells, SELECTION, 'FactorDVAE')}"
    return Claim("selection", text, where, verdict, summary.strip(), test, _gain_table(found, pool, text))


def _gains_text(found: pd.DataFrame) -> str:
    """The gains over the median, and where among its pool a chosen model stands."""
    gains = found["gain"][found["gain"].notna()]
    if len(found) == 1:
        one = found.iloc[0]
        return (
            f"{one['data']}: MIG {percent(one['value'])} % against a median of {percent(one['median'])} % "
            f"({gain_text(one['gain'])}); rank {one['better'] + 1} of {one['num']}."
        )
    return (
        f"Gain over the median of the pool: {gain_text(gains.mean())} on average of {len(gains)} data sets, "
        f"{gain_text(gains.min())} at worst, {gain_text(gains.max())} at best; better than the median on "
        f"{int((found['value'] > found['median']).sum())} of {len(found)}."
    )


def _gain_table(found: pd.DataFrame, pool: Sequence[str], text: str) -> Table:
    records = [
        {
            "data set": one["data"],
            "models": str(one["num"]),
            "MIG": percent(one["value"]),
            "median": percent(one["median"]),
            "gain in %": gain_number(one["gain"]),
            "rank": str(one["better"] + 1),
            "best": percent(one["best"]),
        }
        for one in found.to_dict("records")
    ]
    caption = f"The model with the smallest straight-through gap among {' ∪ '.join(pool)}; MIG in %, rank 1: the best."
    return Table("claim-selection", text, caption, pd.DataFrame(records))


def _paper_gains(cells: Cells, better: str, worse: str) -> str:
    """The paper's relative differences, from its Table 1, for this study's data sets."""
    parts = []
    for data in cells.outcome.data:
        one, other = published_mig(better, data), published_mig(worse, data)
        if one is not None and other is not None:
            parts.append(f"{column_of(data)} {gain_text(one.median / other.median - 1)}")
    name = "its selection" if better == SELECTION else better
    return f"In the paper, {name} over the median of {worse}: {', '.join(dict.fromkeys(parts))}." if parts else ""
