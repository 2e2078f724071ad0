"""Training steps of factorgrid beside PyTorch, disent and plain JAX: one command, one run.

    python benchmarks/training.py                  # all cores, about 10 minutes
    python benchmarks/training.py --cores 1        # one core: what a step costs whatever else the machine does
    python benchmarks/training.py --torch PYTHON   # an environment that has torch (and disent) already; for disent 0.9
                                                   # one of Python 3.12
    python benchmarks/training.py --rows "broadcast 64 64"   # some rows only; the others stay as the file has them

Needs network access once: `pip install torch` and `pip install disent` into an environment of its own below the
user's cache folder. What cannot be installed is left out, with the reason.

Every contender is a process of its own, kept waiting while others run; rounds go from one to the next, so that a
busy minute of the machine meets all of them. Batch 64, images 64 x 64 x 1, Adam, the paper's networks, float32; the
rows "METHOD bfloat16" are our `precision="bfloat16"` beside torch with autocast:

* factorgrid: the trainer as `factorgrid train` runs it, drawing images included, 1 or 5 members;
* torch eager, torch.compile: benchmarks/rivals.py;
* disent: its own beta-VAE with its own 64 x 64 networks (Gaussian latent; all kernels 4 x 4);
* jax lax: our model and optimiser with `lax` convolutions and a Python loop with a compiled step.

The rows "broadcast SIZE WIDTH" are one forward and backward pass of the broadcast decoder of the paper's Circles
network (two latents, batch 64, images of SIZE x SIZE x 1, WIDTH channels), without optimiser and encoder; ours in a
compiled loop with the trainer's compiler options, as it takes its steps, the others one call a pass.

Milliseconds for one step of one member: median over rounds (quartiles), and processor time, which other programs on
the machine change little: on a busy machine look at processor time only. Written to
benchmarks/results/training_PROCESSOR.md and .json.
"""

import argparse
import datetime
import functools
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
RESULTS = HERE.parent / "results"
METHODS = ("dvae", "factor_dvae", "dvae bfloat16", "factor_dvae bfloat16", "broadcast 64 64", "broadcast 32 32")
ROUNDS, SECONDS = 7, 1.0
CONTENDERS = ("factorgrid 1", "factorgrid 5", "torch eager", "torch.compile", "disent", "jax lax")


# ---------------------------------------------------------------------------------------------- in a worker process


def worker(contender, method, images_path):
    """Reads a number of steps a line; answers [seconds, processor seconds]; first line: what it knows of itself."""
    name, _, members = contender.partition(" ")
    began = time.perf_counter()
    if method.startswith("broadcast") and contender in ("factorgrid 1", "jax lax"):
        steps, info = decoder_passes(*map(int, method.split()[1:]), plain=contender == "jax lax")
    elif method.startswith("broadcast") and name == "factorgrid":
        raise RuntimeError("one decoder only")
    elif name == "factorgrid":
        steps, info = factorgrid_steps(method, int(members))
    elif contender == "jax lax":
        steps, info = lax_steps(method)
    else:
        sys.path.insert(0, str(HERE.parent))
        import rivals
        import torch

        one = rivals.make("torch.compile" if contender == "torch.compile" else name, method, np.load(images_path))
        steps, info = (lambda n: [one() for _ in range(n)][-1].item()), {"torch": torch.__version__}
        if name == "disent":
            info["disent"] = importlib.metadata.version("disent")
    steps(1)
    print(json.dumps({"first_seconds": time.perf_counter() - began, **info}), flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        steps(int(line))
        print(json.dumps([time.perf_counter() - wall, time.process_time() - processor]), flush=True)


def fresh(method, members):
    from factorgrid import datasets
    from factorgrid.config import Config
    from factorgrid.training.groups import Shapes, make_group
    from factorgrid.training.state import initial_state

    data = datasets.load("dsprites_twin")
    model, _, precision = method.partition(" ")
    config = Config(data="dsprites_twin", model=model, seeds=tuple(range(members)), precision=precision or "tf32")
    group = make_group(config, Shapes.of(data))
    return data, group, initial_state(group)


def factorgrid_steps(method, members):
    import jax
    import jax.numpy as jnp

    from factorgrid.training.step import advance, program

    data, group, state = fresh(method, members)
    abstract = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), (state, group, data))
    number = jax.ShapeDtypeStruct((), jnp.int32)
    compiled = program(group).lower(*abstract, None, number).compile()
    memory = compiled.memory_analysis()
    box = [state]

    def steps(n):
        box[0], terms = advance(box[0], group, data, None, jnp.asarray(n, jnp.int32))
        jax.block_until_ready(terms)

    counted = compiled.cost_analysis()["bytes accessed"]  # the loop's body once: one step
    return steps, {
        "jax": jax.__version__,
        "temporary_bytes": memory.temp_size_in_bytes,
        "bytes_of_step": counted / members,
    }


