"""PSNR and SSIM against cases computed by hand and the numbers of scikit-image; which reconstructions they are of."""

import dataclasses
import shutil

import numpy as np
import pytest

import factorgrid as fg
from factorgrid import results
from factorgrid.selectors import psnr, ssim
from factorgrid.training import train

# (shape, PSNR, SSIM) of scikit-image 0.26.0 for `pictures(shape)`: peak_signal_noise_ratio(a, b, data_range=1) and
# structural_similarity(a, b, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
# channel_axis=-1)
SCIKIT_IMAGE = [
    ((11, 11, 1), 20.46155920087677, 0.9090200398962671),
    ((17, 23, 3), 20.345529057930065, 0.8769276093851198),
    ((64, 64, 3), 20.37262549812109, 0.8850848765884418),
]


def pictures(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, columns, channels = np.meshgrid(*map(np.arange, shape), indexing="ij")
    first = 0.5 + 0.5 * np.sin(0.37 * rows + 0.11 * columns * (channels + 1))
    return first, np.clip(first + 0.15 * np.cos(0.9 * columns - 0.23 * rows + channels), 0, 1)


@pytest.mark.parametrize(("shape", "noise", "structure"), SCIKIT_IMAGE)
def test_both_equal_scikit_image(shape, noise, structure):
    pair = [each[None] for each in pictures(shape)]
    assert psnr(*pair)[0] == pytest.approx(noise, rel=1e-12)
    assert ssim(*pair)[0] == pytest.approx(structure, rel=1e-12)


def test_cases_by_hand():
    black, grey, white = (np.full((1, 16, 12, 2), value) for value in (0.0, 0.5, 1.0))
    assert psnr(black, white)[0] == 0
    assert psnr(grey, white)[0] == pytest.approx(10 * np.log10(4))
    assert psnr(grey, grey)[0] == 100
    assert ssim(grey, grey)[0] == pytest.approx(1)
    # no structure: what is left is how alike the means are
    assert ssim(grey, white)[0] == pytest.approx((2 * 0.5 + 1e-4) / (1.25 + 1e-4))
    assert ssim(black, white)[0] == pytest.approx(1e-4 / (1 + 1e-4))
    # equal means and variances, opposite structure: windows with weights w have the variance of the stripes there
    stripes = np.broadcast_to(np.arange(12)[:, None] % 2, (1, 16, 12, 1)).astype(float)
    weights = np.exp(-((np.arange(11) - 5.0) ** 2) / 4.5)
    share = (weights / weights.sum())[::2].sum()  # of the middle column's kind
    mean, variance = share * (1 - share), share * (1 - share)
    expected = (2 * mean + 1e-4) / (share**2 + (1 - share) ** 2 + 1e-4) * (9e-4 - 2 * variance) / (9e-4 + 2 * variance)
    assert ssim(stripes, 1 - stripes)[0] == pytest.approx(expected)
    many = np.concatenate([grey] * 150), np.concatenate([white] * 150)
    np.testing.assert_allclose(ssim(*many), ssim(grey, white)[0])


def test_a_run_is_scored_from_codes_and_from_categories(tiny_run, tmp_path):
    run = fg.load_run(shutil.copytree(tiny_run.path, tmp_path / "run"))
    found = fg.evaluate(run, ["psnr", "SSIM"])
    images, _ = tiny_run.dataset().draw(1000, 0)
    for place in (0, 1):
        model = tiny_run.model(place)
        soft, hard = model.reconstruct(images), model.decode(model.categorize(images))
        assert np.abs(soft - hard).max() > 1e-3
        for key, quality in (("psnr", psnr), ("ssim", ssim)):
            assert found[key][place] == pytest.approx(quality(images, soft).mean(), rel=1e-6)
            assert found[f"{key}_hard"][place] == pytest.approx(quality(images, hard).mean(), rel=1e-6)
    stored = {row.metric: row.provenance for row in results.from_frame(run.scores)}
    assert stored["psnr_hard"] == {"higher_is_better": True, "num_images": 1000, "seed": 0}


def test_what_does_not_apply_is_left_out_or_named(tiny_config, tmp_path):
    small = dataclasses.replace(tiny_config, model="vae", steps=1, data_options={"image_size": 10})
    run = train(small, tmp_path / "run", quiet=True)
    assert {"psnr"} == {key for key in fg.evaluate(run, ["psnr"]) if "psnr" in key}
    with pytest.raises(fg.Error, match="'ssim' needs images of 11 x 11 pixels or more"):
        fg.evaluate(run, ["ssim"])
