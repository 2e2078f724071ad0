"""Scoring a run: what applies to which run, what is stored, and images whose factors fill no grid."""

import dataclasses
import shutil

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import factorgrid as fg
from factorgrid import metrics, results
from factorgrid.encoding import encode, encode_as, encode_labelled
from factorgrid.evaluation import directions, split_names
from factorgrid.metrics import METRICS, QUICK, SIX
from factorgrid.metrics.hard import HARD, hard
from factorgrid.report.captions import scores_of
from factorgrid.report.sweeps import draw_learning_curve
from factorgrid.selectors import SELECTORS, udr
from factorgrid.training import train


def test_scores_have_a_row_per_member_and_are_stored_with_their_provenance(tiny_run):
    stored = tiny_run.scores
    assert set(stored["metric"]) == {"mig", "st_gap_elbo", "st_gap_loss", "st_gap_relative"}
    assert set(stored["member"]) == {"seed0", "seed1"}
    rows = {(row.member, row.metric): row for row in results.from_frame(stored)}
    assert rows["seed0", "mig"].provenance == {"higher_is_better": True, "num_bins": 20, "num_train": 1000, "seed": 0}
    assert rows["seed0", "st_gap_loss"].provenance == {"higher_is_better": False, "num_batches": 2}


def test_the_best_member_has_the_highest_score_or_the_smallest_gap(tiny_run):
    spread = results.wide(tiny_run.scores).set_index("member")
    assert tiny_run.best_member("mig") == spread["mig"].idxmax()
    assert tiny_run.best_member("st_gap") == spread["st_gap_loss"].idxmin()
    with pytest.raises(fg.Error, match=r"has no score 'sap'; it has: mig, st_gap_elbo, st_gap_loss"):
        tiny_run.best_member("sap")


def test_scoring_again_replaces_and_adds(tiny_run, tmp_path):
    run = copied(tiny_run, tmp_path)
    table = fg.evaluate(run, ["mig", "modularity"], counts=QUICK, jobs=1)
    assert list(table["member"]) == ["seed0", "seed1"]
    assert set(run.scores["metric"]) == {"mig", "modularity", "st_gap_elbo", "st_gap_loss", "st_gap_relative"}
    assert len(run.scores) == 2 * 5
    before = results.wide(tiny_run.scores)["mig"]
    np.testing.assert_allclose(results.wide(run.scores)["mig"], before)


def test_only_what_is_missing_is_computed_and_the_rest_is_taken(tiny_run, tmp_path, monkeypatch):
    run, asked, said = copied(tiny_run, tmp_path), ["mig", "modularity", "st_gap"], []
    settings = {"counts": QUICK, "gap_batches": 2, "jobs": 1}
    before = fg.evaluate(run, ["mig", "st_gap"], **settings)
    table = fg.evaluate(run, asked, only_missing=True, progress=lambda done, total, what: said.append(what), **settings)
    assert said == ["seed0: modularity computed", "seed1: modularity computed"]
    pd.testing.assert_frame_equal(table[before.columns], before)
    monkeypatch.setattr("factorgrid.evaluation._scores", lambda *_: pytest.fail("scored"))
    monkeypatch.setattr(fg.training.Run, "dataset", lambda *_: pytest.fail("read the images"))
    pd.testing.assert_frame_equal(fg.evaluate(run, asked, only_missing=True, **settings), table)


def test_a_member_that_diverged_has_no_scores(tiny_config, tmp_path):
    run = fg.training.train(dataclasses.replace(tiny_config, steps=2), tmp_path / "run", quiet=True)
    run.publish(run.state()._replace(alive=jnp.asarray([True, False])))  # its weights are finite all the same
    scores = fg.evaluate(run, ["mig", "st_gap"], counts=QUICK, gap_batches=2, jobs=1).set_index("member")
    assert np.isfinite(scores.loc["seed0", ["mig", "st_gap_loss"]].astype(float)).all()
    assert scores.loc["seed1", ["mig", "st_gap_loss"]].isna().all()
    assert run.best_member("st_gap") == run.best_member("mig") == "seed0"


