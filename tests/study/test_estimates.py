"""What a study will take."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.readable import duration
from factorgrid.study import MethodEntry, Study, estimate, estimates
from factorgrid.study.estimates import GroupEstimate, Speed, measure_speed
from factorgrid.study.planning import plan
from factorgrid.study.progress import work
from factorgrid.training import Config


def test_counts_alone(tiny: Study) -> None:
    estimates = estimate(tiny, measure=False)
    assert [one.steps for one in estimates] == [8, 8]
    assert all(math.isnan(one.hours) for one in estimates)


def test_arithmetic_of_estimates(tiny: Study) -> None:
    one = GroupEstimate(plan(tiny)[0], Speed(seconds=0.5, flops=1e9, shared_bytes=100.0, member_bytes=10.0))
    assert one.hours == pytest.approx(8 * 0.5 / 3600)
    assert one.flops == 8e9
    assert one.memory == 120


def test_every_kind_of_network_is_measured_once(tiny: Study) -> None:
    factor = MethodEntry("FactorDVAE", "factor_dvae", hyperparameters={"gamma": (1.0, 2.0)})
    study = dataclasses.replace(tiny, methods=(factor, dataclasses.replace(factor, title="again")))
    seen: list[tuple[int, int, str]] = []
    first, second = estimate(study, progress=lambda done, total, what: seen.append((done, total, what)))
    assert seen == [(0, 1, "FactorDVAE on circles")]
    assert first.speed == second.speed
    assert first.speed is not None
    # at the least the products of six 1000-wide layers, forward (joint and shuffled) and backward, for 64 samples
    assert first.speed.flops > 2 * 64 * 3 * (2 * 1000 + 4 * 1000 * 1000)
    assert first.speed.member_bytes > 3 * 4 * 4 * 1000 * 1000  # its weights, twice more for Adam
    assert 0 < first.speed.seconds < 10


def test_own_images_that_are_not_there_are_not_stood_in_for() -> None:
    with pytest.raises(Error, match=r"none\.npz") as caught:
        measure_speed(Config("none.npz", "vae"))
    assert "twin" not in str(caught.value)


def test_work_and_words(tiny: Study) -> None:
    vae, dvae = plan(tiny)
    assert work(vae) == work(dvae) == 8
    assert duration(42.0) == "42 s"
    assert duration(90 * 3600.0) == "3.8 days"


def test_a_table_on_the_host_is_measured_like_any_other(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images)
    options = {"image_size": 16, "resident": "host"}
    config = Config(str(tmp_path / "mine.npz"), "vae", architecture="mlp", num_latents=2, data_options=options)
    speed = measure_speed(config)
    assert 0 < speed.seconds < 10
    assert speed.flops > 0


def test_other_networks_are_measured_on_their_own(tiny: Study) -> None:
    kinds = [
        estimates._kind(plan(dataclasses.replace(tiny, training={**tiny.training, **options}))[0])
        for options in ({}, {"steps": 9}, {"learning_rate": 0.1}, {"width": 8}, {"depth": 1}, {"batch_size": 4})
    ]
    assert kinds[0] == kinds[1] == kinds[2]
    assert len(set(kinds)) == 4
