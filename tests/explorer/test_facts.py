"""What the page says about latents, on codes whose answers are known."""

import numpy as np
import pytest

from factorgrid.explorer.facts import correlation, gather, shared_information


def test_a_code_that_is_a_factor_knows_all_of_it_and_nothing_else() -> None:
    factors = np.stack(np.meshgrid(range(5), range(8), range(10)), axis=-1).reshape(-1, 3)
    codes = np.stack([-factors[:, 1] / 3, np.full(400, 2.0)], axis=1)
    np.testing.assert_allclose(shared_information(codes, factors), [[0, 1, 0], [0, 0, 0]], atol=1e-12)


def test_unknown_labels_are_left_out() -> None:
    factors = np.repeat(np.arange(4), 30)[:, None]
    codes = factors.astype(float)
    half = np.where(np.arange(120)[:, None] % 2, factors, -1)
    assert shared_information(codes, half)[0, 0] == pytest.approx(1)
    few = np.where(np.arange(120)[:, None] < 10, factors, -1)
    assert shared_information(codes, few)[0, 0] == 0
    assert shared_information(codes, np.zeros((120, 0), int)).shape == (1, 0)


def test_correlation_tells_direction_and_ignores_what_never_changes() -> None:
    line = np.linspace(-1, 1, 50)
    left, right = np.stack([line, line**2], axis=1), np.stack([np.ones(50), 3 - 2 * line], axis=1)
    np.testing.assert_allclose(correlation(left, right), [[0, -1], [0, 0]], atol=1e-9)


def test_facts_are_of_the_models_codes(dvae, vae) -> None:
    dataset, models = dvae.dataset(), [dvae.model(0), vae.model(0)]
    discrete, numbers = gather(models, dataset, num=600, seed=3)
    images = np.concatenate([dataset.draw(512, 3)[0], dataset.draw(512, 515)[0][:88]])
    np.testing.assert_allclose(discrete.codes, models[0].encode(images), atol=1e-6)
    np.testing.assert_array_equal(discrete.categories, models[0].categorize(images))
    np.testing.assert_allclose(numbers.codes, models[1].encode(images), atol=1e-5)
    np.testing.assert_allclose(numbers.kl, models[1].kl(images).mean(axis=0), rtol=1e-4)
    assert numbers.categories is None
    assert discrete.information.shape == (2, 2)
