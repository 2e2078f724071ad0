"""Compiled programs are forgotten before Linux refuses a process more memory maps."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from factorgrid.training import compilation
from factorgrid.training.compilation import compiler_options, make_room


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
