"""Configurations: products, identity, and every way to get one wrong."""

import warnings

import numpy as np
import pytest

import factorgrid as fg
from factorgrid.api import default_folder, make_config
from factorgrid.config import without_effect
from factorgrid.training import Config


def test_a_group_is_the_product_of_hyperparameters_and_seeds():
    config = make_config(data="circles", model="factor_dvae", seeds=2, gamma=[10, 20])
    assert [(m.name, m.seed, m.hyperparameters) for m in config.members] == [
        ("gamma10-seed0", 0, {"gamma": 10.0}),
        ("gamma10-seed1", 1, {"gamma": 10.0}),
        ("gamma20-seed0", 0, {"gamma": 20.0}),
        ("gamma20-seed1", 1, {"gamma": 20.0}),
    ]


def test_json_round_trip_keeps_identity():
    config = make_config(data="circles", model="annealed_vae", seeds=(3, 1), c_max=5, labels=100, omega=[1, 2])
    again = Config.from_json(config.to_json())
    assert again == config
    assert again.identity == config.identity


@pytest.mark.parametrize("change", [{"seeds": 3}, {"steps": 7}, {"init": "glorot"}, {"data": "dsprites_twin"}])
def test_identity_depends_on_everything(change):
    base = {"data": "circles", "model": "dvae", "seeds": 2, "steps": 9}
    assert make_config(**base).identity != make_config(**{**base, **change}).identity


def test_folders_of_different_runs_differ():
    one, other = (make_config(data="circles", model="dvae", seeds=n) for n in (1, 2))
    assert default_folder(one) != default_folder(other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "dvea"}, "unknown model 'dvea'; did you mean 'dvae'"),
        ({"gamma": 3}, "model 'dvae' has no hyperparameter 'gamma'"),
        ({"stepz": 3}, "unknown option 'stepz'; did you mean 'steps'"),
        ({"gama": 3}, "unknown option 'gama'; did you mean 'gamma'"),
        ({"image_sise": 32}, "unknown option 'image_sise'; did you mean 'image_size'"),
        ({"quiet": True}, "'quiet' is a keyword of fg.train"),
        ({"quite": True}, "unknown option 'quite'; did you mean 'quiet'"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"seeds": (1, 1)}, "seeds must be different"),
        ({"seeds": 0}, "seeds must be between 1 and"),
        ({"num_categories": 1}, "num_categories must be at least 2"),
        ({"omega": 2}, "there are no labels"),
        ({"supervision": "bce"}, "needs labels"),
        ({"labels": 10, "supervision": "bec"}, "unknown supervision 'bec'; did you mean 'bce'"),
        ({"model": "vae", "masked": True}, "masked attention needs categories"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"reduction": "max"}, "unknown reduction 'max'"),
    ],
)
def test_errors_name_the_value_and_the_remedy(options, message):
    with pytest.raises(fg.Error, match=message):
        make_config(**{"data": "circles", "model": "dvae", "seeds": 1, **options})


@pytest.mark.parametrize(
    ("options", "idle"),
    [
        ({}, {}),
        ({"model": "vae", "num_latents": 3, "width": 8}, {}),
        ({"num_categories": 8, "temperature": 0.5, "noise_scale": (1.0, 1.0)}, {}),
        (
            {"model": "vae", "num_categories": 8, "noise_scale": (1.0, 1.0)},
            {"num_categories": "changes nothing, 'vae' has none", "noise_scale": "changes nothing, 'vae' has none"},
        ),
        ({"model": "fsq", "num_categories": 8, "temperature": 2}, {"temperature": "changes nothing, 'fsq' has none"}),
        ({"label_seed": 1, "reduction": "mean", "labels": 10}, {}),
        (
            {"label_seed": 1, "reduction": "mean"},
            {"label_seed": "changes nothing without labels", "reduction": "changes nothing without labels"},
        ),
        ({"spacing": "endpoint"}, {"spacing": "changes nothing without labels"}),
        ({"spacing": "endpoint", "masked": True}, {}),
        ({"spacing": "endpoint", "labels": 10}, {}),
        (
            {"spacing": "endpoint", "labels": 10, "model": "vae"},
            {"spacing": "changes nothing, 'vae' has no categories"},
        ),
    ],
)
def test_options_that_change_nothing_are_named(options, idle):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = make_config(**{"data": "circles", "model": "dvae", "seeds": 1, **options})
    assert without_effect(config) == idle
    assert [str(one.message) for one in caught] == [f"{name} {why}" for name, why in idle.items()]


def test_arrays_as_data_are_told_what_to_do():
    with pytest.raises(fg.Error, match=r"got an array; write it to a file first: np\.savez") as caught:
        Config.from_json({"data": np.zeros((20, 8, 8)), "model": "vae"})
    assert "\n" not in str(caught.value)
    with pytest.raises(fg.Error, match="steps must be a whole number") as caught:
        Config.from_json({"data": "circles", "model": "vae", "steps": np.zeros((40, 8))})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "place"),
    [("gamma", "'gamma' is a hyperparameter, which belongs"), ("image_size", r"\[data_options.NAME\]")],
)
def test_keys_at_the_wrong_place_are_told_where_they_belong(key, place):
    with pytest.raises(fg.Error, match=place):
        Config.from_json({"data": "circles", "model": "factor_dvae", key: 32})


def test_numpys_scalars_are_numbers():
    config = make_config(
        data="circles", model="beta_vae", seeds=2, beta=np.float64(10), learning_rate=np.float64(1e-3),
        data_options={"image_size": np.int64(32)},
    )  # fmt: skip
    plain = make_config(
        data="circles", model="beta_vae", seeds=2, beta=10, learning_rate=1e-3, data_options={"image_size": 32}
    )
    assert config.identity == plain.identity
