"""Training curves and the KL of each dimension: what is shown of which numbers."""

import numpy as np
import pandas as pd

import factorgrid as fg
from factorgrid.report.captions import setting
from factorgrid.report.curves import TITLES, draw_term, loss_terms, term_title
from factorgrid.report.kl_bars import dimension_kl, kl_ceiling
from factorgrid.report.style import setting_colors


def test_every_loss_term_has_a_panel_and_constant_schedules_do_not(dvae: fg.Run, masked: fg.Run) -> None:
    assert loss_terms(dvae.history) == ["loss", "reconstruction", "kl", "max_probability", "noise_scale"]
    assert loss_terms(dvae.history.assign(noise_scale=1.0)) == ["loss", "reconstruction", "kl", "max_probability"]
    terms = loss_terms(masked.history)
    assert terms[:3] == ["loss", "reconstruction", "kl"]
    assert {"supervised", "total_correlation"} <= set(terms)
    assert not {"discriminator_loss", "discriminator_accuracy"} & set(terms)


def test_panels_are_titled_in_words(dvae: fg.Run, masked: fg.Run) -> None:
    for name in {*loss_terms(dvae.history), *loss_terms(masked.history)}:
        assert name in TITLES
    assert term_title("some_new_term") == "some new term"


def test_lines_are_members_and_their_median(dvae: fg.Run) -> None:
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    draw_term(axis, dvae, dvae.history, "kl")
    *members, middle = axis.lines
    table = dvae.history.pivot(index="step", columns="member", values="kl")
    for line, name in zip(members, ["seed0", "seed1", "seed2"], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), table[name])
    np.testing.assert_allclose(middle.get_ydata(), table.median(axis=1))


def test_a_diverged_member_leaves_the_median_of_the_others(dvae: fg.Run) -> None:
    from matplotlib.figure import Figure

    history = pd.DataFrame({"member": ["seed0", "seed1", "seed2"], "step": 1, "kl": [1.0, np.nan, 3.0]})
    axis = Figure().subplots()
    draw_term(axis, dvae, history, "kl")
    assert axis.lines[-1].get_ydata().tolist() == [2.0]


def test_settings_have_their_own_lines_and_colors(masked: fg.Run) -> None:
    assert [setting(member) for member in masked.members] == ["gamma = 1", "gamma = 10"]
    for num in (2, 12):
        assert len({str(color) for color in setting_colors([str(i) for i in range(num)]).values()}) == num


def test_kl_is_that_of_the_models(dvae: fg.Run, images: np.ndarray) -> None:
    found = dimension_kl(dvae, images)
    assert found.members == ("seed0", "seed1", "seed2")
    np.testing.assert_allclose(found.values[2], dvae.model("seed2").kl(images).mean(axis=0), rtol=1e-6)


def test_ceilings(dvae: fg.Run, vae: fg.Run, masked: fg.Run) -> None:
    np.testing.assert_allclose(kl_ceiling(dvae.model(0)), np.log([64, 64]), rtol=1e-6)
    np.testing.assert_allclose(kl_ceiling(masked.model(0)), np.log([20, 20, 64]), rtol=1e-6)
    assert kl_ceiling(vae.model(0)).tolist() == [np.inf, np.inf]


def test_bars_do_not_exceed_the_ceiling(masked: fg.Run, images: np.ndarray) -> None:
    found = dimension_kl(masked, images)
    assert (found.values <= found.ceiling + 1e-4).all()
