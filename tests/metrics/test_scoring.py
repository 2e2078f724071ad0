"""`score` and `evaluate`: names, streams, processes, progress, given samples."""

import threading

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import (
    METRICS,
    QUICK,
    Counts,
    evaluate,
    metric_names,
    metric_of,
    metric_settings,
    score,
)
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b"), (4, 6))
COUNTS = Counts(num_train=300, num_test=150, batch_size=8, num_variance_estimate=200, downstream_sizes=(100,))
CHEAP = ("mig", "sap", "beta_vae_score")


def members(num):
    grid = SPACE.factors(np.arange(SPACE.num_points)).astype(np.int64)
    noise = np.random.default_rng(0).normal(size=(num, *grid.shape))
    return [Representation.from_table(grid / 3 + i * 0.2 * noise[i], SPACE) for i in range(num)]


def test_names_and_groups():
    assert metric_names("mig") == ["mig"]
    assert metric_names(["all"]) == list(METRICS)
    assert metric_names(("mig", "six", "sap")) == [
        "mig",
        "beta_vae_score",
        "factor_vae_score",
        "dci",
        "modularity",
        "sap",
    ]
    with pytest.raises(Error, match="unknown metric 'modularit'; did you mean 'modularity'"):
        evaluate(members(1), ["mig", "modularit"])
    assert metric_names(["MIG", "FactorVAE", "Beta-VAE score", "ALL"])[:3] == [
        "mig",
        "factor_vae_score",
        "beta_vae_score",
    ]
    with pytest.raises(Error, match="no metric given"):
        metric_names([])
    with pytest.raises(Error, match="unknown score"):
        metric_of("dci.beauty")
    assert metric_of("dci.completeness") == "dci"


def test_adding_a_metric_changes_no_other_number():
    alone = evaluate(members(2), "sap", counts=COUNTS, jobs=1)
    together = evaluate(members(2), ["mig", "irs", "sap"], counts=COUNTS, jobs=1)
    assert [row["sap"] for row in alone] == [row["sap"] for row in together]


def test_members_together_equal_members_alone():
    together = evaluate(members(3), CHEAP, counts=COUNTS, jobs=1)
    alone = [evaluate([member], CHEAP, counts=COUNTS, jobs=1)[0] for member in members(3)]
    assert together == alone
    assert list(together[0]) == ["mig", "sap", "beta_vae_score"]


def test_seeds_differ():
    first, second = (evaluate(members(2)[1:], "mig", counts=COUNTS, seed=seed, jobs=1) for seed in (0, 1))
    assert first != second


def test_processes_change_no_number_and_progress_counts_every_step():
    steps = []
    names = ["mig", "dci", "beta_vae_score"]
    parallel = evaluate(members(2), names, counts=COUNTS, jobs=2, progress=lambda *step: steps.append(step))
    assert parallel == evaluate(members(2), names, counts=COUNTS, jobs=1)
    done, total, labels = zip(*steps)
    # per member: one step to draw each metric, which computes the instant ones, and two factors of DCI to compute
    assert done == tuple(range(1, 2 * (3 + 2) + 1))
    assert total[-1] == done[-1]
    assert list(total) == sorted(total)
    instant = {f"member {i}: {name} computed" for i in range(2) for name in ("mig", "beta_vae_score")}
    assert instant | {"member 0: dci drawn", "member 1: dci drawn"} == set(labels[:6])
    assert set(labels[6:]) == {"member 0: dci computed", "member 1: dci computed"}


def test_members_are_drawn_from_at_the_same_time():
    both = threading.Barrier(2)

    def codes(index, seed):
        both.wait(timeout=20)  # raises unless another member is asked meanwhile
        return SPACE.factors(index).astype(np.float32)

    waiting = [Representation(SPACE, SPACE.num_factors, codes) for _ in range(2)]
    assert len(evaluate(waiting, "mig", counts=COUNTS, jobs=2)) == 2


def test_given_sample_agrees_with_the_grid_it_came_from():
    member = members(2)[1]
    codes, factors = member.sample(np.random.default_rng(0), 3_000)
    given = score(codes, factors, ("beta_vae_score", "factor_vae_score", "mig"), counts=QUICK)
    grid = evaluate([member], ("beta_vae_score", "factor_vae_score", "mig"), counts=QUICK, jobs=1)[0]
    assert given == pytest.approx(grid, abs=0.05)