def lax_steps(method):
    """The same networks through `lax` convolutions, one compiled step a call."""
    if method.endswith("bfloat16"):
        raise RuntimeError("measured in float32 only")
    import jax
    import jax.numpy as jnp

    from factorgrid.models.convolutional import ConvDecoder, ConvEncoder
    from factorgrid.training import step as training_step

    layout = ("NHWC", "HWIO", "NHWC")

    def encode(self, images):
        x = images
        for layer in self.convolutions:
            x = jax.lax.conv_general_dilated(x, layer.weight, (2, 2), "SAME", dimension_numbers=layout) + layer.bias
            x = jax.nn.relu(x)
        return self.output(jax.nn.relu(self.hidden(x.reshape(len(x), -1))))

    def decode(self, latents):
        x = latents
        for layer in self.hidden:
            x = jax.nn.relu(layer(x))
        x = x.reshape(len(x), 4, 4, 64)
        for i, layer in enumerate(self.deconvolutions):
            x = jax.lax.conv_transpose(x, layer.weight, (2, 2), "SAME", dimension_numbers=layout) + layer.bias
            x = jax.nn.relu(x) if i < 3 else x
        return x

    def alone(fn, members):  # without the loop over members, in which XLA's convolutions are ten times slower still
        return jax.tree.map(lambda leaf: leaf[None], fn(*jax.tree.map(lambda leaf: leaf[0], members)))

    training_step.each_member = alone
    ConvEncoder.__call__, ConvDecoder.__call__ = encode, decode
    data, group, state = fresh(method, 1)
    box = [state]
    draw = jax.jit(lambda step: training_step.views_of(group, data, step, 0))
    step = jax.jit(lambda state, images: training_step.group_step(state, group, images, None), donate_argnums=0)

    def steps(n):
        for _ in range(n):
            box[0], terms = step(box[0], draw(box[0].step))
            float(terms["loss"][0])  # as a script that logs its loss does

    return steps, {"jax": jax.__version__, "jnp": jnp.float32.__name__}


def decoder_passes(size, width, *, plain):
    """Forward and backward passes of the broadcast decoder; `plain`: tiled latents and `lax` convolutions."""
    import jax
    import jax.numpy as jnp

    from factorgrid.layers import INITIALIZERS
    from factorgrid.models.broadcast import BroadcastDecoder
    from factorgrid.training.compilation import compiler_options

    decoder = BroadcastDecoder(
        2, (size, size, 1), width=width, init=INITIALIZERS["truncated_normal"], key=jax.random.key(0)
    )
    latents = jax.random.normal(jax.random.key(1), (64, 2))
    line = jnp.linspace(-1.0, 1.0, size)
    coordinates = jnp.broadcast_to(jnp.stack(jnp.meshgrid(line, line), axis=-1), (64, size, size, 2))

    def by_lax(decoder, latents):
        x = jnp.concatenate([jnp.broadcast_to(latents[:, None, None], (64, size, size, 2)), coordinates], axis=-1)
        for i, layer in enumerate(decoder.convolutions):
            x = jax.nn.relu(x) if i else x
            layout = ("NHWC", "HWIO", "NHWC")
            x = layer.bias + jax.lax.conv_general_dilated(x, layer.weight, (1, 1), "SAME", dimension_numbers=layout)
        return x

    def loss(both):
        decoder, latents = both
        return jnp.mean(jnp.square(by_lax(decoder, latents) if plain else decoder(latents)))

    one = jax.jit(jax.grad(loss))

    @functools.partial(jax.jit, compiler_options=compiler_options("float32"))
    def loop(both, n):
        def body(_, both):  # a step downhill, so that no pass can be left out
            return jax.tree.map(lambda leaf, slope: leaf - 1e-3 * slope, both, one(both))

        return jax.lax.fori_loop(0, n, body, both)

    def steps(n):
        if not plain:
            jax.block_until_ready(loop((decoder, latents), n))
            return
        for _ in range(n):  # in a loop XLA's own convolutions are several times slower
            jax.block_until_ready(one((decoder, latents)))

    return steps, {"jax": jax.__version__}


# ------------------------------------------------------------------------------------------------ in the main process


