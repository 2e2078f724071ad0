"""Is anything lost with --precision bfloat16? The same seeds of the D-VAE trained in float32 and in bfloat16.

    python benchmarks/precision.py     # some 20 minutes on two cores with bfloat16; goes on where it stopped
    python benchmarks/precision.py --steps 50 --seeds 2 --out trial    # a trial

Trains both groups on `dsprites_twin` with convolutional networks at 32 x 32 pixels, scores them with the published
settings, and writes benchmarks/results/precision.md: for MIG and the ELBO each group's mean with its standard
deviation, and the difference of the means with its 95 % interval (Welch). Rounding makes two trainings of one seed part
after some hundred steps, so seeds are not paired.
"""

import argparse
import datetime
from pathlib import Path

import numpy as np
from scipy.stats import ttest_ind

import factorgrid as fg
from factorgrid.training.provenance import processor

RESULTS = Path(__file__).resolve().parent / "results"
PRECISIONS = ("float32", "bfloat16")
METRICS = ("mig", "elbo")


def scores_of(precision, options):
    """{metric: [seed]}."""
    run = fg.train(
        data="dsprites_twin", model="dvae", seeds=options.seeds, steps=options.steps, learning_rate=5e-4,
        image_size=32, precision=precision, out=options.out / precision,
    )  # fmt: skip
    fg.evaluate(run, metrics=METRICS)
    scores = run.scores
    return {metric: scores[scores["metric"] == metric].sort_values("member")["value"].to_numpy() for metric in METRICS}


def table(found, options):
    lines = [
        "# bfloat16 beside float32",
        "",
        f"{datetime.date.today()}, {processor()}. {options.seeds} D-VAEs each on `dsprites_twin` at 32 x 32, "
        f"{options.steps:,} steps of 64 images at a learning rate of 5e-4, published settings of the scores.",
        "",
        "| score | float32 | bfloat16 | difference (95 %) | p |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for metric in METRICS:
        one, other = (found[precision][metric] for precision in PRECISIONS)
        test = ttest_ind(other, one, equal_var=False)
        low, high = test.confidence_interval()
        means = (f"{np.mean(x):.4g} ± {np.std(x, ddof=1):.2g}" for x in (one, other))
        lines.append(
            f"| {metric} | {' | '.join(means)} | {np.mean(other) - np.mean(one):+.3g} ({low:+.3g}..{high:+.3g}) | "
            f"{test.pvalue:.2g} |"
        )
    for metric in METRICS:
        for precision in PRECISIONS:
            lines += ["", f"{metric}, {precision}: " + ", ".join(f"{value:.4g}" for value in found[precision][metric])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/precision"))
    options = parser.parse_args()
    found = {precision: scores_of(precision, options) for precision in PRECISIONS}
    text = table(found, options)
    print(text)
    if (options.steps, options.seeds) == (parser.get_default("steps"), parser.get_default("seeds")):
        (RESULTS / "precision.md").write_text(text)


if __name__ == "__main__":
    main()