def test_incomplete_grid():
    """Half of the combinations never occur."""
    codes, factors = members(1)[0].sample(np.random.default_rng(0), 2_000)
    half = factors.sum(axis=1) % 2 == 0
    scores = score(codes[half], factors[half], ("mig", "sap", "beta_vae_score", "factor_vae_score"), counts=QUICK)
    assert scores["factor_vae_score"] == 1.0
    assert scores["beta_vae_score"] > 0.95


def test_factors_without_repetition_cannot_be_held_fixed():
    codes = np.random.default_rng(0).normal(size=(50, 2))
    factors = np.stack([np.arange(50), np.arange(50) % 5], axis=1)
    for name in ("beta_vae_score", "factor_vae_score"):
        with pytest.raises(Error, match="no two of the 50 codes share a value of factor 0"):
            score(codes, factors, name, counts=COUNTS)


def test_small_samples_leave_large_downstream_sizes_out():
    codes, factors = members(1)[0].sample(np.random.default_rng(0), 600)
    scores = score(codes, factors, "downstream_lr")
    assert list(scores) == ["downstream_lr.accuracy_100", "downstream_lr.num_factors_100"]


def test_errors_name_the_member_and_the_metric():
    broken = Representation(SPACE, 2, lambda index, seed: np.full((len(index), 2), np.inf))
    with pytest.raises(Error, match="member 1, mig: codes hold 600 NaN or infinite values"):
        evaluate([members(1)[0], broken], "mig", counts=COUNTS)
    with pytest.raises(Error, match="member 1, factor_vae_score: codes hold"):
        evaluate([members(1)[0], broken], "factor_vae_score", counts=COUNTS)
    with pytest.raises(Error, match="jobs must be at least 1, got 0"):
        evaluate(members(1), "mig", jobs=0)
    with pytest.raises(Error, match="seed must be at least 0"):
        evaluate(members(1), "mig", seed=-1)
    with pytest.raises(Error, match="num_train must be at least 1, got 0"):
        Counts(num_train=0)
    with pytest.raises(Error, match="one value only"):
        evaluate([Representation.from_table(np.zeros((1, 2)), FactorSpace(("a",), (1,)))], "mig")


def test_smaller_counts_are_recorded():
    assert metric_settings("factor_vae_score", counts=QUICK, seed=2)["factor_vae_score"] == {
        "seed": 2,
        "batch_size": 64,
        "num_train": 1_000,
        "num_test": 500,
        "num_variance_estimate": 1_000,
        "std_threshold": 0.05,
    }
    assert metric_settings("infomec")["infomec"]["active"] == "range_20"


def test_chunks_of_groups_give_the_same_scores(monkeypatch):
    """Bounding memory must not show: a chunk draws its own factors, so only the distribution stays."""
    import factorgrid.metrics.sampling as sampling

    member = members(4)[3]
    whole = evaluate([member], "factor_vae_score", counts=QUICK, jobs=1)[0]["factor_vae_score"]
    monkeypatch.setattr(sampling, "CHUNK_ROWS", 1_000)
    parts = evaluate([member], "factor_vae_score", counts=QUICK, jobs=1)[0]["factor_vae_score"]
    assert parts == pytest.approx(whole, abs=0.08)


def test_options_of_single_metrics():
    codes, factors = members(2)[1].sample(np.random.default_rng(0), 600)
    options = {"sap": {"continuous": True}}
    chosen = score(codes, factors, ("mig", "sap"), options=options, counts=COUNTS)
    plain = score(codes, factors, ("mig", "sap"), counts=COUNTS)
    assert chosen["mig"] == plain["mig"]
    assert chosen["sap"] != plain["sap"]
    assert evaluate(members(1), "sap", options=options, counts=COUNTS) != evaluate(members(1), "sap", counts=COUNTS)
    assert metric_settings("sap", options=options)["sap"]["continuous"] is True
    assert metric_settings("sap")["sap"] == {
        "seed": 0, "num_train": 10_000, "num_test": 5_000, "continuous": False, "solver": "own",
    }  # fmt: skip
    with pytest.raises(Error, match="unknown option 'continous'; did you mean 'continuous'"):
        score(codes, factors, "sap", options={"sap": {"continous": True}})
    with pytest.raises(Error, match="unknown metric with options 'dci'; Known: sap"):
        score(codes, factors, "sap", options={"dci": {"estimator": "lightgbm"}})