class Worker:
    """A contender in its process, waiting."""

    def __init__(self, python, contender, method, images):
        command = [python, str(HERE), "--worker", contender, "--method", method, "--images", images]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read().strip().splitlines()[-1][:200])
        self.info = json.loads(line)

    def run(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read().strip().splitlines()[-1][:200])
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compete(method, pythons, images):
    """{contender: entry}; entries of those that cannot run have a reason instead."""
    workers, entries = {}, {}
    for contender in CONTENDERS:
        python = pythons["torch" if contender.startswith(("torch", "disent")) else "here"]
        try:
            if python is None:
                raise RuntimeError("torch could not be installed")
            workers[contender] = Worker(python, contender, method, images)
            workers[contender].run(2)
        except (RuntimeError, OSError) as reason:
            entries[contender] = {"left_out": str(reason)}
            print(f"  {method}, {contender}: left out, {reason}")
    counts = {name: max(2, int(SECONDS / (worker.run(3)[0] / 3))) for name, worker in workers.items()}
    times = {name: [] for name in workers}
    for number in range(ROUNDS):
        for name, worker in workers.items():
            members = int(name.split()[1]) if name.startswith("factorgrid") else 1
            wall, processor = worker.run(counts[name])
            per = 1e3 / counts[name] / members
            times[name].append((wall * per, processor * per))
        print(f"  {method}, round {number + 1} of {ROUNDS}, load {os.getloadavg()[0]:.1f}", flush=True)
    for name, worker in workers.items():
        worker.close()
        wall, processor = np.asarray(times[name]).T
        entries[name] = {
            "wall_ms": [round(float(v), 1) for v in np.percentile(wall, (50, 25, 75, 0))],
            "processor_ms": [round(float(v), 1) for v in np.percentile(processor, (50, 25, 75, 0))],
            "steps_a_round": counts[name],
            **worker.info,
        }
    return entries


def operations(method):
    """Floating-point operations of the products of one step of one member, forward and backward."""
    # rows x inner x columns; the first layer of each network needs no gradient of its input
    first = [(1024, 16, 32)]
    layers = [
        (256, 512, 32), (64, 128, 64), (16, 256, 64), (1, 1024, 256), (1, 256, 640),
        (1, 10, 256), (1, 256, 1024), (16, 64, 1024), (64, 64, 512), (256, 32, 512), (1024, 32, 16),
    ]  # fmt: skip
    total = 2 * 64 * (2 * sum(np.prod(s) for s in first) + 3 * sum(np.prod(s) for s in layers))
    if method.startswith("factor_dvae"):
        critic = 10 * 1000 + 5 * 1000 * 1000 + 1000 * 2
        total += 2 * 64 * critic * (2 + 2 * 3)  # the penalty's pass and its gradient; two batches to learn from
    return int(total)


def ceilings():
    """What the machine's cores do at best: a large product (GFLOP/s), and copying (GB/s)."""
    import jax
    import jax.numpy as jnp

    a = jax.random.normal(jax.random.key(0), (2048, 2048))
    many = jax.jit(lambda a: jax.lax.fori_loop(0, 4, lambda _, x: x @ a * 1e-3, a))
    copies = jax.jit(lambda x: jax.lax.fori_loop(0, 8, lambda _, x: x * 1.0001 + 1, x))
    x = jnp.ones(2**25)
    best = {}
    for name, fn, operand in (("product", many, a), ("copy", copies, x)):
        jax.block_until_ready(fn(operand))
        seconds = []
        for _ in range(12):
            began = time.perf_counter()
            jax.block_until_ready(fn(operand))
            seconds.append(time.perf_counter() - began)
        best[name] = min(seconds)
    return {"gflops": 4 * 2 * 2048**3 / best["product"] / 1e9, "copy_gb_s": 8 * 2 * x.nbytes / best["copy"] / 1e9}


def torch_python(given):
    """An interpreter with torch, and disent if it can be had; None if not even torch can."""
    if given:
        return given
    import pooch

    folder = Path(pooch.os_cache("factorgrid")) / "benchmark-training"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    for package in ("torch", "disent"):
        if subprocess.run([python, "-c", f"import {package}"], capture_output=True).returncode:
            print(f"installing {package} ...", flush=True)
            done = subprocess.run([python, "-m", "pip", "install", "-q", package, "numpy"], capture_output=True)
            if done.returncode and package == "torch":
                return None
    return str(python)


def against_ceilings(method, ours, result):
    """How near one member's step comes to what the machine can do."""
    if "bytes_of_step" not in ours:
        return []
    ceilings, milliseconds = result["ceilings"], ours["wall_ms"][0]
    flop = operations(method)
    rate, traffic = flop / milliseconds / 1e6, ours["bytes_of_step"] / milliseconds / 1e6
    return [
        f"One member of factorgrid. Products of a step: {flop / 1e9:.1f} GFLOP, {rate:.0f} GFLOP/s by the clock, "
        f"{rate / ceilings['gflops']:.0%} of the {ceilings['gflops']:.0f} that a large product reaches on "
        f"{result['hardware']['cores']} core(s). Operands and results of all its operations: "
        f"{ours['bytes_of_step'] / 1e9:.2f} GB, {traffic:.0f} GB/s, {traffic / ceilings['copy_gb_s']:.0%} of the "
        f"{ceilings['copy_gb_s']:.0f} of a large copy (above 100 %: caches). Temporaries "
        f"{ours['temporary_bytes'] / 1e6:.0f} MB; first step after {ours['first_seconds']:.1f} s, compilation "
        "included.",
        "",
    ]