def test_a_member_that_diverged_says_nothing_of_the_others(tiny_config, tmp_path):
    """UDR asks how alike the seeds of a setting are; of those that diverged it must not ask."""
    two = fg.training.train(dataclasses.replace(tiny_config, steps=2, seeds=(0, 1)), tmp_path / "two", quiet=True)
    three = fg.training.train(
        dataclasses.replace(tiny_config, steps=2, seeds=(0, 1, 2)), tmp_path / "three", quiet=True
    )
    three.publish(three.state()._replace(alive=jnp.asarray([True, True, False])))
    alone = fg.evaluate(two, ["udr"], jobs=1)["udr"].to_numpy(float)
    beside = fg.evaluate(three, ["udr"], jobs=1)["udr"].to_numpy(float)
    np.testing.assert_allclose(beside[:2], alone, rtol=1e-4)
    assert np.isnan(beside[2])


def test_what_does_not_apply_is_left_out_only_if_nobody_asked_for_it(tiny_config, tmp_path):
    run = fg.training.train(dataclasses.replace(tiny_config, model="vae", steps=1), tmp_path / "run", quiet=True)
    assert "st_gap_loss" not in fg.evaluate(run, counts=QUICK, jobs=1)
    with pytest.raises(fg.Error, match="'st_gap' needs"):
        fg.evaluate(run, ["mig", "st_gap"], counts=QUICK, jobs=1)


def test_titles_name_the_scores_that_tables_prefer(tiny_run, tmp_path):
    run = copied(tiny_run, tmp_path)
    full = fg.evaluate(run, ["mig"], jobs=1).set_index("member")["mig"]
    fg.evaluate(run, ["mig"], quick=True, jobs=1)
    assert scores_of(run, "mig") == full.to_dict()


def test_unknown_names_are_corrected(tiny_run):
    with pytest.raises(fg.Error, match="unknown metric 'st_gab'; did you mean 'st_gap'"):
        fg.evaluate(tiny_run, ["st_gab"])
    with pytest.raises(fg.Error, match="unknown metric 'MIGG'; did you mean 'mig'"):
        fg.score(np.eye(4), np.arange(4)[:, None], ["MIGG"])


def test_spelling_of_case_and_punctuation_is_free_for_metrics_and_selectors():
    assert split_names(["MIG", "ST-gap", "FactorVAE"]) == (["mig", "factor_vae_score"], ["st_gap"])
    assert split_names("Six")[0] == list(SIX)


def test_every_selector_and_metric_has_its_own_name():
    assert not {*METRICS, *HARD} & set(SELECTORS)
    assert not {hard(key) for one in METRICS.values() for key in one.keys} & {
        key for one in SELECTORS.values() for key in one.keys
    }


def test_hard_codes_are_positions_of_categories_and_are_encoded_with_the_soft_ones(tiny_run):
    model, circles = tiny_run.model(0), tiny_run.dataset()
    factors = circles.space.sample(np.random.default_rng(0), 300)
    images, index = circles.observe(factors, 7), circles.space.index(factors)
    both = encode_as(model, circles, ("soft", "hard"), batch_size=300)
    wanted = model.positions(model.categorize(images))
    np.testing.assert_array_equal(both["hard"].codes_of(index, 7), wanted)
    assert len(np.unique(wanted, axis=0)) > 1
    soft = both["soft"].codes_of(index, 7)
    np.testing.assert_allclose(soft, model.encode(images), rtol=1e-5, atol=1e-6)
    # asking for more changes no bit
    np.testing.assert_array_equal(encode(model, circles, batch_size=300).codes_of(index, 7), soft)


