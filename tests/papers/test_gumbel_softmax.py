"""Figure 2: samples of the Gumbel-softmax, against what is known of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import factorgrid as fg
from factorgrid.papers.friede2023.gumbel_softmax import (
    ADJACENT,
    DISTANT,
    ONE_HOT,
    draw_examples,
    kl_to_uniform,
    latent_density,
    sample_latents,
    support,
)


def test_the_argmax_of_the_noise_follows_the_probabilities() -> None:
    # at a low temperature samples are categories: the Gumbel-max trick
    probabilities = np.array([0.5, 0.3, 0.2])
    latents = sample_latents(probabilities, num=40_000, temperature=1e-3)
    shares = [np.mean(np.abs(latents - position) < 0.01) for position in (-1, 0, 1)]
    np.testing.assert_allclose(shares, probabilities, atol=0.01)


def test_without_noise_the_latent_is_the_expected_position() -> None:
    latents = sample_latents([0.1, 0.2, 0.7], num=3, noise_scale=0.0)
    np.testing.assert_allclose(latents, 0.6)


def test_swapping_probabilities_keeps_the_kl_and_narrows_the_latent() -> None:
    assert kl_to_uniform(DISTANT) == pytest.approx(kl_to_uniform(ADJACENT))
    stds = [latent_density(sample_latents(p, num=20_000)).std for p in (DISTANT, ADJACENT, ONE_HOT)]
    assert stds[0] > 1.2 * stds[1] > 2 * stds[2]


def test_a_density_integrates_to_one() -> None:
    found = latent_density(sample_latents(DISTANT, num=5_000))
    assert float((found.density * np.diff(found.edges)).sum()) == pytest.approx(1)


def test_probabilities_are_checked() -> None:
    with pytest.raises(fg.Error, match=r"add up to 1, got a sum of 0\.9"):
        sample_latents([0.5, 0.4])
    with pytest.raises(fg.Error, match="must not be negative"):
        sample_latents([1.2, -0.2])


@given(st.lists(st.integers(0, 4), min_size=2, max_size=8).filter(any), st.integers(0, 2**31))
def test_latents_lie_between_the_outermost_categories_that_are_used(counts: list[int], seed: int) -> None:
    # Proposition 1 of the paper; a category of probability 0 takes no part
    probabilities = np.asarray(counts) / sum(counts)
    low, high = support(probabilities)
    latents = sample_latents(probabilities, num=200, seed=seed)
    assert low - 1e-9 <= latents.min()
    assert latents.max() <= high + 1e-9
    assert np.isfinite(kl_to_uniform(probabilities))


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    with Image.open(draw_examples(tmp_path / "figure-2.png", num=2_000)) as image:
        assert image.width > 1000
