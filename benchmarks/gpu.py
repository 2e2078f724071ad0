"""Groups of D-VAEs on one GPU: members a second, memory and precision against the size of the group.

    python benchmarks/gpu.py                    # about 8 minutes; the same command goes on where it stopped
    python benchmarks/gpu.py --members 2 --seconds 3 --out /tmp/trial   # a trial, on any device

Every row is written as soon as it is measured, to benchmarks/results/gpu.json and gpu.md; rows that are there already
are not measured again, and none is begun after eight minutes. A row trains for some seconds on `dsprites_twin`,
images drawn on the device, and reports model steps a second, minutes for 300,000 steps of the whole group, seconds
a model, models an hour against one model at a time, and the memory that the compiler and the device report.
Goal: 50 D-VAEs in 25 minutes, 30 s a model, at least 20 times the models an hour of one at a time.
`drawing` is the time of a twin's batch, to be compared with a step (goal: a fifth of one).
`quality` trains the same seeds in each precision and compares losses: the check behind the default.
"""

import argparse
import datetime
import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from factorgrid import datasets
from factorgrid.config import Config
from factorgrid.layers.product import PRECISIONS
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.memory import group_bytes, largest_group
from factorgrid.training.state import initial_state
from factorgrid.training.step import advance

LIMIT = 480.0
STEPS = 300_000
QUALITY_STEPS = 2_000
TWINS = ("dsprites_twin", "shapes3d_twin", "mpi3d_toy_twin", "cars3d_twin", "smallnorb_twin")


def setting(model, members, precision):
    data = datasets.load("dsprites_twin")
    config = Config(data="dsprites_twin", model=model, seeds=tuple(range(members)), precision=precision)
    return data, make_group(config, Shapes.of(data))


def measured(model, members, precision, seconds):
    """One row of the table."""
    data, group = setting(model, members, precision)
    began = time.monotonic()
    state, terms = advance(initial_state(group), group, data, None, jnp.asarray(1, jnp.int32))
    jax.block_until_ready(terms)
    first = time.monotonic() - began
    num_steps, rates = 2, []
    while sum(taken for _, taken in rates) < seconds:
        began = time.monotonic()
        state, terms = advance(state, group, data, None, jnp.asarray(num_steps, jnp.int32))
        loss = np.asarray(terms["loss"])
        rates.append((num_steps, time.monotonic() - began))
        num_steps = max(1, int(num_steps * min(4.0, 0.2 * seconds / rates[-1][1])))
    rate = float(np.median([steps / taken for steps, taken in rates[len(rates) // 3 :]]))
    stats = jax.local_devices()[0].memory_stats() or {}
    return {
        "steps_per_second": rate,
        "member_steps_per_second": rate * members,
        "group_minutes": STEPS / rate / 60,
        "seconds_per_model": STEPS / rate / members,
        "first_call_seconds": first,
        "peak_bytes": stats.get("peak_bytes_in_use"),
        "finite": bool(np.isfinite(loss).all()),
    }


def quality(precision, members=8):
    """Mean loss of the last tenth of a short training of the same seeds."""
    data, group = setting("dvae", members, precision)
    state, _ = advance(initial_state(group), group, data, None, jnp.asarray(QUALITY_STEPS * 9 // 10, jnp.int32))
    _, terms = advance(state, group, data, None, jnp.asarray(QUALITY_STEPS // 10, jnp.int32))
    losses = np.asarray(terms["loss"], np.float64)
    return {"loss": losses.tolist(), "mean": losses.mean(), "standard_error": losses.std() / len(losses) ** 0.5}


def drawing(name, num_batches=256):
    """Milliseconds to draw one batch: what the twin adds to a step of the whole group, whose members share batches."""
    data = datasets.load(name)

    @jax.jit
    def draw(data, key):
        def body(index, total):
            return total + data.sample(jax.random.fold_in(key, index), 64).images.sum()

        return jax.lax.fori_loop(0, num_batches, body, 0.0)

    jax.block_until_ready(draw(data, jax.random.key(0)))
    seconds = []
    for index in range(5):
        began = time.monotonic()
        jax.block_until_ready(draw(data, jax.random.key(index)))
        seconds.append(time.monotonic() - began)
    return {"milliseconds_per_batch": 1e3 * float(np.median(seconds)) / num_batches}


def memory(model):
    sizes = {
        members: group_bytes(setting(model, members, "tf32")[1], datasets.load("dsprites_twin")) for members in (1, 3)
    }
    stats = jax.local_devices()[0].memory_stats() or {}
    limit = stats.get("bytes_limit")
    fits = largest_group((1, sizes[1]), (3, sizes[3]), int(0.9 * limit)) if limit else None
    return {
        "bytes": sizes,
        "bytes_per_member": (sizes[3] - sizes[1]) // 2,
        "bytes_limit": limit,
        "members_that_fit": fits,
    }


def table(result):
    lines = [
        "# Groups on one device",
        "",
        f"{result['date']}, {result['device']}, jax {result['jax']}. Batch 64, 64 x 64 x 1, 300,000 steps.",
        "",
        "| model | precision | members | steps/s | member steps/s | seconds a model | models/hour, vs one |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = result["rows"]
    for name, row in rows.items():
        kind, *rest = name.split(" ")
        if kind != "rate" or "error" in row:
            continue
        model, precision, members = rest
        alone = rows.get(f"rate {model} {precision} 1", {}).get("seconds_per_model")
        ratio = f"{alone / row['seconds_per_model']:.1f} x" if alone else ""
        lines.append(
            f"| {model} | {precision} | {members} | {row['steps_per_second']:.1f} | "
            f"{row['member_steps_per_second']:.0f} | {row['seconds_per_model']:.1f} | {ratio} |"
        )
    lines.append("")
    lines += [f"* {name}: {json.dumps(row)}" for name, row in rows.items() if not name.startswith("rate")]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, nargs="+", default=[1, 50, 10, 25, 100])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "results")
    options = parser.parse_args()
    began = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "gpu.json"
    device = jax.local_devices()[0].device_kind
    result = json.loads(path.read_text()) if path.exists() else {"device": device, "rows": {}}
    if result["device"] != device:
        sys.exit(f"{path} was measured on {result['device']}, this is {device}; give another --out")
    result |= {"date": datetime.date.today().isoformat(), "jax": jax.__version__}
    work = {f"rate dvae tf32 {m}": lambda m=m: measured("dvae", m, "tf32", options.seconds) for m in options.members}
    work["memory dvae"] = lambda: memory("dvae")
    most = max(m for m in options.members if m <= 50)
    for precision in ("bfloat16", "float32"):
        work[f"rate dvae {precision} {most}"] = lambda p=precision: measured("dvae", most, p, options.seconds)
    work |= {f"drawing {name}": lambda name=name: drawing(name) for name in TWINS}
    work |= {f"quality {p}": lambda p=p: quality(p) for p in PRECISIONS}
    for m in (1, most):
        work[f"rate factor_dvae tf32 {m}"] = lambda m=m: measured("factor_dvae", m, "tf32", options.seconds)
    for name, measure in work.items():
        if name in result["rows"] or time.monotonic() - began > LIMIT:
            continue
        try:
            row = measure()
        except Exception as problem:  # out of memory: the row says so and the rest goes on
            row = {"error": str(problem).splitlines()[0][:200]}
        result["rows"][name] = row
        path.write_text(json.dumps(result, indent=1) + "\n")
        (options.out / "gpu.md").write_text(table(result))
        print(name, json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