def test_scores_of_hard_codes_are_the_metrics_of_them(tiny_run, tmp_path):
    """`score` of the codes of the whole grid, which is smaller than the counts, is what `evaluate` says."""
    run = copied(tiny_run, tmp_path)
    before = run.scores
    asked = ["mig", "mig_hard", "Info-MEC hard", "dci_forest_hard"]
    table = fg.evaluate(run, asked, counts=QUICK, jobs=1)
    assert {"mig", "mig_hard", "infomec_hard.modularity", "dci_forest_hard.completeness"} <= set(table)
    for index in range(2):
        codes = encode_as(run.model(index), run.dataset(), ("hard",))["hard"]
        alone = metrics.evaluate(
            [codes], ["mig", "infomec", "dci_forest"], counts=QUICK, options={"infomec": {"discrete": True}}, jobs=1
        )[0]
        for key, value in alone.items():
            assert table[hard(key)][index] == pytest.approx(value, abs=1e-12), key
        counted = metrics.evaluate([codes], "infomec_discrete", counts=QUICK, jobs=1)[0]
        assert alone["infomec.compactness"] == pytest.approx(counted["infomec_discrete.compactness"], abs=1e-3)
    assert not np.allclose(table["mig"].to_numpy(float), table["mig_hard"].to_numpy(float))
    rows = {(row.member, row.metric): row for row in results.from_frame(run.scores)}
    assert rows["seed0", "mig_hard"].provenance == {
        "higher_is_better": True, "num_bins": 20, "num_train": 1000, "seed": 0, "codes": "hard",
    }  # fmt: skip
    assert rows["seed0", "infomec_hard.modularity"].provenance["discrete"] is True
    # what was there is as it was, and soft codes are not spoken of
    kept = run.scores[run.scores["metric"].isin(before["metric"])]
    assert sorted(kept.itertuples(index=False)) == sorted(before.itertuples(index=False))
    assert run.best_member("mig_hard") in ("seed0", "seed1")


def test_scores_of_hard_codes_need_categories(tiny_config, tmp_path):
    run = fg.training.train(dataclasses.replace(tiny_config, model="vae", steps=2), tmp_path / "run", quiet=True)
    with pytest.raises(fg.Error, match=r"'sap_hard' needs categories, which run .*run does not have"):
        fg.evaluate(run, ["mig", "sap_hard"], counts=QUICK)
    assert not (run.path / "scores.parquet").exists()
    assert "mig_hard" not in fg.evaluate(run, ["mig", "mig_hard"], counts=QUICK, strict=False, jobs=1)


def test_names_of_scores_of_hard_codes():
    assert split_names(["BetaVAE-hard", "mig", "st_gap"]) == (["mig", "beta_vae_score_hard"], ["st_gap"])
    assert not set(split_names("all")[0]) & set(HARD)
    with pytest.raises(fg.Error, match=r"unknown metric 'mig_hrad'; did you mean 'mig_hard'\? Known: (?!.*_hard)"):
        split_names("mig_hrad")
    assert directions()["dci_hard.completeness"] is True
    assert directions()["mutual_information_score_hard"] is metrics.higher_is_better("mutual_information_score_hard")
    assert metrics.published_settings()["infomec_hard.modularity"]["discrete"] is True
    with pytest.raises(fg.Error, match="unknown metric 'mig_hard'; did you mean 'mig'"):
        fg.score(np.eye(4), np.arange(4)[:, None], "mig_hard")  # given codes are what they are


def copied(run, tmp_path):
    return fg.load_run(shutil.copytree(run.path, tmp_path / "copy"))


@pytest.fixture(scope="module")
def own_images(tmp_path_factory):
    """60 discs with two factors, a quarter of the grid missing, and three images without a label."""
    folder = tmp_path_factory.mktemp("own")
    circles = fg.load_dataset("circles", image_size=64)
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(4, size=60), rng.integers(5, size=60)], axis=1)
    factors = factors[~((factors[:, 0] > 1) & (factors[:, 1] > 2))]
    images = circles.observe(factors * 4, 0)
    labels = factors.astype(np.float64)
    labels[:3, 1] = np.nan
    np.savez(folder / "own.npz", images=(images * 255).astype(np.uint8), factors=labels, factor_names=["x", "y"])
    return folder / "own.npz", factors


def test_own_images_with_gaps_train_semi_supervised_and_are_scored_on_the_labels_there_are(own_images, tmp_path):
    path, factors = own_images
    run = fg.train(
        data=str(path), model="dvae", steps=3, architecture="mlp", num_latents=2, num_categories=8,
        labels=20, masked=True, omega=[1, 2], out=tmp_path / "run", quiet=True,
    )  # fmt: skip
    scores = fg.evaluate(run, ["mig", "validation"], jobs=1)
    assert np.isfinite(scores[["mig", "validation_loss"]]).all(axis=None)
    codes, known = encode_labelled(run.model(0), run.dataset(), ("hard", "soft"), seed=0, limit=1000)
    assert len(codes["soft"]) == len(factors) - 3
    assert set(np.unique(codes["hard"])) <= set(np.unique(run.model(0).position_table))
    np.testing.assert_array_equal(np.unique(known, axis=0), np.unique(factors[3:], axis=0))
    categories = run.model(0).categorize(run.dataset().draw(30, seed=1)[0])
    assert set(np.unique(categories[:, 0])) <= {0, 2, 4, 6}


