"""Compiled programs: the cache that processes share, and room for the next ones in this process."""

import contextlib
import functools
import os
from pathlib import Path
from typing import Any

import jax

CACHE_VARIABLE, LEAST_TIME = "FACTORGRID_CACHE", "jax_persistent_cache_min_compile_time_secs"
# Every program is kept, however quickly it was compiled (seconds). JAX's own least time of a second leaves out what
# scoring and drawing compile: some hundred programs of less than a tenth of a second each.
LEAST_SECONDS = 0.0
# LLVM's level 1: programs run as fast as at XLA's own level or faster (measured, docs/speed.md), and are there sooner.
QUICKLY: dict[str, Any] = {"xla_backend_optimization_level": 1}
# YNNPACK, which pays for products of sixteen bits, and not for those of thirty-two (measured there too).
WITHOUT_YNNPACK = {"xla_cpu_experimental_ynn_fusion_type": ""}
MAPS, MAX_MAPS = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")


@functools.cache
def compiler_options(precision: str) -> dict[str, Any]:
    """What XLA is told of a training program.

    Args:
        precision: of the program's products, a name of `PRECISIONS`.

    Returns:
        On a CPU, those of the two above that this version of XLA knows and XLA_FLAGS does not name; elsewhere nothing.
    """
    if jax.default_backend() != "cpu":
        return {}
    wanted = QUICKLY if precision == "bfloat16" else {**QUICKLY, **WITHOUT_YNNPACK}
    named = os.environ.get("XLA_FLAGS", "")
    return {name: value for name, value in wanted.items() if name not in named and _is_known({name: value})}


def enable_cache() -> None:
    """Keep compiled programs between processes, in the folder that FACTORGRID_CACHE names or the user's cache.

    JAX's own settings go before ours (JAX_COMPILATION_CACHE_DIR, jax_enable_compilation_cache and
    JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS); FACTORGRID_CACHE="" keeps nothing. A folder that cannot be written
    costs nothing but the compilation.
    """
    if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return
    named = os.environ.get(CACHE_VARIABLE)
    if named == "":
        return
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        folder = (Path(named) if named else _user_cache() / "factorgrid") / "programs"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            jax.config.update("jax_compilation_cache_dir", str(folder))
            if LEAST_TIME.upper() not in os.environ:
                jax.config.update(LEAST_TIME, LEAST_SECONDS)


def make_room(share: float = 0.5) -> None:
    """Forget every compiled program once this process has used up that share of the memory maps that Linux allows it.

    A compiled program holds some maps, a trained and scored run about 900 of the usual 65,530, and the program that
    gets none ends the process (a crash within LLVM). What is forgotten is compiled or read again when it is needed.
    Without Linux nothing is done.
    """
    with contextlib.suppress(OSError, ValueError):
        if MAPS.read_bytes().count(b"\n") > share * int(MAX_MAPS.read_text()):
            jax.clear_caches()


def _is_known(option: dict[str, Any]) -> bool:
    try:
        jax.jit(lambda: 0.0, compiler_options=option).lower().compile()
    except jax.errors.JaxRuntimeError:  # no such option
        return False
    return True


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
