"""Studies on Ray: a real cluster of several nodes, one of which is killed; and what is said without one."""

import subprocess
import sys
from pathlib import Path

import pytest

from factorgrid.errors import Error
from factorgrid.study import Study
from factorgrid.study.cluster import run_on_cluster

ROOT = Path(__file__).parents[2]


def test_a_node_is_killed_and_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (pip install factorgrid[ray])")
    script = ROOT / "studies" / "ray_node_loss.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(tmp_path)], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "its node is killed" in done.stdout
    assert "4 groups done" in done.stdout
    assert "none twice" in done.stdout


def test_ray_that_is_not_installed(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Error, match=r"Ray is not installed in .*; run: pip install 'factorgrid\[ray\]'"):
        run_on_cluster(tiny, tmp_path / "out")