def test_a_masked_run_needs_factors(tmp_path):
    np.savez(tmp_path / "bare.npz", images=np.zeros((9, 64, 64, 1), np.uint8))
    with pytest.raises(fg.Error, match="has no factors"):
        fg.train(data=str(tmp_path / "bare.npz"), model="dvae", steps=1, masked=True, out=tmp_path / "run", quiet=True)


def test_a_representation_of_a_model_encodes_no_image_twice_and_agrees_with_the_model(tiny_run):
    circles = tiny_run.dataset()
    representation = encode(tiny_run.model(0), circles, batch_size=16)
    codes, factors = representation.sample(np.random.default_rng(0), 40)
    assert codes.shape == (40, 2)
    seeded = np.random.default_rng(5)
    again = np.random.default_rng(5)
    np.testing.assert_array_equal(representation.codes(factors, seeded), representation.codes(factors, again))


def test_udr_compares_the_seeds_of_the_same_hyperparameters(tiny_config, tmp_path):
    config = dataclasses.replace(tiny_config, model="beta_dvae", hyperparameters={"beta": (1.0, 50.0)}, steps=40)
    run = fg.training.train(config, tmp_path / "run", quiet=True)
    together = fg.evaluate(run, ["udr"])["udr"].to_numpy()
    images = run.dataset().draw(1000, seed=0)[0]
    for start in (0, 2):
        models = [run.model(index) for index in (start, start + 1)]
        alone = udr([m.encode(images) for m in models], [m.kl(images).mean(axis=0) for m in models])
        np.testing.assert_allclose(together[start : start + 2], alone, rtol=1e-6)
    with pytest.raises(fg.Error, match="'udr' needs two seeds or more"):
        fg.evaluate(fg.training.train(dataclasses.replace(tiny_config, seeds=(0,), steps=2), tmp_path / "one"), ["udr"])


def test_a_gaussian_run_has_no_gap_and_says_what_applies(tiny_config, tmp_path):
    run = fg.training.train(dataclasses.replace(tiny_config, model="vae", steps=2), tmp_path / "run", quiet=True)
    assert "st_gap_elbo" not in fg.evaluate(run, counts=QUICK, jobs=1)
    with pytest.raises(fg.Error, match="'st_gap' needs categories"):
        fg.evaluate(run, ["st_gap"])
    with pytest.raises(fg.Error, match="'validation' needs labels"):
        fg.evaluate(run, ["validation"])


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"seed": -1}, {"gap_batches": 0}])
def test_settings_are_checked_before_anything_is_scored(tiny_run, wrong, monkeypatch):
    monkeypatch.setattr("factorgrid.evaluation.measure", lambda *_, **__: pytest.fail("scored"))
    with pytest.raises(fg.Error, match=f"{next(iter(wrong))} must be at least"):
        fg.evaluate(tiny_run, ["mig"], **wrong)


def test_a_learning_curve_has_the_scores_of_every_snapshot_and_of_the_end(tiny_config, tmp_path):
    run = train(tiny_config, tmp_path / "run", quiet=True, snapshot_every=8)
    found = fg.learning_curve(run, ["mig", "st_gap"], quick=True)
    assert found["step"].tolist() == [8, 8, 16, 16, 20, 20]
    for step, one in {**run.snapshots, 20: run}.items():
        mine = found[found["step"] == step].drop(columns="step").reset_index(drop=True)
        pd.testing.assert_frame_equal(mine, fg.evaluate(one, ["mig", "st_gap"], quick=True))
    picture = draw_learning_curve(run, found, tmp_path / "curve.png")
    assert picture.stat().st_size > 10_000
    with pytest.raises(fg.Error, match="train with --snapshot-every"):
        fg.learning_curve(train(tiny_config, tmp_path / "other", quiet=True), "mig")
