"""The paper's claims about latent planes of Circles: how they lie, and that the score follows their angle."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import fisher_exact

from factorgrid.papers.friede2023.alignment import ALIGNED, COHERENT, Alignment, alignments
from factorgrid.papers.friede2023.claims_of_scores import CORRELATION, correlation_test
from factorgrid.papers.friede2023.methods import D_VAE, VAE, title_of
from factorgrid.papers.friede2023.model_figures import method_planes
from factorgrid.report.claims import Finding, Test, Verdict, demoted, judge
from factorgrid.report.study_cells import Cells
from factorgrid.report.table_files import Table
from factorgrid.report.values import Absent, Number
from factorgrid.study.outcomes import Kind
from factorgrid.study.statistics import compare, correlate


def axis_alignment(cells: Cells) -> Finding | Absent:
    """Most planes of the D-VAE lie parallel to the axes, those of the VAE do not."""
    found = {kind: _aligned(cells, kind) for kind in (VAE, D_VAE)}
    vae, dvae = found[VAE], found[D_VAE]
    if isinstance(vae, Absent) or isinstance(dvae, Absent):
        return next(one for one in (vae, dvae) if isinstance(one, Absent))
    shares = [sum(one.aligned for one in planes) for planes in (vae, dvae)]
    sizes = [len(vae), len(dvae)]
    table = [[share, size - share] for share, size in zip(shares, sizes)]
    least = fisher_exact([[0, sizes[0]], [sizes[1], 0]]).pvalue
    turns = [np.asarray([one.turn for one in planes]) for planes in (vae, dvae)]
    turned = compare(turns[1], turns[0], resamples=cells.resamples)  # smaller is better, so the VAE comes second
    interval = turned.interval[0], turned.interval[1]
    names = [title_of(kind) for kind in (VAE, D_VAE)]
    tests = [
        Test(
            "share of aligned planes in points",
            Number(100 * (shares[1] / sizes[1] - shares[0] / sizes[0]), 0, signed=True), min(sizes),
            float(fisher_exact(table).pvalue), supports=shares[1] * sizes[0] > shares[0] * sizes[1],
            least_p=float(least), beside={name: Number(share, 0, after=f"of {size}")
                                          for name, share, size in zip(names, shares, sizes)},
        ),
        Test(
            "how much less turned, in degrees", Number(turned.difference, 1, signed=True, interval=interval),
            min(sizes), turned.p, supports=turned.superiority > 0.5, least_p=turned.least_p,
            beside={name: Number(float(np.median(turn))) for name, turn in zip(names, turns)},
        ),
    ]  # fmt: skip
    counts = [
        f"{name}: {share} of {size} planes within {ALIGNED:.0f}° of the axes and not torn, median angle "
        f"{np.median([one.angle for one in planes]):.1f}°, {sum(not one.coherent for one in planes)} torn."
        for name, share, size, planes in zip(names, shares, sizes, (vae, dvae))
    ]
    result = judge(
        tests, effect="D-VAE against VAE", unit="tests", also=counts,
        test="Fisher's exact test of the shares, two-sided Mann-Whitney U test of the angles (a torn plane's: 45°)",
    )  # fmt: skip
    if isinstance(result, Absent):
        return result
    if result.verdict is Verdict.SUPPORTED and 2 * shares[1] <= sizes[1]:
        result = demoted(result, "more of them, but most are not parallel to the axes")
    return _with_planes(result, {names[0]: vae, names[1]: dvae})


def mig_follows_angle(cells: Cells) -> Finding | Absent:
    """The less a plane is turned, the higher its MIG."""
    tests: list[Test | Absent] = []
    for kind in (VAE, D_VAE):
        planes = _aligned(cells, kind)
        if isinstance(planes, Absent):
            tests.append(planes)
            continue
        scored = [(one.mig, one.angle) for one in planes if one.mig is not None]
        found = correlate([mig for mig, _ in scored], [angle for _, angle in scored])
        row = {"rho": found.rho, "num": found.num, "p": found.p}
        tests.append(correlation_test(title_of(kind), row, positive=False))
    return judge(tests, effect="rank correlation of MIG and angle", test=CORRELATION, unit="methods")


def _aligned(cells: Cells, kind: Kind) -> list[Alignment] | Absent:
    found = method_planes(cells, kind)
    return found if isinstance(found, Absent) else alignments(found.shown)


def _with_planes(finding: Finding, found: dict[str, Sequence[Alignment]]) -> Finding:
    """With the table of all planes as its evidence."""
    rows = [
        {
            "model": f"{title} {one.member}",
            "MIG": Absent() if one.mig is None else Number(100 * one.mig),
            "angle": Number(one.angle),
            "of x": Number(one.angles[0]),
            "of y": Number(one.angles[1]),
            "coherence of x": Number(one.coherence[0], 2),
            "coherence of y": Number(one.coherence[1], 2),
            "separate": "yes" if one.separate else "no",
            "aligned": "yes" if one.aligned else "no",
        }
        for title, planes in found.items()
        for one in planes
    ]
    caption = (
        "MIG in %. Angle in degrees between the direction in which a factor moves the code and the nearest latent "
        "axis, the larger of x and y (0: parallel, 45: worst; 45 where both move the code along one axis). Coherence: "
        "whether "
        f"the steps agree on a direction (1) or have none (0). Aligned: within {ALIGNED:.0f}°, and coherence at least "
        f"{COHERENT:g} of x and y alike."
    )
    return replace(finding, evidence=Table(rows, list(rows[0]), caption))
