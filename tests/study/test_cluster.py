"""Studies on Ray: a real cluster of several nodes, one of which is killed; and what is said without one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from factorgrid.errors import Error
from factorgrid.study import Study, StudyFolder, cluster
from factorgrid.study.cluster import run_on_cluster
from factorgrid.study.outcomes import COLUMNS
from factorgrid.study.planning import PlannedGroup

ROOT = Path(__file__).parents[2]


def test_a_node_is_killed_and_nothing_is_lost_or_counted_twice(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed (pip install factorgrid[ray])")
    script = ROOT / "studies" / "ray_node_loss.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(tmp_path), "--steps", "500", "--groups", "2"],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "its node is killed" in done.stdout
    assert "2 groups done" in done.stdout
    assert "none twice" in done.stdout


def test_a_task_leaves_a_claimed_group_alone_and_does_not_do_it_twice(
    tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run_group(folder: StudyFolder, group: PlannedGroup, *_: Any, **__: Any) -> bool:
        ran.append(group.name)
        assert folder.marked(group) is not None
        folder.write_result(group, pd.DataFrame(columns=list(COLUMNS)))
        folder.unmark(group)
        return True

    monkeypatch.setattr(cluster, "run_group", run_group)
    monkeypatch.setattr(cluster, "STALE_SECONDS", 0.0)
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.01)
    folder = StudyFolder.create(tmp_path, tiny)
    (group, *_) = folder.groups
    assert folder.claim(group)  # another process has been quicker
    assert cluster._run_remotely(str(tmp_path), group.name) == f"{group.name}: another process is at it"
    assert ran == []
    folder.unmark(group)
    assert cluster._run_remotely(str(tmp_path), group.name) == ""
    assert cluster._run_remotely(str(tmp_path), group.name) == f"{group.name}: was done already"
    assert ran == [group.name]
    assert folder.marked(group) is None


def test_ray_that_is_not_installed(tiny: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Error, match=r"Ray is not installed in .*; run: pip install 'factorgrid\[ray\]'"):
        run_on_cluster(tiny, tmp_path / "out")


@pytest.mark.parametrize(
    ("asked", "message"), [({"gpus": 2.0}, "no node .* has 2 GPUs; .* is 1"), ({"cpus": 9.0}, "9 cores")]
)
def test_what_no_node_has_is_refused(asked: dict[str, float], message: str) -> None:
    class Ray:
        @staticmethod
        def nodes() -> list[dict[str, Any]]:
            return [{"Alive": True, "Resources": {"CPU": 4.0, "GPU": 1.0}}]

    with pytest.raises(Error, match=message):
        cluster._resources(Ray, **{"cpus": None, "gpus": None, **asked})
    assert cluster._resources(Ray, None, None) == {"num_cpus": 1.0, "num_gpus": 1.0}
