"""Verdicts: computed from the scores, and never more than those bear out."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from synthetic import DATA, LEVEL, synthetic

from factorgrid.report.alignment import Alignment
from factorgrid.report.comparisons import NO_DIFFERENCE, NOT_SUPPORTED, NOT_TESTED, SUPPORTED
from factorgrid.report.study_cells import Cells
from factorgrid.report.study_claims import Claim, claims, overall
from factorgrid.study.outcome import Outcome

SMALL = {"labels": (), "supervised": (), "downstream": False}
EQUAL = dict.fromkeys(LEVEL, 0.3)
REVERSED = {"VAE": 0.5, "D-VAE": 0.2, "FactorVAE": 0.5, "FactorDVAE": 0.2}


def verdicts(outcome: Outcome, aligned: dict[str, Sequence[Alignment]] | None = None) -> dict[str, Claim]:
    return {claim.name: claim for claim in claims(Cells(outcome), aligned, "no models here", resamples=100)}


def planes(*angles: float) -> list[Alignment]:
    return [Alignment(f"seed{i}", 0.5, (angle, angle), (1.0, 1.0), True) for i, angle in enumerate(angles)]


def test_a_clear_difference_everywhere_is_supported() -> None:
    found = verdicts(synthetic(data=DATA[:2], seeds=10, **SMALL))
    for name in ("dvae-mig", "factor-dvae-mig", "gap-mig", "selection"):
        assert found[name].verdict == SUPPORTED, name
    assert found["dvae-mig"].summary.startswith("The median is higher in 2 of 2 comparisons, by +")
    assert "at least 10 models a side" in found["dvae-mig"].summary
    assert "dSprites +25 %, C-dSprites +8 %" in found["factor-dvae-mig"].summary  # from Table 1 of the paper


def test_no_difference_is_not_a_finding() -> None:
    found = verdicts(synthetic(data=DATA[:2], seeds=6, level=EQUAL, **SMALL))
    assert found["dvae-mig"].verdict == NO_DIFFERENCE
    assert found["factor-dvae-mig"].verdict == NO_DIFFERENCE


def test_the_reverse_is_not_supported() -> None:
    found = verdicts(synthetic(data=DATA[:2], seeds=10, level=REVERSED, **SMALL))
    assert found["dvae-mig"].verdict == NOT_SUPPORTED
    assert found["factor-dvae-mig"].verdict == NOT_SUPPORTED


def test_the_paper_claims_nothing_for_smallnorb() -> None:
    found = verdicts(synthetic(data=("smallnorb_twin",), seeds=10, **SMALL))
    assert found["dvae-mig"].verdict == NOT_TESTED
    assert found["dvae-mig"].summary == "the paper claims nothing for smallnorb_twin"
    both = verdicts(synthetic(data=("smallnorb_twin", "circles"), seeds=10, **SMALL))["dvae-mig"]
    assert both.verdict == SUPPORTED
    assert both.evidence is not None
    assert list(both.evidence.frame["data set"]) == ["smallnorb_twin", "circles"]  # shown all the same
    assert "over 2 tests" in both.test


def test_too_few_models_are_said_to_be_too_few() -> None:
    found = verdicts(synthetic(data=("circles",), seeds=3, **SMALL))["dvae-mig"]
    assert found.verdict == NO_DIFFERENCE  # 3 against 3: p is at least 0.1
    assert "With so few models no outcome could have been significant" in found.summary
    assert "n 3" in found.summary


def test_few_models_on_one_data_set_can_decide_beside_many_on_another() -> None:
    """Holm's factor of the last test is 1: with 4 against 4, p can be 2 / 70."""
    many = synthetic(data=("circles",), seeds=30, **SMALL)
    few = synthetic(data=("cars3d",), seeds=4, **SMALL)
    outcome = dataclasses.replace(
        many, data=("circles", "cars3d"), table=pd.concat([many.table, few.table]), groups=many.groups + few.groups
    )
    found = verdicts(outcome)["dvae-mig"]
    assert found.verdict == SUPPORTED
    assert "could have been significant" not in found.summary


