"""One rule for all verdicts."""

import numpy as np
import pytest

from factorgrid.report.claims import Finding, Test, Verdict, evidence_table, judge, overall
from factorgrid.report.values import Absent, Number

YES, NO, NEITHER = Verdict.SUPPORTED, Verdict.NOT_SUPPORTED, Verdict.NOT_SEEN


def made(where: str, p: float, effect: float = 1.0, **more: object) -> Test:
    return Test(where, Number(effect), 10, p, supports=effect > 0, **more)  # type: ignore[arg-type]


def judged(*tests: Test | Absent) -> Finding:
    found = judge(tests, effect="effect", test="a test")
    assert isinstance(found, Finding)
    return found


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([NO, NO], (NO, "")),
        ([NEITHER, NEITHER], (NEITHER, "")),
        ([YES, YES], (YES, "")),
        ([YES, NEITHER, NEITHER], (Verdict.PARTLY, "on 1 of 3 data sets")),
        ([YES, NO], (Verdict.PARTLY, "on 1 of 2 data sets, the reverse on 1")),
        ([NEITHER, NO], (NO, "the reverse on 1 of 2 data sets")),
    ],
)
def test_several_verdicts_make_one(each: list[Verdict], expected: tuple[Verdict, str]) -> None:
    assert overall(each) == expected


def test_p_values_are_corrected_over_all_tests_of_the_claim() -> None:
    found = judged(made("a", 0.02), made("b", 0.03), made("c", 0.001, counts=False))
    np.testing.assert_allclose([test.corrected for test in found.tests], [0.04, 0.04, 0.003])
    assert found.verdict is YES
    assert found.test == "a test, Holm's correction over 3 tests"
    assert judged(made("a", 0.03), made("b", 0.03)).verdict is NEITHER
    assert judged(made("a", 0.03)).verdict is YES
    assert judged(made("a", 0.03, -1.0)).verdict is NO


def test_what_could_not_be_tested_is_said() -> None:
    assert "Not tested: b failed." in judged(made("a", 0.5), Absent("b failed")).summary
    assert judge([Absent("no models"), Absent("none")], effect="e", test="t") == Absent("no models")
    assert judge([made("x", 0.1, counts=False)], effect="e", test="t") == Absent("the paper claims nothing for x")
    gone = Absent("no models here", elsewhere=True)
    assert judge([gone, gone], effect="e", test="t") == gone
    assert judge([], effect="e", test="t") == Absent("nothing to test")


def test_too_few_models_are_said_to_be_too_few() -> None:
    assert "With so few models no outcome" in judged(made("a", 0.1, least_p=0.1)).summary
    assert "In 1 test with few models" in judged(made("a", 0.2, least_p=0.1), made("b", 0.2)).summary
    assert "no outcome" not in judged(made("a", 0.2, least_p=0.01)).summary


def test_the_evidence_has_a_row_for_each_test() -> None:
    table = evidence_table(judged(made("a", 0.01, published=Number(5.0)), made("b", 0.9, beside={"VAE": Number(3)})))
    assert list(table.columns) == ["test", "effect", "paper", "models", "p (Holm)", "verdict", "VAE"]
    assert table.published == {"paper"}
    assert table.column("verdict") == ["supported", "no effect seen at this size"]
    assert "paper" not in evidence_table(judged(made("a", 0.01))).columns
