"""From studies to groups."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.study import MethodEntry, Study, load_study, plan


def test_a_small_method_is_one_group(tiny: Study) -> None:
    assert [(group.name, group.method, group.num_members) for group in plan(tiny)] == [
        ("circles-vae", "VAE", 2),
        ("circles-d-vae", "D-VAE", 2),
    ]


def test_large_methods_are_split_by_setting_and_seeds_stay_together(tiny: Study) -> None:
    entry = MethodEntry("FactorDVAE", "factor_dvae", seeds=(0, 1, 2), hyperparameters={"gamma": (10.0, 20.0)})
    study = dataclasses.replace(tiny, methods=(entry,), group_size=3)
    assert [(group.name, group.config.seeds) for group in plan(study)] == [
        ("circles-factordvae-gamma10", (0, 1, 2)),
        ("circles-factordvae-gamma20", (0, 1, 2)),
    ]
    study = dataclasses.replace(study, group_size=2)
    assert [(group.name, group.config.seeds) for group in plan(study)] == [
        ("circles-factordvae-gamma10-seeds0to1", (0, 1)),
        ("circles-factordvae-gamma10-seeds2to2", (2,)),
        ("circles-factordvae-gamma20-seeds0to1", (0, 1)),
        ("circles-factordvae-gamma20-seeds2to2", (2,)),
    ]


@pytest.mark.parametrize(
    ("name", "models"),
    [("paper-unsupervised", 7200), ("paper-semi-supervised", 5760), ("paper-circles", 100), ("paper-downstream", 1800)],
)
def test_the_papers_studies_have_as_many_models_as_the_paper(name: str, models: int) -> None:
    groups = plan(load_study(name))
    assert sum(group.num_members for group in groups) == models
    members = {
        (group.data, group.method, group.config.labels, m.name) for group in groups for m in group.config.members
    }
    assert len(members) == models  # none twice
    assert all(group.config.steps == 300_000 for group in groups)


def test_downstream_tasks_can_use_the_unsupervised_models() -> None:
    trained = {group.name: group.config for group in plan(load_study("paper-unsupervised"))}
    for group in plan(load_study("paper-downstream")):
        assert trained[group.name] == group.config


def test_names_are_unique(tiny: Study, entry: MethodEntry, tmp_path: Path) -> None:
    other = dataclasses.replace(entry, title="d_vae")  # another title, the same file name but for a letter
    assert len(plan(dataclasses.replace(tiny, methods=(entry, other)))) == 2
    other = dataclasses.replace(entry, title="d-vae")
    paths = [tmp_path / name / "images.npz" for name in "ab"]
    for path in paths:
        path.parent.mkdir()
        np.savez(path, images=np.zeros((2, 8, 8), np.uint8))
    with pytest.raises(Error, match=r"would be called 'images-vae'; rename .*a/images.npz or .*b/images.npz"):
        plan(dataclasses.replace(tiny, data=tuple(map(str, paths)), data_options={}))
    with pytest.raises(Error, match="would be called 'circles-d-vae'; change a method's title"):
        plan(dataclasses.replace(tiny, methods=(entry, other)))
