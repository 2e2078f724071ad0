"""How fast the rendered twins draw, and what that costs a training step.

    python benchmarks/twins.py [--seconds 5] [--out benchmarks/results/twins.csv]

Draws random batches of 64 in a compiled program, as a training step does. Two rates: by the clock, which suffers when
other programs run; and by the processor time used, as images a second that the given number of cores would draw.
The table's rate is that of gathering rows of a uint8 table of the same images (factors drawn the same way), for
comparison. About two minutes on two cores; expected there: 9,000 images/s or more for each twin.
"""

import argparse
import csv
import os
import resource
import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp

from factorgrid.datasets import load
from factorgrid.datasets.dataset import Dataset, sample_factors

TWINS = ("shapes3d_twin", "mpi3d_toy_twin", "cars3d_twin", "smallnorb_twin")
BATCH = 64
TABLE_ROWS = 17568  # as many as Cars3D has images: 216 MB, beyond any cache
STEP_SECONDS = 0.1  # of a D-VAE training step of 64 images on two cores, without drawing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="to draw for, per twin")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "twins.csv")
    arguments = parser.parse_args()
    rows = []
    for name in TWINS:
        start = time.perf_counter()
        twin = load(name)
        jax.block_until_ready(eqx.filter(twin, eqx.is_array))
        rows.append(
            {"program": name, "setup_s": round(time.perf_counter() - start, 2), **timed(twin, arguments.seconds)}
        )
        print(rows[-1], flush=True)
    rows.append({"program": "uint8 table", "setup_s": "", **timed_table(arguments.seconds)})
    print(rows[-1])
    with arguments.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def timed(twin: Dataset, seconds: float) -> dict[str, float]:
    draw = eqx.filter_jit(lambda twin, key: twin.sample(key, BATCH).images)
    return rates(lambda key: draw(twin, key), seconds)


def timed_table(seconds: float) -> dict[str, float]:
    """A table of Cars3D's size, gathered and made float as a `Table` does."""
    space = load("cars3d_twin").space
    assert space is not None
    table = jax.random.bits(jax.random.key(0), (TABLE_ROWS, 64, 64, 3), jnp.uint8)

    @jax.jit
    def draw(table: jax.Array, key: jax.Array) -> jax.Array:
        return table[space.index(sample_factors(key, space, BATCH))].astype(jnp.float32) / 255

    return rates(lambda key: draw(table, key), seconds)


def rates(draw, seconds: float) -> dict[str, float]:
    start = time.perf_counter()
    jax.block_until_ready(draw(jax.random.key(0)))
    compile_seconds = time.perf_counter() - start
    batches, start, used = 0, time.perf_counter(), processor_seconds()
    while time.perf_counter() - start < seconds:
        jax.block_until_ready(draw(jax.random.key(batches)))
        batches += 1
    wall, used = time.perf_counter() - start, processor_seconds() - used
    cores = os.cpu_count() or 1
    images = batches * BATCH
    per_core_rate = images / used
    return {
        "compile_s": round(compile_seconds, 2),
        "images_per_s_clock": round(images / wall),
        "images_per_s_processor": round(cores * per_core_rate),
        "cores": cores,
        "share_of_step_percent": round(100 * BATCH / (cores * per_core_rate) / STEP_SECONDS, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
