"""The estimator in scikit-learn's own hands: its checks, pipelines, searches; images of every shape."""

import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.utils.estimator_checks import estimator_checks_generator

import factorgrid as fg
from factorgrid.integrations.scikit_learn import CodeScorer, ImageAutoencoder

GRID = np.stack(np.meshgrid(range(6), range(5), indexing="ij"), axis=-1).reshape(-1, 2)


def small(**options):
    return ImageAutoencoder(
        "dvae", num_latents=2, steps=2, batch_size=4, options={"num_categories": 4, "width": 4}, **options
    )


def test_options_that_change_nothing_are_warned_of():
    estimator = ImageAutoencoder("vae", num_latents=2, steps=1, batch_size=4, options={"num_categories": 4, "width": 4})
    with pytest.warns(UserWarning, match="num_categories changes nothing, 'vae' has none"):
        estimator.fit(GRID / 5)


# each check fits several times, and each fit of another number of features is compiled: all of them take minutes
QUICK = (
    "check_no_attributes_set_in_init",
    "check_estimator_cloneable",
    "check_parameters_default_constructible",
    "check_complex_data",
    "check_estimators_empty_data_messages",
    "check_n_features_in",
    "check_estimators_nan_inf",
    "check_estimators_pickle",
)


@pytest.mark.parametrize("name", QUICK)
def test_quick_checks_of_scikit_learn(name):
    found = [check for _, check in estimator_checks_generator(small()) if check.func.__name__ == name]
    for check in found:
        check(small())
    assert found


@pytest.mark.skipif("FACTORGRID_ALL_CHECKS" not in os.environ, reason="takes minutes: make test-torch")
@pytest.mark.filterwarnings("ignore")
def test_every_check_of_scikit_learn_but_one():
    """None fails; skipped is the one for arrays of other libraries, which scikit-learn leaves to a setting of SciPy.

    In a process of its own: the checks give arguments of wrong types on purpose, which the type checker of these tests
    would refuse before the estimator can.
    """
    done = subprocess.run([sys.executable, "-c", ALL_CHECKS], capture_output=True, text=True, check=True)
    failed, skipped, num = json.loads(done.stdout)
    assert not failed
    assert skipped == ["check_array_api_input"]
    assert num > 40


ALL_CHECKS = """
import json
from sklearn.utils.estimator_checks import check_estimator
from factorgrid.integrations.scikit_learn import ImageAutoencoder

options = {"num_categories": 4, "width": 4}
estimator = ImageAutoencoder("dvae", num_latents=2, steps=2, batch_size=4, options=options)
results = check_estimator(estimator, on_fail=None, on_skip=None)
failed = {one["check_name"]: repr(one["exception"]) for one in results if one["status"] == "failed"}
skipped = [one["check_name"] for one in results if one["status"] == "skipped"]
print(json.dumps([failed, skipped, len(results)]))
"""


def pictures():
    """A bright pixel in images of 6 x 5."""
    shown = np.zeros((len(GRID), 6, 5), np.float32)
    shown[np.arange(len(GRID)), GRID[:, 0], GRID[:, 1]] = 1
    return shown


def test_images_of_every_shape_come_back_as_they_were():
    flat = pictures().reshape(len(GRID), -1)
    for images in (pictures(), flat * 7 - 3):
        model = small().fit(images)
        codes = model.transform(images)
        assert codes.shape == (30, 2)
        restored = model.inverse_transform(codes)
        assert restored.shape == images.shape
        assert images.min() <= restored.min() <= restored.max() <= images.max()
    rows = small(image_shape=(6, 5, 1)).fit(flat)
    assert rows.image_shape_ == (6, 5, 1)
    np.testing.assert_allclose(
        rows.transform(flat), small().fit(pictures()[..., None]).transform(pictures()[..., None])
    )
    with pytest.raises(fg.Error, match=r"image_shape \(4, 4, 1\) does not make 30 pixels"):
        small(image_shape=(4, 4, 1)).fit(flat)
    with pytest.raises(fg.Error, match=r"images of shape \[3, 10\], and the ones fitted had \[30\]"):
        rows.transform(pictures().reshape(-1, 3, 10))


def test_scores_with_factors_and_without():
    model = small().fit(pictures())
    expected = fg.score(model.transform(pictures()), GRID, "mig")["mig"]
    assert model.score(pictures(), GRID) == pytest.approx(expected)
    error = ((model.inverse_transform(model.transform(pictures())) - pictures()) ** 2).mean()
    assert model.score(pictures()) == pytest.approx(-error, rel=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.transform(pictures()), model.transform(pictures()))
    with pytest.raises(fg.Error, match="unknown model 'dvea'; did you mean 'dvae'"):
        ImageAutoencoder("dvea").fit(pictures())


def test_a_search_uses_metrics_as_scorers():
    """Two factors of different variances: principal components are the factors; one component holds one of them."""
    rng = np.random.default_rng(0)
    factors = rng.integers(5, size=(400, 2))
    pixels = factors @ np.array([[3.0, 3.0, 0.0], [0.0, 0.0, 1.0]])
    search = GridSearchCV(PCA(), {"n_components": [1, 2]}, scoring=CodeScorer("mig"), cv=KFold(2))
    assert search.fit(pixels, factors).best_params_ == {"n_components": 2}
    worse = CodeScorer("mutual_information_score")(PCA(2).fit(pixels), pixels, factors)
    codes = PCA(2).fit_transform(pixels)
    assert worse == -fg.score(codes, factors, "mutual_information_score")["mutual_information_score"]
    parts = fg.score(codes, factors, "dci_forest")
    keyed = CodeScorer("DCI forest", key="dci_forest.completeness")
    assert keyed(PCA(2).fit(pixels), pixels, factors) == pytest.approx(parts["dci_forest.completeness"])
