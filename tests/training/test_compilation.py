"""Compiled programs are kept between processes, and forgotten before Linux refuses a process more memory maps."""

from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from factorgrid.training import compilation
from factorgrid.training.compilation import LEAST_TIME, compiler_options, make_room

FOLDER = "jax_compilation_cache_dir"


def compiled() -> jax.stages.Wrapped:
    program = jax.jit(lambda x: jnp.sin(x) @ x)
    program(jnp.ones((3, 3)))
    return program


def test_options_are_those_that_xla_knows_and_nobody_has_set(monkeypatch: pytest.MonkeyPatch) -> None:
    options_of = compiler_options.__wrapped__
    monkeypatch.delenv("XLA_FLAGS")
    assert options_of("bfloat16") == compilation.QUICKLY
    assert float(jax.jit(jnp.sin, compiler_options=options_of("float32"))(0.0)) == 0.0
    monkeypatch.setattr(compilation, "WITHOUT_YNNPACK", {"xla_cpu_no_such_thing": 1})
    assert options_of("float32") == compilation.QUICKLY
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=3")
    assert options_of("float32") == {}


@pytest.mark.skipif(not compilation.MAX_MAPS.exists(), reason="only Linux limits the memory maps of a process")
def test_programs_are_forgotten_only_when_room_gets_short() -> None:
    program = compiled()
    make_room(share=1.0)
    assert program._cache_size() == 1
    make_room(share=0.0)
    assert program._cache_size() == 0
    assert float(program(jnp.zeros((3, 3))).sum()) == 0.0


def test_nothing_is_forgotten_where_maps_cannot_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "MAPS", tmp_path / "maps")
    program = compiled()
    make_room(share=0.0)
    assert program._cache_size() == 1


@pytest.fixture
def jax_settings() -> Iterator[None]:
    """What JAX was told of its cache is told again afterwards."""
    kept = {name: getattr(jax.config, name) for name in (FOLDER, LEAST_TIME)}
    jax.config.update(FOLDER, None)
    jax.config.update(LEAST_TIME, 1.0)
    yield
    for name, value in kept.items():
        jax.config.update(name, value)


@pytest.mark.usefixtures("jax_settings")
def test_every_program_is_kept_where_the_user_has_not_said_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(compilation.CACHE_VARIABLE, "")
    compilation.enable_cache()
    assert getattr(jax.config, FOLDER) is None
    monkeypatch.setenv(compilation.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.delenv(LEAST_TIME.upper(), raising=False)
    compilation.enable_cache()
    assert (getattr(jax.config, FOLDER), getattr(jax.config, LEAST_TIME)) == (str(tmp_path / "programs"), 0.0)


@pytest.mark.usefixtures("jax_settings")
def test_the_users_own_settings_of_the_cache_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compilation.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setenv(LEAST_TIME.upper(), "1")
    compilation.enable_cache()
    assert getattr(jax.config, LEAST_TIME) == 1.0
    jax.config.update(FOLDER, "theirs")
    compilation.enable_cache()
    assert getattr(jax.config, FOLDER) == "theirs"
