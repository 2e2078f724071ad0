"""Training from a table on the host beside the same table on the device: how much of the rate is kept.

    python benchmarks/feeding.py [--images 480000] [--folder /tmp]

A table of 480,000 random images of 64 x 64 x 3 (5.9 GB, as Shapes3D) is written to a file, memory-mapped, trained on
through the feeder, and then from the device (on a CPU: from memory). Runs alternate. The file is removed afterwards.
Written to benchmarks/results/feeding.json. Expected: at least 90 %.
"""

import argparse
import datetime
import json
import os
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from factorgrid.config import Config
from factorgrid.datasets.index import index_labels
from factorgrid.datasets.table import Layout, make_table
from factorgrid.factors import FactorSpace
from factorgrid.training.groups import Shapes, make_group
from factorgrid.training.state import initial_state
from factorgrid.training.stepper import Stepper

SPACE = FactorSpace(("floor", "wall", "object", "scale", "shape", "orientation"), (10, 10, 10, 8, 4, 15))


def written(path, num_images):
    """A file of random pixels, in pieces."""
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, (num_images, 64, 64, 3))
    rng = np.random.default_rng(0)
    piece = rng.integers(0, 256, (4096, 64, 64, 3), dtype=np.uint8)
    for start in range(0, num_images, len(piece)):
        pixels[start : start + len(piece)] = np.roll(piece, start, axis=0)[: num_images - start]
    pixels.flush()


def rate(table, seconds):
    """Steps a second and processor seconds a step, after the compilation."""
    config = Config(data="shapes3d", model="dvae", steps=10_000)
    group = make_group(config, Shapes.of(table))
    state, step = initial_state(group), 0
    with Stepper(group, table, None, 0, 40) as stepper:
        for _ in range(2):
            state, count, _ = stepper.advance(state, step)
            step += count
        began, processor, first = time.monotonic(), time.process_time(), step
        while time.monotonic() - began < seconds:
            state, count, _ = stepper.advance(state, step)
            step += count
        return (step - first) / (time.monotonic() - began), (time.process_time() - processor) / (step - first)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=SPACE.num_points)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "table.npy"
        written(path, options.images)
        labels = SPACE.factors(np.arange(options.images))
        layout = Layout(index_labels(np.asarray(labels), SPACE), "random", (64, 64, 3))
        mapped = np.load(path, mmap_mode="r")
        tables = {
            "host": make_table(mapped, layout, resident="host"),
            "device": make_table(mapped, layout, resident="device"),
        }
        rates = {name: [] for name in tables}
        for _ in range(options.rounds):
            for name, table in tables.items():
                rates[name].append(rate(table, options.seconds))
                print(name, rates[name][-1], f"load {os.getloadavg()[0]:.1f}", flush=True)
    median = {name: np.median(np.asarray(values), axis=0) for name, values in rates.items()}
    result = {
        "date": datetime.date.today().isoformat(),
        "device": jax.local_devices()[0].device_kind,
        "jax": jax.__version__,
        "gigabytes": options.images * 64 * 64 * 3 / 1e9,
        "steps_per_second": {name: float(value[0]) for name, value in median.items()},
        "processor_seconds_per_step": {name: float(value[1]) for name, value in median.items()},
        "kept": float(median["host"][0] / median["device"][0]),
        "kept_by_processor_time": float(median["device"][1] / median["host"][1]),
    }
    (Path(__file__).resolve().parent / "results" / "feeding.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
