"""The arrays behind reconstructions and traversals."""

import numpy as np
import pytest

import factorgrid as fg
from factorgrid.latents.categorical import active_categories, grid
from factorgrid.models.trained import TrainedModel
from factorgrid.report.traversals import latent_traversals, reconstructions


def test_reconstructions_of_a_discrete_model(dvae: fg.Run, images: np.ndarray) -> None:
    model = dvae.model(0)
    shown = reconstructions(model, images)
    np.testing.assert_array_equal(shown.images, images)
    np.testing.assert_allclose(shown.decoded, model.decode(model.encode(images)), atol=1e-6)
    np.testing.assert_allclose(shown.rounded, model.decode(model.categorize(images)), atol=1e-6)
    assert 0 <= shown.decoded.min() <= shown.decoded.max() <= 1


def test_bytes_are_images_too(vae: fg.Run, images: np.ndarray) -> None:
    as_bytes = (images * 255).astype(np.uint8)
    shown = reconstructions(vae.model(0), as_bytes)
    np.testing.assert_allclose(shown.images, images, atol=1e-6)
    assert shown.rounded is None


def test_discrete_traversals_are_decoded_categories(dvae: fg.Run, images: np.ndarray) -> None:
    model = dvae.model(1)
    own = model.categorize(images)
    rows = latent_traversals(model, images, num_columns=11)
    assert sorted(row.latent for row in rows) == [0, 1]
    for row in rows:
        assert row.categories is not None
        assert row.categories.tolist() == [0, 6, 13, 19, 25, 32, 38, 44, 50, 57, 63]
        np.testing.assert_array_equal(row.values, grid(64)[row.categories])
        assert row.images.shape == (3, 11, 64, 64, 1)
        for base in range(3):
            codes = np.repeat(own[base : base + 1], 11, axis=0)
            codes[:, row.latent] = row.categories
            np.testing.assert_allclose(row.images[base], model.decode(codes), atol=1e-6)
            distance = np.abs(row.categories - own[base, row.latent])
            assert distance[row.own[base]] == distance.min()


def test_gaussian_traversals_go_from_minus_two_to_two(vae: fg.Run, images: np.ndarray) -> None:
    model = vae.model(0)
    for row in latent_traversals(model, images, num_columns=5):
        assert row.categories is None
        assert row.values.tolist() == [-2, -1, 0, 1, 2]
        codes = np.repeat(model.encode(images)[2:], 5, axis=0)
        codes[:, row.latent] = row.values
        np.testing.assert_allclose(row.images[2], model.decode(codes), atol=1e-6)


def test_latents_without_a_prior_go_over_the_range_of_their_codes(
    vae: fg.Run, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = vae.model(0)
    monkeypatch.setattr(TrainedModel, "can", lambda self, ability: False)
    codes = model.encode(images)
    for row in latent_traversals(model, images, num_columns=5):
        low, high = np.quantile(codes[:, row.latent], [0.01, 0.99])
        np.testing.assert_allclose(row.values, np.linspace(low, high, 5), atol=1e-6)
        assert row.measure == "variance"


@pytest.mark.parametrize(("kl", "order"), [([0.1, 0.9], [1, 0]), ([3.0, 0.5], [0, 1])])
def test_rows_are_sorted_by_kl(dvae: fg.Run, images: np.ndarray, kl: list[float], order: list[int]) -> None:
    rows = latent_traversals(dvae.model(0), images, kl=np.asarray(kl, np.float32), num_columns=2)
    assert [row.latent for row in rows] == order
    assert [row.kl for row in rows] == pytest.approx(sorted(kl, reverse=True))


def test_with_data_a_latent_that_varies_comes_before_one_that_never_does(
    dvae: fg.Run, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The posterior of the latter is one-hot, so it has the largest KL there is."""
    model = dvae.model(0)
    monkeypatch.setattr(
        type(model), "categorize", lambda _, seen: np.stack([np.full(len(seen), 3), np.arange(len(seen)) % 4], axis=1)
    )
    kl = np.asarray([4.2, 0.5], np.float32)
    assert [row.latent for row in latent_traversals(model, images, kl=kl, num_columns=2, data=images)] == [1, 0]
    assert [row.latent for row in latent_traversals(model, images, kl=kl, num_columns=2)] == [0, 1]


def test_kl_of_the_base_images_by_default(vae: fg.Run, images: np.ndarray) -> None:
    model = vae.model(0)
    expected = model.kl(images).mean(axis=0)
    for row in latent_traversals(model, images, num_columns=2):
        assert row.kl == pytest.approx(float(expected[row.latent]))


def test_masked_traversals_visit_the_active_categories_and_no_others(masked: fg.Run, images: np.ndarray) -> None:
    x, y, free = latent_traversals(masked.model(0), images, latents=(0, 1, 2), num_columns=9)
    for row in (x, y):
        assert row.categories is not None
        assert tuple(row.categories.tolist()) == active_categories(20, 64)
        assert row.images.shape[1] == 20
    assert free.categories is not None
    assert free.categories.tolist() == [0, 8, 16, 24, 32, 39, 47, 55, 63]


def test_the_own_category_of_a_masked_dimension_is_exact(masked: fg.Run, images: np.ndarray) -> None:
    model = masked.model(0)
    own = model.categorize(images)
    for row in latent_traversals(model, images, latents=(0, 1)):
        assert row.categories is not None
        np.testing.assert_array_equal(row.categories[row.own], own[:, row.latent])
        hard = model.decode(own)
        np.testing.assert_allclose(row.images[np.arange(3), row.own], hard, atol=1e-6)


@pytest.mark.parametrize("kind", ["dvae", "vae"])
def test_the_use_of_a_column_counts_the_images_nearest_to_it(kind: str, images: np.ndarray, request) -> None:
    model = request.getfixturevalue(kind).model(0)
    data, _ = fg.load_dataset("circles").draw(50, seed=9)
    own = model.categorize(data) if model.discrete else model.encode(data)
    for row in latent_traversals(model, images, num_columns=6, data=data):
        values = row.categories if model.discrete else row.values
        counts = np.zeros(6)
        for code in own[:, row.latent]:
            counts[min(range(6), key=lambda column: abs(float(values[column]) - float(code)))] += 1
        np.testing.assert_allclose(row.use, counts / 50)


def test_use_is_not_counted_unless_data_are_given(dvae: fg.Run, images: np.ndarray) -> None:
    assert {row.use for row in latent_traversals(dvae.model(0), images)} == {None}
