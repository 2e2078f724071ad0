"""What every metric in the table promises: keys, range, direction, invariances, Python floats, errors."""

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import METRICS, Counts, evaluate, higher_is_better, metric_of, metric_settings, score
from factorgrid.representation import Representation

SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))
COUNTS = Counts(num_train=400, num_test=200, batch_size=16, num_variance_estimate=500, downstream_sizes=(100,))
EXACT = {
    "mig",
    "modularity",
    "sap",
    "irs",
    "factor_vae_score",
    "gaussian_total_correlation",
    "wasserstein_correlation",
    "mutual_information_score",
    "mig_sup",
    "dcimig",
    "jemmig",
    "minimality_sufficiency",
    "edi",
    "omes",
    "z_max_variance",
    "code_usage",
    "fos",
}
CHANGES = {
    "permuting_latents": lambda z: z[:, [2, 0, 1]],
    # powers of two, exact in binary: no code crosses a bin edge by rounding
    "rescaling_latents": lambda z: z * [4.0, 0.5, 2.0],
    "adding_dead_latents": lambda z: np.concatenate([z, np.full((len(z), 2), 0.3)], axis=1),
}
# what shows that a change matters to metrics that do not declare its invariance
HARD_CHANGES = {
    "rescaling_latents": lambda z: z * [2.0**-14, 2.0, 2.0**-12],
    "adding_dead_latents": CHANGES["adding_dead_latents"],
}

pytestmark = pytest.mark.parametrize("name", METRICS)


def grid():
    return SPACE.factors(np.arange(SPACE.num_points)).astype(np.int64)


def perfect():
    """Every factor in a code of its own, scaled to [-1, 1], and a little noise so that nothing is tied."""
    codes = grid() / (np.array(SPACE.sizes) - 1) * 2 - 1
    return codes + 0.01 * np.random.default_rng(0).normal(size=codes.shape)


def independent():
    """Codes that know nothing of the factors and, for the label-free scores, all tell the same."""
    common = np.random.default_rng(1).normal(size=(SPACE.num_points, 1))
    return np.repeat(common, 3, axis=1) + 0.1 * np.random.default_rng(2).normal(size=(SPACE.num_points, 3))


def scores(name, codes):
    representation = Representation.from_table(codes, SPACE)
    return evaluate([representation], name, counts=COUNTS, jobs=1)[0]


def test_yields_floats_under_its_declared_keys_within_range(name):
    metric = METRICS[name]
    for codes in (perfect(), independent()):
        values = scores(name, codes)
        expected = {key for key in metric.keys if not key.endswith(("_1000", "_10000", "efficiency"))}
        assert set(values) == expected
        for key, value in values.items():
            low, high = metric.keys.get(key, (0.0, float("inf")))
            assert type(value) is float
            assert low - 1e-12 <= value <= high + 1e-12


def test_direction(name):
    rng = np.random.default_rng(6)
    factors = SPACE.sample(rng, 900)
    noise = rng.normal(size=factors.shape)
    good = score(factors / (np.array(SPACE.sizes) - 1) + 0.01 * noise, factors, name, counts=COUNTS)
    # codes that know nothing of the factors and, for the label-free scores, all tell the same
    bad = score(rng.normal(size=(900, 1)) + 0.1 * noise, factors, name, counts=COUNTS)
    for key in METRICS[name].keys:
        if key not in good or "num_factors" in key or name == "code_usage":  # which describes, and does not judge
            continue
        if key == "dci_forest.informativeness_train":  # forests know their training samples by heart
            continue
        assert higher_is_better(key) == METRICS[name].higher_is_better
        assert metric_of(key) == name
        assert good[key] > bad[key] if higher_is_better(key) else good[key] < bad[key], key


