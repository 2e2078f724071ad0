"""From tests to a verdict, by one rule: an effect counts when its p, corrected over the claim's tests, is below 0.05.

A verdict is about one study: with few models "no effect seen" says little, and the numbers of models stand beside it.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from factorgrid.readable import counted
from factorgrid.report.table_files import Table
from factorgrid.report.values import NOTHING, Absent, Cell, Number, P, distinct, text
from factorgrid.study.statistics import ALPHA, holm

VERDICT = "verdict"


class Verdict(enum.Enum):
    """What a study says to a claim; the value is what people read."""

    SUPPORTED = "supported"
    PARTLY = "supported in part"
    NOT_SUPPORTED = "not supported"
    NOT_SEEN = "no effect seen at this size"
    NOT_TESTED = "not tested in this study"


@dataclass(frozen=True)
class Test:
    """One test of a claim.

    Attributes:
        where: the data set, or what else tells the tests of a claim apart.
        effect: what was measured, with its interval.
        num: how many models; of the smaller side, where there are two.
        p: before any correction.
        supports: whether the effect points where the claim says.
        least_p: the smallest p that so many models could have given.
        counts: whether it decides about the claim; some are shown all the same.
        published: the same effect in the paper, where it is known.
        beside: further numbers, such as both medians; part of the summary.
        more: further numbers for the table only.
        corrected: p after Holm's correction over the tests of the claim.
    """

    where: str
    effect: Number
    num: int
    p: float
    supports: bool
    least_p: float = 0.0
    counts: bool = True
    published: Cell = NOTHING
    beside: Mapping[str, Cell] = field(default_factory=dict)
    more: Mapping[str, Cell] = field(default_factory=dict)
    corrected: float = float("nan")

    __test__ = False  # no test class of pytest's

    @property
    def verdict(self) -> Verdict:
        """By the corrected p."""
        if not self.corrected < ALPHA:
            return Verdict.NOT_SEEN
        return Verdict.SUPPORTED if self.supports else Verdict.NOT_SUPPORTED


@dataclass(frozen=True)
class Finding:
    """What a study says to a claim.

    Attributes:
        verdict: over all tests that count.
        detail: on how many of them, if they differ.
        summary: the numbers behind it, in a sentence or two.
        test: which test.
        effect: what the tests' effect is, with its unit.
        tests: all of them, corrected.
        evidence: another table than that of the tests, where it says more.
    """

    verdict: Verdict
    detail: str
    summary: str
    test: str
    effect: str
    tests: tuple[Test, ...]
    evidence: Table | None = None

    @property
    def words(self) -> str:
        return self.verdict.value + (f": {self.detail}" if self.detail else "")


def corrected(tests: Sequence[Test]) -> list[Test]:
    """The same tests with Holm's correction over all of them."""
    return [replace(test, corrected=float(p)) for test, p in zip(tests, holm([test.p for test in tests]))]


def judge(
    tests: Sequence[Test | Absent],
    *,
    effect: str,
    test: str,
    unit: str = "data sets",
    also: Sequence[str] = (),
) -> Finding | Absent:
    """The verdict over all tests of a claim; why it was not tested, if none that counts could be made.

    Args:
        tests: those that were made, and why others were not.
        effect: what their effect is, with its unit.
        test: which test it was.
        unit: what several tests are of.
        also: further sentences of the summary.
    """
    made = corrected([one for one in tests if isinstance(one, Test)])
    counting = [one for one in made if one.counts]
    absent = [one for one in tests if isinstance(one, Absent)]
    if not counting:
        known = [Absent(f"the paper claims nothing for {one.where}") for one in made]
        return [*known, *absent, Absent("nothing to test")][0]
    missing = distinct(one.reason for one in absent)
    verdict, detail = overall([one.verdict for one in counting], unit)
    left_out = f"Not tested: {'; '.join(missing)}." if missing else ""
    summary = [_numbers(counting, effect), _too_few(counting, made), left_out, *also]
    how = test + (f", Holm's correction over {len(made)} tests" if len(made) > 1 else "")
    return Finding(verdict, detail, " ".join(filter(None, summary)), how, effect, tuple(made))


def overall(verdicts: Sequence[Verdict], unit: str = "data sets") -> tuple[Verdict, str]:
    """One verdict for several tests, never more than all of them bear out; and on how many, where they differ."""
    yes, no, num = verdicts.count(Verdict.SUPPORTED), verdicts.count(Verdict.NOT_SUPPORTED), len(verdicts)
    if not yes and not no:
        return Verdict.NOT_SEEN, ""
    if yes == num:
        return Verdict.SUPPORTED, ""
    if not yes:
        return Verdict.NOT_SUPPORTED, "" if no == num else f"the reverse on {no} of {num} {unit}"
    against = f", the reverse on {no}" if no else ""
    return Verdict.PARTLY, f"on {yes} of {num} {unit}{against}"


def demoted(finding: Finding, why: str) -> Finding:
    """Its tests bear out a part of what the claim says."""
    return replace(finding, verdict=Verdict.PARTLY, detail=why)


def evidence_table(finding: Finding) -> Table:
    """A row for each test."""
    rows = [
        {
            "test": one.where, **one.beside, finding.effect: one.effect, "paper": one.published, **one.more,
            "models": one.num, "p (Holm)": P(one.corrected),
            VERDICT: one.verdict.value if one.counts else "shown, but the paper claims nothing here",
        }
        for one in finding.tests
    ]  # fmt: skip
    if all(isinstance(one.published, Absent) for one in finding.tests):
        rows = [{name: cell for name, cell in row.items() if name != "paper"} for row in rows]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    caption = "Medians with 95 % bootstrap intervals; models: of the smaller side, where two are compared."
    return Table(rows, columns, caption, published=frozenset(["paper"]) & frozenset(columns))


def _numbers(tests: Sequence[Test], effect: str) -> str:
    """The numbers of one or two tests; of more, the range of their effects."""
    if len(tests) <= 2:
        return " ".join(_sentence(one, effect) for one in tests)
    ordered = sorted(tests, key=lambda one: one.effect.value)
    span = " to ".join(text(replace(one.effect, interval=None)) for one in (ordered[0], ordered[-1]))
    agree = sum(one.supports for one in tests)
    least, most = (text(P(end(one.corrected for one in tests))) for end in (min, max))
    return (
        f"{effect}: {span}, as claimed in {agree} of {len(tests)} tests; at least {min(one.num for one in tests)} "
        f"models each, p {least} to {most}."
    )


def _sentence(one: Test, effect: str) -> str:
    beside = "".join(f"{name} {text(cell)}; " for name, cell in one.beside.items())
    return f"{one.where}: {beside}{effect} {text(one.effect)}; n {one.num}, p {text(P(one.corrected))}."


def _too_few(counting: Sequence[Test], made: Sequence[Test]) -> str:
    """A warning where the test could not have decided, whatever the scores: not even if all tests gave their least."""
    least = holm([one.least_p for one in made])
    undecidable = {id(one) for one, p in zip(made, least) if not p < ALPHA}
    hopeless = [one for one in counting if id(one) in undecidable]
    if not hopeless:
        return ""
    some = f"In {counted(len(hopeless), 'test')} with few models"
    what = "With so few models" if len(hopeless) == len(counting) else some
    return f"{what} no outcome could have been significant after the correction."
