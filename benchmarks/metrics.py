"""Speed of the metrics beside disent and disentanglement_lib, and how well the fast DCI agrees with the exact one.

    python benchmarks/metrics.py                     # everything; 15 to 30 minutes
    python benchmarks/metrics.py speed               # the table of speeds only; 3 minutes
    python benchmarks/metrics.py agreement           # DCI: exact estimator against LightGBM only
    python benchmarks/metrics.py ranks               # how metrics rank models; half a minute
    python benchmarks/metrics.py million             # all quick metrics of a million codes; half a minute

Needs factorgrid with its extra `fast`, and network access once: the two libraries are installed from PyPI into an
environment of their own (~/.cache/factorgrid/benchmark-metrics, or --environment). disent depends on PyTorch, which
takes up to 6 GB on Linux. disentanglement_lib is installed without its dependencies: its metrics are NumPy and
scikit-learn, and only need a stand-in for gin, its configuration library.

What is compared: the same codes (a table of ten codes for every one of the 737,280 points of the dSprites grid), the
same published sample counts, NumPy and scikit-learn of the same versions, one thread each. Their "images" are the
indices of the points and their "encoder" looks the codes up, so that no image is ever rendered or encoded. Times are
processor seconds, the best of five runs, drawing the samples included; and for eight models at once, as a group is
scored, also by the clock on all cores. Written to benchmarks/results/metrics.md and metrics.json. Expected: about 20
times faster than disentanglement_lib and over 50 times faster than disent on what both have; LightGBM 10 times faster
or more than the exact trees.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
import types
import venv
import warnings
from pathlib import Path

import numpy as np

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

HERE = Path(__file__).resolve()
RESULTS = HERE.parent / "results"
SIZES = (3, 6, 40, 32, 32)
COARSE_SIZES = (3, 6, 10, 8, 8)  # for DCI, whose exact estimator takes an hour of the full grid
REPEATS = 5
NUM_MODELS = 8  # in the group that is scored by the clock
DOWNSTREAM = "downstream, logistic regression"  # takes seconds, and is not part of the sums
# rows of the table: our metrics, and who else has them
ROWS = {
    "BetaVAE score": ("beta_vae_score",),
    "FactorVAE score": ("factor_vae_score",),
    "MIG": ("mig",),
    "SAP": ("sap",),
    "modularity and explicitness": ("modularity", "explicitness"),
    "IRS": ("irs",),
    "unsupervised scores": (
        "gaussian_total_correlation",
        "wasserstein_correlation",
        "mutual_information_score",
    ),
}
RANKED = ("mig", "dci_forest.disentanglement", "explicitness.test")
LIBRARIES = ("disent", "disentanglement-lib")


def grid(sizes):
    """Factor values of every point, row-major."""
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def codes_of(sizes, *, num_latents=10, rotation=0.3, noise=0.1, seed=0):
    """Codes of every point: factors in [-1, 1], turned into each other by degrees, with noise, and noise codes."""
    rng = np.random.default_rng(seed)
    factors = grid(sizes) / (np.array(sizes) - 1) * 2 - 1
    codes = np.concatenate([factors, 0.1 * rng.normal(size=(len(factors), num_latents - len(sizes)))], axis=1)
    turn, _ = np.linalg.qr(np.eye(num_latents) + rotation * rng.normal(size=(num_latents, num_latents)))
    return (codes @ turn + noise * rng.normal(size=codes.shape)).astype(np.float32)


def timed(function, repeats=REPEATS):
    """The best of the runs in processor seconds, and the first result."""
    seconds, results = [], []
    for _ in range(repeats):
        start = time.process_time()
        results.append(function())
        seconds.append(time.process_time() - start)
    return min(seconds), results[0]


def representation_of(codes, sizes=SIZES):
    from factorgrid import FactorSpace, Representation

    return Representation.from_table(codes, FactorSpace(("shape", "scale", "orientation", "x", "y"), sizes))


def time_ours(codes):
    from factorgrid.metrics import evaluate

    representation = representation_of(codes)
    evaluate([representation], "all", counts=tiny_counts(), jobs=1)  # imports and first calls, not to be timed
    times = {}
    for row, names in ROWS.items():
        times[row] = as_entry(*timed(lambda names=names: evaluate([representation], names, jobs=1)[0]))
    times[DOWNSTREAM] = as_entry(*timed(lambda: evaluate([representation], "downstream_lr", jobs=1)[0], repeats=1))
    return times


def time_group():
    """Seconds by the clock for all rows of several models, on all cores: the best of the runs."""
    from factorgrid.metrics import evaluate

    models = [representation_of(codes_of(SIZES, seed=i)) for i in range(NUM_MODELS)]
    names = [name for names in ROWS.values() for name in names]
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        evaluate(models, names)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def tiny_counts():
    from factorgrid.metrics import Counts

    return Counts(num_train=200, num_test=100, num_variance_estimate=100, downstream_sizes=(100,))


def time_disent(codes):
    """Their metrics on a data set whose observations are indices."""
    import torch
    from disent.dataset import DisentDataset
    from disent.dataset.data import ArrayGroundTruthData
    from disent.metrics import metric_factor_vae, metric_mig, metric_sap, metric_unsupervised

    torch.set_num_threads(1)
    index = np.arange(len(codes)).reshape(-1, 1, 1, 1)
    dataset = DisentDataset(ArrayGroundTruthData(index, tuple("abcde"), SIZES))

    def encode(observations):
        return torch.from_numpy(codes[np.asarray(observations).reshape(-1)])

    rows = {
        "FactorVAE score": metric_factor_vae,
        "MIG": metric_mig,
        "SAP": metric_sap,
        "unsupervised scores": metric_unsupervised,
    }
    return {row: as_entry(*timed(lambda metric=metric: metric(dataset, encode))) for row, metric in rows.items()}


def time_disentanglement_lib(codes):
    """Their metrics with the settings of their published study."""
    stub_gin({"num_bins": 20, "threshold": 0.05})
    from disentanglement_lib.evaluation.metrics import (
        beta_vae,
        downstream_task,
        factor_vae,
        irs,
        mig,
        modularity_explicitness,
        sap_score,
        unsupervised_metrics,
        utils,
    )

    sys.modules["gin"].bindings["discretizer_fn"] = utils._histogram_discretize
    sys.modules["gin"].bindings["predictor_fn"] = utils.logistic_regression_cv
    strides = np.cumprod((1, *SIZES[:0:-1]))[::-1]
    points = {"num_train": 10_000, "batch_size": 16}
    split = {**points, "num_test": 5_000}
    votes = {"batch_size": 64, "num_train": 10_000, "num_eval": 5_000}

    class Indices:
        """Ground-truth data whose observations are indices; factors are drawn as in their own data sets."""

        num_factors, factors_num_values, observation_shape = len(SIZES), SIZES, (1,)

        def sample_factors(self, num, random_state):
            return np.stack([random_state.randint(size, size=num) for size in SIZES], axis=1)

        def sample_observations_from_factors(self, factors, random_state):
            return factors @ strides

        def sample(self, num, random_state):
            factors = self.sample_factors(num, random_state)
            return factors, self.sample_observations_from_factors(factors, random_state)

        def sample_observations(self, num, random_state):
            return self.sample(num, random_state)[1]

    rows = {
        "BetaVAE score": (beta_vae.compute_beta_vae_sklearn, votes),
        "FactorVAE score": (factor_vae.compute_factor_vae, {**votes, "num_variance_estimate": 10_000}),
        "MIG": (mig.compute_mig, points),
        "SAP": (sap_score.compute_sap, {**split, "continuous_factors": False}),
        "modularity and explicitness": (modularity_explicitness.compute_modularity_explicitness, split),
        "IRS": (irs.compute_irs, points),
        "unsupervised scores": (unsupervised_metrics.unsupervised_metrics, points),
    }
    rows[DOWNSTREAM] = (
        downstream_task.compute_downstream_task,
        {"num_train": [100, 1_000, 10_000], "num_test": 5_000, "batch_size": 16},
    )
    data = Indices()
    return {
        row: as_entry(
            *timed(
                lambda metric=metric, counts=counts: metric(
                    data, codes.__getitem__, np.random.RandomState(0), **counts
                ),
                repeats=1 if row == DOWNSTREAM else REPEATS,
            )
        )
        for row, (metric, counts) in rows.items()
    }


def stub_gin(bindings):
    """A stand-in for gin: `configurable` fills arguments that were left to the configuration from `bindings`."""
    gin, gin_tf = types.ModuleType("gin"), types.ModuleType("gin.tf")
    required = object()

    def configurable(*_, **__):
        def decorate(function):
            code = function.__code__
            names = code.co_varnames[: code.co_argcount]

            def call(*arguments, **options):
                given = set(names[: len(arguments)]) | set(options)
                options.update({k: v for k, v in gin.bindings.items() if k in names and k not in given})
                return function(*arguments, **options)

            return call

        return decorate

    gin.bindings, gin.REQUIRED, gin.configurable, gin.tf = bindings, required, configurable, gin_tf
    sys.modules.update({"gin": gin, "gin.tf": gin_tf})


def as_entry(seconds, scores):
    plain = {key: float(np.real(value)) for key, value in scores.items() if np.ndim(value) == 0}
    return {"seconds": seconds, "scores": plain}


def environment_python(directory):
    """The interpreter of the environment that holds both libraries, which is made if it is not there."""
    python = directory / "bin" / "python"
    done = directory / "installed"
    if not done.exists():
        print(f"installing {' and '.join(LIBRARIES)} into {directory}", flush=True)
        if not python.exists():
            venv.create(directory, with_pip=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        same = [f"{name}=={importlib.metadata.version(name)}" for name in ("numpy", "scipy", "scikit-learn")]
        # disent uses a part of setuptools that newer ones have dropped
        subprocess.run([*pip, "disent", *same, "setuptools<81", "six", "absl-py"], check=True)
        subprocess.run([*pip, "--no-deps", "disentanglement-lib"], check=True)
        done.touch()
    return python


def run_worker(python, library, table):
    output = table.with_suffix(f".{library}.json")
    subprocess.run([str(python), str(HERE), "worker", library, str(table), str(output)], check=True)
    return json.loads(output.read_text())


def speed(environment):
    python = environment_python(environment)
    table = environment / "codes.npy"
    codes = codes_of(SIZES)
    np.save(table, codes)
    print("timing factorgrid", flush=True)
    ours = time_ours(codes)
    group = time_group()
    theirs = {}
    for library in LIBRARIES:
        print(f"timing {library}", flush=True)
        theirs[library] = run_worker(python, library, table)
    return {"ours": ours, "group_seconds": group, **theirs}


def worker(library, table, output):
    warnings.simplefilter("ignore")
    codes = np.load(table)
    times = time_disent(codes) if library == "disent" else time_disentanglement_lib(codes)
    versions = {name: importlib.metadata.version(name) for name in (library, "numpy", "scikit-learn")}
    Path(output).write_text(json.dumps({"times": times, "versions": versions}))


def agreement(num_models=24):
    """DCI of both estimators on models from aligned to rotated, at smaller counts; times at the published ones."""
    from scipy.stats import spearmanr

    from factorgrid.metrics import Counts, evaluate

    settings, models = models_of(num_models)
    counts = Counts(num_train=2_000, num_test=1_000)
    print(f"DCI of {num_models} models with both estimators", flush=True)
    # each on samples of its own, as two evaluations would be
    exact = evaluate(models, "dci", counts=counts)
    fast = evaluate(models, "dci_lightgbm", counts=counts)
    keys = [key.removeprefix("dci.") for key in exact[0]]
    pairs = {key: [[e[f"dci.{key}"], f[f"dci_lightgbm.{key}"]] for e, f in zip(exact, fast)] for key in keys}
    print("timing both estimators at the published counts", flush=True)
    seconds = {}
    for name in ("dci_lightgbm", "dci"):
        start = time.process_time()
        evaluate(models[:1], name, jobs=1)
        seconds[name] = time.process_time() - start
    return {
        "settings": settings,
        "pairs": pairs,
        "spearman": {key: float(spearmanr(*np.transpose(values))[0]) for key, values in pairs.items()},
        "mean_absolute_difference": {key: float(np.abs(np.diff(values)).mean()) for key, values in pairs.items()},
        "seconds": seconds,
    }


def models_of(num):
    """Models from aligned to rotated and from clean to noisy, on the coarser grid."""
    rng = np.random.default_rng(0)
    settings = [
        {"rotation": float(rng.uniform(0, 1)), "noise": float(rng.uniform(0.02, 0.5)), "seed": i} for i in range(num)
    ]
    return settings, [representation_of(codes_of(COARSE_SIZES, **setting), COARSE_SIZES) for setting in settings]


def ranks(num_models=24):
    """Rank correlations of the scores of models, each with three that ask different questions."""
    from scipy.stats import spearmanr

    from factorgrid.metrics import METRICS, Counts, evaluate

    _, models = models_of(num_models)
    without = ("dci", "dci_lightgbm", "downstream_gbt", "downstream_lr", "code_usage", "infomec_discrete")
    names = [name for name in METRICS if name not in without]
    scores = evaluate(models, names, counts=Counts(num_train=2_000, num_test=1_000))
    columns = {key: [row[key] for row in scores] for key in scores[0]}
    return {
        key: {
            "least": min(column),
            "greatest": max(column),
            # a score that is the same for all models ranks none
            **{o: float(spearmanr(column, columns[o])[0]) if np.ptp(column) else None for o in RANKED},
        }
        for key, column in columns.items()
    }


def million():
    """Processor seconds and memory of all quick metrics of a million ten-dimensional codes with five factors."""
    import resource

    from factorgrid.metrics import METRICS, score

    rng = np.random.default_rng(0)
    factors = rng.integers(SIZES, size=(1_000_000, len(SIZES)))
    noise = rng.normal(size=(len(factors), 5))
    turn = np.linalg.qr(np.eye(10) + 0.2 * rng.normal(size=(10, 10)))[0]
    codes = (np.concatenate([factors / np.array(SIZES), noise], axis=1) @ turn).astype(np.float32)
    names = [name for name, metric in METRICS.items() if metric.cost == "instant"]
    start = time.process_time()
    score(codes, factors, names, jobs=2)
    seconds = time.process_time() - start
    return {
        "num_metrics": len(names),
        "seconds": seconds,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def hardware():
    from factorgrid.training.provenance import processor

    return f"{os.cpu_count()} x {processor()}, {platform.system()}, Python {platform.python_version()}"


def about():
    names = ("factorgrid", "numpy", "scipy", "scikit-learn", "lightgbm")
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "from source"
    return {"date": datetime.date.today().isoformat(), "hardware": hardware(), "versions": versions}


def speed_table(results):
    lines = [
        "| metric | factorgrid, s | disent, s | disentanglement_lib, s | disent / ours | disentanglement_lib / ours |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    ours = {row: entry["seconds"] for row, entry in results["ours"].items()}
    theirs = [{row: e["seconds"] for row, e in results[name]["times"].items()} for name in LIBRARIES]
    for row in ROWS:
        lines.append(speed_row(row, ours[row], [times.get(row) for times in theirs]))
    # every library's sum is over its own rows, and so is the ratio
    total = sum(ours[row] for row in ROWS)
    shared = [[row for row in ROWS if row in times] for times in theirs]
    cells = " | ".join(f"{sum(times[row] for row in rows):.2f}" for times, rows in zip(theirs, shared))
    ratios = " | ".join(
        f"**{sum(times[row] for row in rows) / sum(ours[row] for row in rows):.0f}x**"
        for times, rows in zip(theirs, shared)
    )
    lines.append(f"| all that each has | {total:.3f} | {cells} | {ratios} |")
    lines.append(speed_row(DOWNSTREAM, ours[DOWNSTREAM], [times.get(DOWNSTREAM) for times in theirs]))
    group, alone = results["group_seconds"], sum(theirs[1][row] for row in shared[1])
    lines += [
        "",
        f"{NUM_MODELS} models at once, all rows above the sum, by the clock on {os.cpu_count()} cores: {group:.2f} s. "
        f"disentanglement_lib scores one after the other on one core: {NUM_MODELS} x {alone:.2f} = "
        f"{NUM_MODELS * alone:.1f} s, **{NUM_MODELS * alone / group:.0f}x**.",
    ]
    return lines


def speed_row(row, own, theirs):
    cells = " | ".join("-" if seconds is None else f"{seconds:.2f}" for seconds in theirs)
    ratios = " | ".join("-" if seconds is None else f"{seconds / own:.0f}x" for seconds in theirs)
    return f"| {row} | {own:.3f} | {cells} | {ratios} |"


def report(results):
    lines = ["# Metrics: speed, and agreement of the fast DCI", "", "Command: `python benchmarks/metrics.py`.", ""]
    lines += [f"{results['about']['date']}; {results['about']['hardware']}.", ""]
    versions = dict(results["about"]["versions"])
    for name in LIBRARIES:
        if "speed" in results:
            versions[name] = results["speed"][name]["versions"][name]
    lines += [", ".join(f"{name} {version}" for name, version in versions.items()) + ".", ""]
    if "speed" in results:
        lines += ["## Speed", ""]
        lines += [
            "Ten codes per point of the dSprites grid, published sample counts, one thread, processor seconds "
            "with drawing (no images: encoders are table look-ups). Sums compare the metrics that both have.",
            "",
            *speed_table(results["speed"]),
            "",
        ]
    if "agreement" in results:
        found = results["agreement"]
        seconds = found["seconds"]
        lines += [
            "## DCI: LightGBM against the exact estimator",
            "",
            f"{len(found['settings'])} models on a {' x '.join(map(str, COARSE_SIZES))} grid, from aligned to "
            "rotated and from clean to noisy, 2,000 training and 1,000 test codes.",
            "",
            "| score | rank correlation | mean absolute difference |",
            "| --- | ---: | ---: |",
        ]
        for key, correlation in found["spearman"].items():
            lines.append(f"| {key} | {correlation:.3f} | {found['mean_absolute_difference'][key]:.3f} |")
        lines += [
            "",
            f"One model at the published counts (10,000 and 5,000), one core: exact {seconds['dci']:.1f} s, "
            f"LightGBM {seconds['dci_lightgbm']:.1f} s, **{seconds['dci'] / seconds['dci_lightgbm']:.0f}x**.",
            "",
        ]
    if "ranks" in results:
        lines += [
            "## How metrics rank models",
            "",
            "24 models as above; rank correlation with three scores, and the range of the score itself.",
            "",
            f"| score | least | greatest | {' | '.join(RANKED)} |",
            f"| --- | ---: | ---: | {' | '.join('---:' for _ in RANKED)} |",
        ]
        for key, row in results["ranks"].items():
            numbers = [row[name] for name in ("least", "greatest", *RANKED)]
            cells = " | ".join("-" if number is None else f"{number:.2f}" for number in numbers)
            lines.append(f"| {key} | {cells} |")
        lines.append("")
    if "million" in results:
        found = results["million"]
        lines += [
            "## A million codes",
            "",
            f"All {found['num_metrics']} quick metrics of 1,000,000 x 10 codes with 5 factors, `jobs=2`: "
            f"{found['seconds']:.1f} processor seconds, {found['gigabytes']:.2f} GB at most, the arrays included.",
            "",
        ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="all", choices=["all", "speed", "agreement", "ranks", "million"])
    parser.add_argument("--environment", type=Path, default=Path.home() / ".cache/factorgrid/benchmark-metrics")
    options = parser.parse_args()
    # a part that is not run again keeps its last numbers
    stored = RESULTS / "metrics.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    results["about"] = about()
    if options.what in ("all", "speed"):
        results["speed"] = speed(options.environment)
    if options.what in ("all", "agreement"):
        results["agreement"] = agreement()
    if options.what in ("all", "ranks"):
        results["ranks"] = ranks()
    if options.what in ("all", "million"):
        results["million"] = million()
    RESULTS.mkdir(exist_ok=True)
    stored.write_text(json.dumps(results, indent=1) + "\n")
    text = report(results)
    (RESULTS / "metrics.md").write_text(text)
    print(text)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        worker(*sys.argv[2:])
    else:
        main()
