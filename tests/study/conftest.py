"""A study of seconds: two methods on small circles."""

from pathlib import Path

import pytest

from factorgrid.study import MethodEntry, Study
from factorgrid.study.definition import read_study

TINY = """
title = "Tiny"
data = ["circles"]
seeds = 2
metrics = ["mig", "st_gap"]

[training]
steps = 4
architecture = "mlp"
width = 32
num_latents = 2

[evaluation]
counts = "quick"
num_train = 50
num_test = 20
gap_batches = 2

[data_options.circles]
image_size = 8

[[methods]]
model = "vae"

[[methods]]
model = "dvae"
"""


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def tiny(tiny_file: Path) -> Study:
    return read_study(tiny_file)


@pytest.fixture
def entry() -> MethodEntry:
    return MethodEntry("D-VAE", "dvae")