def test_what_was_not_run_is_not_tested() -> None:
    found = verdicts(synthetic(data=("circles",), methods=("VAE",), **SMALL))
    assert {claim.verdict for claim in found.values()} == {NOT_TESTED}
    assert found["dvae-mig"].summary == "this study has no pair of VAE and D-VAE"
    states = {"circles-d-vae-0": ("failed", "out of memory")}
    failed = verdicts(synthetic(data=("circles",), states=states, **SMALL))["dvae-mig"]
    assert failed.summary == "D-VAE on circles: failed: out of memory"


def test_masked_and_unmasked_are_compared_at_the_same_labels() -> None:
    found = verdicts(synthetic(data=("cars3d",), seeds=5, labels=(100, 1000), downstream=False))["masked-mig"]
    assert found.verdict == SUPPORTED
    assert found.evidence is not None
    assert len(found.evidence.frame) == 4
    assert set(found.evidence.frame["methods"]) == {
        f"{method} (M), {n} labels / {method}, {n} labels" for method in ("D-VAE", "FactorDVAE") for n in (100, 1000)
    }


def test_selection_of_one_small_pool_cannot_be_significant() -> None:
    for seeds in (10, 20):
        outcome = synthetic(data=("circles",), methods=("D-VAE",), seeds=seeds, **SMALL)
        gap = outcome.table["metric"] == "st_gap_loss"
        mig = outcome.table[outcome.table["metric"] == "mig"].set_index("member")["value"]
        outcome.table.loc[gap, "value"] = 1 - outcome.table.loc[gap, "member"].map(mig)  # the gap finds the best
        found = verdicts(outcome)["selection"]
        assert f"rank 1 of {seeds}" in found.summary
        assert found.verdict == NO_DIFFERENCE
        assert f"of {seeds} models not even the best would have been significant" in found.test


def test_alignment_needs_both_smaller_angles_and_parallel_planes() -> None:
    outcome = synthetic(data=("circles",), seeds=5, **SMALL)
    rng = np.random.default_rng(0)
    rotated, parallel, slanted = (planes(*rng.uniform(*span, 10).tolist()) for span in ((25, 45), (0, 8), (16, 22)))
    supported = verdicts(outcome, {"VAE": rotated, "D-VAE": parallel})["axis-alignment"]
    assert supported.verdict == SUPPORTED
    assert "D-VAE: 10 of 10 members within 15° of the axes" in supported.summary
    assert supported.evidence is not None
    assert len(supported.evidence.frame) == 20
    closer = verdicts(outcome, {"VAE": rotated, "D-VAE": slanted})["axis-alignment"]
    assert closer.verdict.startswith("supported in part")
    assert verdicts(outcome, {"VAE": parallel, "D-VAE": rotated})["axis-alignment"].verdict == NOT_SUPPORTED
    assert verdicts(outcome, {"VAE": parallel, "D-VAE": parallel})["axis-alignment"].verdict == NO_DIFFERENCE
    missing = verdicts(outcome)["axis-alignment"]
    assert (missing.verdict, missing.summary) == (NOT_TESTED, "no models here")


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([], NOT_TESTED),
        ([NOT_TESTED], NOT_TESTED),
        ([SUPPORTED, NOT_TESTED], SUPPORTED),
        ([NOT_SUPPORTED, NOT_SUPPORTED], NOT_SUPPORTED),
        ([NO_DIFFERENCE, NO_DIFFERENCE], NO_DIFFERENCE),
        ([SUPPORTED, NO_DIFFERENCE, NO_DIFFERENCE], "supported on 1 of 3 data sets"),
        ([SUPPORTED, NOT_SUPPORTED], "supported on 1 of 2 data sets, the reverse on 1"),
        ([NO_DIFFERENCE, NOT_SUPPORTED], "not supported: the reverse on 1 of 2 data sets"),
    ],
)
def test_several_verdicts_make_one(each: list[str], expected: str) -> None:
    assert overall(each) == expected
