"""How programs are compiled: the cache that processes share, and options that were measured to pay."""

import contextlib
import functools
import os
from pathlib import Path

import jax
import pooch

CACHE_VARIABLE = "FACTORGRID_CACHE"


def enable_cache() -> None:
    """Keep compiled programs between processes, in the folder that FACTORGRID_CACHE names or the user's cache.

    JAX's own settings go before ours (JAX_COMPILATION_CACHE_DIR, jax_enable_compilation_cache); FACTORGRID_CACHE=""
    keeps nothing. A folder that cannot be written costs nothing but the compilation.
    """
    if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return
    named = os.environ.get(CACHE_VARIABLE)
    if named == "":
        return
    folder = Path(named or pooch.os_cache("factorgrid")) / "programs"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            jax.config.update("jax_compilation_cache_dir", str(folder))


@functools.cache
def compiler_options() -> dict[str, str]:
    """Options for the programs that train.

    On CPUs XLA may hand products and reductions to a library (YNNPACK) that is slower than XLA's own ones on ours,
    by a tenth of a training step; see docs/speed.md. Versions that do not know the option get none.
    """
    if jax.default_backend() != "cpu":
        return {}
    options = {"xla_cpu_experimental_ynn_fusion_type": ""}
    try:
        jax.jit(lambda x: x + 1, compiler_options=options).lower(0.0).compile()
    except Exception:  # jaxlib has no class of its own for an unknown option
        return {}
    return options
