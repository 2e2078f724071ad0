"""The nearest-neighbour estimate against scikit-learn's, which searches trees."""

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif

from factorgrid.metrics.neighbour_information import neighbour_distance, neighbour_information


@pytest.mark.parametrize("num_neighbours", [3, 10])
def test_equals_scikit_learn(num_neighbours):
    rng = np.random.default_rng(0)
    labels = rng.integers([3, 7], size=(500, 2))
    labels[0, 1] = 7  # a class of a single sample
    codes = np.stack([labels[:, 0] + rng.normal(size=500), rng.normal(size=500), labels.sum(axis=1) ** 2.0 / 3], 1)
    ours = neighbour_information(codes, labels, np.random.default_rng(1), num_neighbours=num_neighbours)
    theirs = [
        mutual_info_classif(codes, labels[:, j], discrete_features=False, n_neighbors=num_neighbours, random_state=0)
        for j in range(2)
    ]
    # the last code is tied many times over: which neighbour is nearest is up to each one's noise
    assert ours[:2] == pytest.approx(np.stack(theirs, axis=1)[:2], abs=1e-9)
    assert ours[2] == pytest.approx(np.stack(theirs, axis=1)[2], abs=0.1)


def test_dead_code_has_none():
    labels = np.arange(30)[:, None] % 3
    assert neighbour_information(np.ones((30, 1)), labels, np.random.default_rng(0)) == pytest.approx(0.0)


def test_distance_to_the_kth_neighbour():
    values = np.array([0.0, 1.0, 3.0, 3.5])
    assert neighbour_distance(values, 1).tolist() == [1.0, 1.0, 0.5, 0.5]
    assert neighbour_distance(values, 2).tolist() == [3.0, 2.0, 2.0, 2.5]
