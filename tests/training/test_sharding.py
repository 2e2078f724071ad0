"""Several devices give what one gives. Devices are forced on the CPU, which takes a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.state import initial_state
from factorgrid.training.step import take_steps

SCRIPT = """
import dataclasses, json, sys
import jax, jax.numpy as jnp, numpy as np
from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.objectives.factor_vae import FactorVAE
from factorgrid.training.groups import Shapes, make_group, stack
from factorgrid.training.sharding import member_mesh
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance

data = datasets.load("circles", image_size=16)
result = {"mesh": [member_mesh(n).size for n in (1, 2, 6, 8, 13, 16)]}
for name, seed in (("shared", 0), ("own", None)):
    config = Config(
        data="circles", model="factor_dvae", seeds=(0, 1, 2, 3), hyperparameters={"gamma": (10.0, 30.0)}, steps=10,
        batch_size=4, architecture="mlp", num_latents=2, num_categories=4, data_seed=seed,
    )
    group = make_group(config, Shapes.of(data))
    narrow = stack([FactorVAE(gamma=gamma, width=32) for gamma in (10.0, 30.0) for _ in range(4)])
    group = dataclasses.replace(group, method=dataclasses.replace(group.method, objective=narrow))
    state, terms = advance(initial_state(group), group, data, None, jnp.asarray(3, jnp.int32))
    state, terms = advance(state, group, data, None, jnp.asarray(2, jnp.int32))
    leaves = jax.tree.leaves((state.params.model, state.params.critic))
    np.save(sys.argv[1] + name, np.concatenate([np.asarray(leaf).reshape(8, -1) for leaf in leaves], axis=1)[:, ::7])
    devices = len(leaves[0].sharding.device_set)
    result[name] = {"devices": devices, "loss": np.asarray(terms["loss"]).tolist(), "step": int(state.step)}
print(json.dumps(result))
"""


def test_members_at_once_equal_members_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accelerators batch the members' products, a CPU takes one after the other."""
    config = Config(
        data="circles", model="factor_dvae", seeds=(0, 1, 2), steps=10, batch_size=4, architecture="conv64",
        num_latents=2, num_categories=4,
    )  # fmt: skip
    data = datasets.load("circles")
    group = make_group(config, Shapes.of(data))
    results = {}
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        step = jax.jit(lambda state: take_steps(state, group, data, None, jnp.asarray(2, jnp.int32)))
        state, terms = step(initial_state(group))
        results[backend] = jax.tree.leaves(state.params.model), terms["loss"]
    np.testing.assert_allclose(results["gpu"][1], results["cpu"][1], rtol=1e-5)
    for at_once, in_turn in zip(results["gpu"][0], results["cpu"][0]):
        assert np.abs(np.asarray(at_once) - np.asarray(in_turn)).max() <= 2 * 2.1e-4  # see below


def trained_on(num_devices: int, folder: Path) -> dict:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={num_devices}"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", SCRIPT, f"{folder}/"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    for stream in ("shared", "own"):
        result[stream]["weights"] = np.load(folder / f"{stream}.npy")
    return result


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, dict]:
    return trained_on(1, tmp_path_factory.mktemp("one")), trained_on(8, tmp_path_factory.mktemp("eight"))


def test_as_many_devices_as_divide_the_members(runs: tuple[dict, dict]) -> None:
    one, eight = runs
    assert one["mesh"] == [1] * 6
    assert eight["mesh"] == [1, 2, 6, 8, 1, 8]


@pytest.mark.parametrize("stream", ["shared", "own"])
def test_eight_devices_equal_one(runs: tuple[dict, dict], stream: str) -> None:
    one, eight = (run[stream] for run in runs)
    assert (one["devices"], eight["devices"]) == (1, 8)
    assert one["step"] == eight["step"] == 5
    np.testing.assert_allclose(eight["loss"], one["loss"], rtol=1e-5)
    difference = np.abs(eight["weights"] - one["weights"])
    assert difference.shape[0] == 8
    # Adam's first steps are the sign of the gradient times 1e-4, so a weight whose gradient is rounding may move apart
    assert difference.max() <= 5 * 2.1e-4
    assert difference.mean() < 1e-6
