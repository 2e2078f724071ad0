"""A study on a Ray cluster of several nodes, one of which is killed in the middle of its group.

    pip install 'factorgrid[ray]'
    python studies/ray_node_loss.py [--out FOLDER] [--steps 1500] [--groups 4]

Starts a head and three nodes with a core each as processes of this machine, runs a study of a few small groups, kills
the node of a group that is in training, and checks that everything finishes and nothing is counted twice. About two
minutes on two idle cores. The log of one such run: studies/results/ray_node_loss.log.
"""

import argparse
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import ray
from ray.cluster_utils import Cluster
from rich.console import Console

from factorgrid.study import StudyFolder, outcome
from factorgrid.study.cluster import run_on_cluster
from factorgrid.study.definition import read_study

STUDY = """
title = "{groups} small groups"
data = ["circles"]
seeds = 2
group_size = 2
metrics = ["mig", "st_gap"]

[training]
steps = {steps}
architecture = "mlp"
num_latents = 2

[evaluation]
counts = "quick"
gap_batches = 2

[data_options.circles]
image_size = 8

[[methods]]
model = "beta_vae"
beta = {betas}

[[methods]]
model = "beta_dvae"
beta = {betas}
"""
began = time.monotonic()


def log(text: str) -> None:
    print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)


def kill_one(cluster: Cluster, folder: StudyFolder, nodes: list, killed: list[str]) -> None:
    """Wait until some node is training, and kill it."""
    while not killed:
        time.sleep(0.2)
        for group in folder.groups:
            mark = folder.marked(group)
            if mark is None or not mark["share"]:
                continue
            node = node_of(nodes, mark["pid"])
            if node is not None:
                log(f"{group.name} is at '{mark['what']}' in process {mark['pid']}: its node is killed")
                killed.append(group.name)
                cluster.remove_node(node, allow_graceful=False)
                return


def node_of(nodes: list, pid: int):
    """The node whose processes started that worker."""
    ancestors = set()
    while pid > 1:
        answer = subprocess.run(
            ["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        pid = int(answer) if answer.strip() else 0
        ancestors.add(pid)
    for node in nodes:
        if ancestors & {info.process.pid for infos in node.all_processes.values() for info in infos}:
            return node
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--groups", type=int, choices=(2, 4), default=4)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp(prefix="ray_node_loss_"))
    out.mkdir(parents=True, exist_ok=True)
    betas = [1, 2][: options.groups // 2]
    (out / "small.toml").write_text(STUDY.format(steps=options.steps, groups=options.groups, betas=betas))
    study = read_study(out / "small.toml")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
    ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
    log(f"a head and {len(nodes)} nodes with one core each; Ray {ray.__version__}")
    folder = StudyFolder.create(out / "study", study)
    killed: list[str] = []
    killer = threading.Thread(target=kill_one, args=(cluster, folder, nodes, killed), daemon=True)
    killer.start()
    run_on_cluster(study, folder.path, address=cluster.address, console=Console(width=150))
    killer.join(timeout=1)
    ray.shutdown()
    cluster.shutdown()

    found = outcome(folder.path)
    for group in found.groups:
        lost = "   (lost its node once)" if group.name in killed else ""
        log(f"{group.name}: {group.state}, {group.members} members {group.reason}{lost}")
    rows = found.table.groupby(["group", "member", "metric"]).size()
    assert killed, "no node was killed: the study was over too soon; give it more --steps"
    assert {group.state for group in found.groups} == {"done"}
    assert (rows == 1).all()
    assert found.table[found.table["metric"] == "mig"].groupby("group").size().tolist() == [2] * options.groups
    assert len(list((folder.path / "results").iterdir())) == options.groups
    log(f"{len(found.groups)} groups done, one of them ({killed[0]}) after its node was lost; "
        f"{len(rows)} scores, none twice")  # fmt: skip


if __name__ == "__main__":
    main()