def vector_extension():
    """The widest of the processor's vector instructions that products use: names of processors do not tell."""
    flags = set()
    if Path("/proc/cpuinfo").exists():
        flags = set(Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split())
    for name, flag in (("AMX", "amx_tile"), ("AVX-512", "avx512f"), ("AVX2", "avx2")):
        if flag in flags:
            return name
    return platform.machine()


def table(result):
    hardware = result["hardware"]
    lines = [
        "# Training steps",
        "",
        f"{result['date']}, {hardware['cpu']} ({hardware['vectors']}), {hardware['cores']} cores, "
        f"load of other programs {result['load'][0]:.1f} before and {result['load'][1]:.1f} after; "
        f"Python {hardware['python']}, "
        + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        + ".",
        "Milliseconds a step and member, batch 64, 64 x 64 x 1; ratio to the better of torch eager and torch.compile "
        "in processor time and in wall time.",
        "",
    ]
    for method, entries in result["methods"].items():
        rivals = [entries[name] for name in ("torch eager", "torch.compile") if "wall_ms" in entries.get(name, {})]
        lines += [
            f"## {method}",
            "",
            "| | wall, median (quartiles) | wall, best | processor, median (quartiles) | ratio wall | processor |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for name in CONTENDERS:
            entry = entries[name]
            if "left_out" in entry:
                lines.append(f"| {name} | left out: {entry['left_out']} | | | | |")
                continue
            ratios = [
                f"{entry[kind][0] / min(rival[kind][0] for rival in rivals):.2f}" if rivals else ""
                for kind in ("wall_ms", "processor_ms")
            ]
            wall, processor = entry["wall_ms"], entry["processor_ms"]
            lines.append(
                f"| {name} | {wall[0]} ({wall[1]}..{wall[2]}) | {wall[3]} | "
                f"{processor[0]} ({processor[1]}..{processor[2]}) | {ratios[0]} | {ratios[1]} |"
            )
        lines += ["", *against_ceilings(method, entries["factorgrid 1"], result)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int)
    parser.add_argument("--torch")
    parser.add_argument("--rows", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--worker")
    parser.add_argument("--method")
    parser.add_argument("--images")
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options.method, options.images)
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])  # inherited by the workers
    cores = len(os.sched_getaffinity(0))
    pythons = {"here": sys.executable, "torch": torch_python(options.torch)}
    load = [os.getloadavg()[0]]
    from factorgrid import datasets
    from factorgrid.training.provenance import processor

    with tempfile.TemporaryDirectory() as folder:
        images, _ = datasets.load("dsprites_twin").draw(4096, seed=0)
        path = f"{folder}/images.npy"
        np.save(path, np.round(255 * images[..., 0]).astype(np.uint8))
        measured = ceilings()
        methods = {method: compete(method, pythons, path) for method in options.rows}
    load.append(os.getloadavg()[0])
    first = next(iter(methods.values()))
    result = {
        "date": datetime.date.today().isoformat(),
        "hardware": {
            "cpu": processor(),
            "vectors": vector_extension(),
            "cores": cores,
            "python": platform.python_version(),
        },
        "versions": {
            "jax": first["factorgrid 1"]["jax"],
            **{
                package: first[contender][package]
                for package, contender in (("torch", "torch eager"), ("disent", "disent"))
                if package in first[contender]
            },
        },
        "load": load,
        "ceilings": {name: round(value, 1) for name, value in measured.items()},
        "methods": methods,
    }
    RESULTS.mkdir(exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "_", f"{processor()} {vector_extension()}".lower()).strip("_")
    path = RESULTS / (f"training_{name}_{cores}core.json" if options.cores else f"training_{name}.json")
    if path.exists() and set(methods) != set(METHODS):  # rows that were not asked for stay; the load is the highest
        old = json.loads(path.read_text())
        together = {**old["methods"], **methods}
        result["methods"] = {method: together[method] for method in METHODS if method in together}
        result["load"] = [max(pair) for pair in zip(old["load"], load)]
    path.write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".md").write_text(table(result) + "\n")
    print(table(result))
    return None


if __name__ == "__main__":
    sys.exit(main())
