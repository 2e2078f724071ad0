"""Every test runs on the CPU, draws to files, keeps compiled programs in the checkout, never converts numbers in
silence, and shares one tiny trained run. Programs are compiled without optimisation and by XLA's older emitters, in
half of the time: the tests compile far longer than they compute."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0"  # and older emitters where XLA has them: it ends the process at unknown flags
    + (" --xla_cpu_use_fusion_emitters=false" if version("jaxlib").startswith("0.10.") else ""),
)
os.environ["FACTORGRID_CACHE"] = str(Path(__file__).parents[1] / ".cache")  # not the user's own

import jax
import pytest

import factorgrid as fg
from factorgrid.training import Config, Run, train
from factorgrid.training.compilation import enable_cache, make_room

jax.config.update("jax_numpy_dtype_promotion", "strict")
enable_cache()


@pytest.fixture(autouse=True, scope="module")
def room_for_programs() -> Iterator[None]:
    """Most tests compile programs that no other one uses."""
    yield
    make_room(share=0.3)


@pytest.fixture(scope="session")
def tiny_config() -> Config:
    """The smallest group worth training: two D-VAEs on 32 x 32 circles."""
    return Config(
        data="circles",
        model="dvae",
        seeds=(0, 1),
        steps=20,
        architecture="mlp",
        width=32,
        num_latents=2,
        num_categories=8,
        learning_rate=1e-3,
        data_options={"image_size": 32},
    )


@pytest.fixture(scope="session")
def tiny_run(tiny_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """That group, trained and scored. Read only."""
    run = train(tiny_config, tmp_path_factory.mktemp("tiny") / "run", quiet=True)
    fg.evaluate(run, counts=fg.metrics.QUICK, gap_batches=2, jobs=1)
    return run
