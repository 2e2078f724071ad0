"""Statistics of samples, against hand-made cases and SciPy."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import bootstrap, mannwhitneyu, spearmanr

import factorgrid as fg
from factorgrid.study.statistics import (
    ALPHA,
    chosen_p,
    compare,
    correlate,
    correlation_interval,
    count_wins,
    holm,
    least_correlation_p,
    median_interval,
    summarise,
)


def test_a_summary_has_the_papers_quantiles() -> None:
    found = summarise([4.0, 1.0, 3.0, 2.0, 10.0])
    assert (found.num, found.median, found.low, found.high) == (5, 3.0, 2.0, 4.0)
    assert found.interval[0] <= 3.0 <= found.interval[1]


def test_small_samples_say_what_they_cannot() -> None:
    assert math.isnan(summarise([]).median)
    assert summarise([]).num == 0
    single = summarise([0.3])
    assert single.median == 0.3
    assert np.isnan(single.interval).all()
    assert median_interval([0.2, 0.2, 0.2]) == (0.2, 0.2)


def test_the_interval_of_the_median_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        low, high = median_interval(rng.normal(size=50), resamples=300)
        covered.append(low <= 0 <= high)
    assert 0.89 <= np.mean(covered) <= 0.99


def test_the_interval_is_the_same_every_time() -> None:
    values = np.random.default_rng(1).normal(size=20)
    assert median_interval(values) == median_interval(values)
    assert median_interval(values, seed=1) != median_interval(values)


def test_a_comparison_counts_pairs_and_halves_ties() -> None:
    first, second = [1.0, 2.0, 3.0], [2.0, 4.0]
    found = compare(first, second)
    wins = [np.sign(b - a) / 2 + 0.5 for a, b in itertools.product(first, second)]
    assert found.superiority == pytest.approx(np.mean(wins))
    assert found.difference == 1.0
    assert (found.num_first, found.num_second) == (3, 2)


def test_p_of_a_comparison_is_that_of_the_rank_test() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=12), rng.normal(0.8, 1, 15)
    assert compare(first, second).p == pytest.approx(mannwhitneyu(first, second, alternative="two-sided").pvalue)


def test_complete_separation_gives_the_least_p() -> None:
    found = compare([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert found.p == pytest.approx(found.least_p) == pytest.approx(0.1)
    assert compare(range(5), range(10, 15)).least_p == pytest.approx(2 / 252)


@pytest.mark.parametrize(
    ("first", "second"), [([0, 0, 0], [1, 1, 1]), ([0.97, 0.98, 0.99], [1, 1, 1, 1]), ([0] * 5, [1] * 5)]
)
def test_ties_cannot_give_a_smaller_p_than_the_sample_sizes_allow(first: list[float], second: list[float]) -> None:
    found = compare(first, second)
    assert found.p == pytest.approx(found.least_p)
    assert found.superiority == 1.0
    assert compare(second, first).p == pytest.approx(found.p)


def test_a_p_of_one_in_twenty_is_not_below_it() -> None:
    assert not chosen_p([20], [20]) < ALPHA


def test_a_comparison_needs_both_sides() -> None:
    with pytest.raises(fg.Error, match="values on both sides, got 0 and 2"):
        compare([], [1.0, 2.0])
    with pytest.raises(fg.Error, match="not finite"):
        compare([1.0, math.nan], [1.0])


def test_holm_is_the_textbook_procedure() -> None:
    # Holm (1979): ascending p times the number of hypotheses left, never below its predecessor, at most 1
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, 0.9]), [1.0, 1.0])
    assert len(holm([])) == 0


def test_holm_does_not_count_tests_that_were_not_made() -> None:
    np.testing.assert_allclose(holm([0.02, math.nan, 0.03]), [0.04, math.nan, 0.04])


def test_correlations_are_of_ranks() -> None:
    x = np.arange(8.0)
    found = correlate(x, np.exp(x))
    assert found.rho == pytest.approx(1)
    assert (found.num, correlate(x, -np.exp(x)).rho) == (8, pytest.approx(-1))


def test_p_of_few_pairs_is_that_of_all_permutations() -> None:
    x, y = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5])
    ranks = np.array(list(itertools.permutations(y)))
    observed = np.corrcoef(x, y)[0, 1]
    all_rho = np.array([np.corrcoef(x, row)[0, 1] for row in ranks])
    exact = np.mean(np.abs(all_rho) >= abs(observed) - 1e-9)
    assert correlate(x, y).p == pytest.approx(exact, abs=0.012)


def test_correlations_that_do_not_exist_are_nan() -> None:
    assert math.isnan(correlate([1.0, 2.0], [1.0, 2.0]).rho)
    assert math.isnan(correlate([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).p)
    with pytest.raises(fg.Error, match="needs pairs"):
        correlate([1.0, 2.0, 3.0], [1.0, 2.0])


def test_the_best_of_one_pool_has_p_one_over_its_size() -> None:
    assert chosen_p([20], [20]) == pytest.approx(1 / 20)
    assert chosen_p([1], [20]) == 1.0


def test_choices_from_several_pools_are_judged_together() -> None:
    assert chosen_p([9, 10, 9, 8], [10, 10, 10, 10]) < 0.01
    assert chosen_p([1, 1, 2], [10, 10, 10]) > 0.95
    # of two pools of two, both best happens by chance in one of four cases
    assert chosen_p([2, 2], [2, 2]) == pytest.approx(0.25, abs=0.02)


def test_the_least_p_of_a_correlation_is_that_of_equal_orders() -> None:
    assert least_correlation_p(4) == pytest.approx(2 / 24)
    assert correlate(range(7), range(7)).p == pytest.approx(least_correlation_p(7), abs=5e-4)


def test_wins_count_cells_and_split_ties() -> None:
    first = np.array([[0.1, 0.5, 0.2], [0.3, 0.5, 0.4], [0.2, 0.5, 0.3]])
    second = np.array([[0.4, 0.5, 0.1], [0.6, 0.5, 0.2], [0.5, 0.5, 0.1]])
    found = count_wins([[first, second]], {1})
    assert (found.won, found.expected, found.cells) == (1.5, 1.5, 3)  # one, a tie, none
    pairs = [np.mean([np.sign(b - a) / 2 + 0.5 for a in x for b in y]) for x, y in zip(first.T, second.T)]
    assert found.superiority == pytest.approx(np.mean(pairs))


def test_p_of_wins_is_that_of_exchanged_models() -> None:
    rng = np.random.default_rng(0)
    quality = rng.normal(size=(8, 1))
    better = (quality[4:] + 2) + 0.1 * rng.normal(size=(4, 6))
    worse = quality[:4] + 0.1 * rng.normal(size=(4, 6))
    found = count_wins([[worse, better]], {1})
    ranks = np.argsort(np.argsort(np.concatenate([worse, better]), axis=0), axis=0).mean(axis=1)
    sums = np.array([ranks[list(chosen)].sum() for chosen in itertools.combinations(range(8), 4)])
    middle = sums.mean()
    exact = np.mean(np.abs(sums - middle) >= abs(ranks[4:].sum() - middle) - 1e-9)
    assert found.p == pytest.approx(exact, abs=0.01)
    assert found.least_p == pytest.approx(2 / 70)


def test_metrics_that_go_together_are_no_independent_trials() -> None:
    """Of 30 times the same metric, all won, p is that of one."""
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(2, 5, 1))
    single = count_wins([[one, other + 1]], {1})
    many = count_wins([[np.repeat(one, 30, axis=1), np.repeat(other + 1, 30, axis=1)]], {1})
    assert many.p == single.p > 0.01


def test_cells_without_finite_scores_do_not_count() -> None:
    scores = np.array([[0.1, np.nan], [0.2, 0.3]])
    assert count_wins([[scores, scores + 1]], {1}).cells == 1
    with pytest.raises(fg.Error, match="no data set and metric"):
        count_wins([[scores[:, 1:], scores[:, 1:]]], {0})


def test_the_interval_of_a_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=60)
    b = a + rng.normal(size=60)
    b[:10] = np.round(b[:10])  # some ties
    low, high = correlation_interval(a, b)
    expected = bootstrap(
        (a, b), lambda x, y: spearmanr(x, y).statistic, paired=True, vectorized=False, method="percentile",
        n_resamples=2000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert low == pytest.approx(expected.low, abs=0.03)
    assert high == pytest.approx(expected.high, abs=0.02)
    assert low < correlate(a, b).rho < high
    assert correlation_interval(-a, b) == pytest.approx((-high, -low))
    assert all(math.isnan(end) for end in correlation_interval([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))


def test_units_of_equal_pairs_count_as_one_pair_each() -> None:
    rng = np.random.default_rng(6)
    a = rng.normal(size=12)
    b = a + rng.normal(size=12)
    fivefold = np.repeat(a, 5), np.repeat(b, 5)
    low, high = correlation_interval(*fivefold, units=np.repeat(np.arange(12), 5))
    assert (low, high) == pytest.approx(correlation_interval(a, b), abs=1e-9)
    narrow = correlation_interval(*fivefold)
    assert narrow[1] - narrow[0] < 0.7 * (high - low)
    assert all(math.isnan(end) for end in correlation_interval(a, b, units=np.zeros(12)))
