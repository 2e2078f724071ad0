"""The cache of compiled programs that processes share."""

import contextlib
import os
from pathlib import Path

import jax

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
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        folder = (Path(named) if named else _user_cache() / "factorgrid") / "programs"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            jax.config.update("jax_compilation_cache_dir", str(folder))


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
