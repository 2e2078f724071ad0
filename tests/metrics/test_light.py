"""Whoever only scores waits for nothing that trains or draws: checked in processes of their own."""

import subprocess
import sys

import pytest

HEAVY = ("jax", "jaxlib", "equinox", "optax", "matplotlib", "seaborn", "torch", "tyro", "h5py", "lightgbm")


@pytest.mark.parametrize(
    "code",
    [
        "import factorgrid",
        "import factorgrid.metrics",
        "import factorgrid as fg, numpy as np\n"
        "grid = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)\n"
        "assert fg.score(grid.astype(float), grid, ('mig', 'sap', 'modularity'))['mig'] == 1.0",
    ],
)
def test_nothing_heavy_is_imported(code):
    check = f"{code}\nimport sys\nloaded = [name for name in {HEAVY} if name in sys.modules]\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-W", "error", "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_names_that_are_loaded_when_asked_for():
    import factorgrid as fg

    assert callable(fg.score)
    assert fg.metrics.mig is not fg.score
    with pytest.raises(AttributeError, match="scroe"):
        _ = fg.scroe