def test_declared_invariances(name):
    codes = perfect() + 0.3 * np.random.default_rng(3).normal(size=(SPACE.num_points, 3))
    before = scores(name, codes)
    for invariance in METRICS[name].invariances - {"permuting_factors"}:
        after = scores(name, CHANGES[invariance](codes))
        tolerance = 1e-9 if name in EXACT else 0.03
        assert after == pytest.approx(before, abs=tolerance), invariance


def test_undeclared_invariances_do_not_hold(name):
    codes = perfect() + 0.3 * np.random.default_rng(3).normal(size=(SPACE.num_points, 3))
    for invariance in {*HARD_CHANGES} - METRICS[name].invariances:
        # to SAP a dead latent is the second best that a single latent does not have
        given = codes[:, :1] if (name, invariance) == ("sap", "adding_dead_latents") else codes
        before, after = scores(name, given), scores(name, HARD_CHANGES[invariance](given))
        assert max(abs(after[key] - before[key]) for key in before) > 1e-3, invariance


def test_permuting_factors_changes_nothing(name):
    """On given codes: the same samples are drawn whatever the order of the columns."""
    assert "permuting_factors" in METRICS[name].invariances
    rng = np.random.default_rng(4)
    factors = SPACE.sample(rng, 900)
    codes = factors + 0.5 * rng.normal(size=factors.shape)
    before = score(codes, factors, name, counts=COUNTS)
    after = score(codes, factors[:, [1, 2, 0]], name, counts=COUNTS)
    # except that which factor a sample of these two holds fixed is drawn by its place
    held_fixed = name in ("beta_vae_score", "factor_vae_score", "z_max_variance", "omes")
    tolerance = 0.1 if held_fixed else 1e-9 if name in EXACT else 0.03
    assert after == pytest.approx(before, abs=tolerance)


def test_dead_and_collapsed_codes_do_no_harm(name):
    """No NaN, no warning, no crash; warnings are errors in this session."""
    collapsed = np.full((SPACE.num_points, 2), 0.25)
    half_dead = np.concatenate([perfect(), collapsed], axis=1)
    for codes in (collapsed, half_dead):
        assert np.isfinite(list(scores(name, codes).values())).all()


def test_constant_factors_are_dropped_with_one_warning(name):
    rng = np.random.default_rng(5)
    factors = SPACE.sample(rng, 900)
    codes = factors + 0.5 * rng.normal(size=factors.shape)
    before = score(codes, factors, name, counts=COUNTS)
    widened = np.concatenate([np.full((900, 1), 7), factors], axis=1)
    with pytest.warns(UserWarning, match="dropped factors with one value only: 0") as caught:
        after = score(codes, widened, name, counts=COUNTS)
    assert len(caught) == 1
    assert after == before


def test_a_grid_with_a_one_valued_factor_scores_as_without(name):
    space = FactorSpace(("one", *SPACE.names), (1, *SPACE.sizes))
    with_it = evaluate([Representation.from_table(perfect(), space)], name, counts=COUNTS, jobs=1)[0]
    for key, value in scores(name, perfect()).items():
        assert with_it[key] == pytest.approx(value, abs=0.1)


def test_same_seed_same_scores(name):
    codes = independent()
    representation = Representation.from_table(codes, SPACE)
    first = evaluate([representation], name, counts=COUNTS, seed=3, jobs=1)
    assert evaluate([representation], name, counts=COUNTS, seed=3, jobs=1) == first


def test_nan_codes_are_refused(name):
    codes = perfect()
    codes[7, 1] = np.nan
    with pytest.raises(Error, match=r"1 NaN or infinite values \(latents 1"):
        score(codes, grid(), name)


def test_settings_are_recorded(name):
    settings = metric_settings(name, seed=5, counts=COUNTS)[name]
    assert settings["seed"] == 5
    assert set(METRICS[name].options) <= set(settings)
    assert {key: settings[key] for key in METRICS[name].counts} == {
        key: getattr(COUNTS, key) for key in METRICS[name].counts
    }
    assert METRICS[name].source
    assert METRICS[name].cost in ("instant", "seconds", "minutes")
