"""FoS, factorisation of support (Roth et al. 2023, https://arxiv.org/abs/2210.07347)."""

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_codes, check_counts


def fos(codes: ArrayLike, *, batch_size: int = 64, max_batches: int = 16) -> dict[str, float]:
    """How far the codes leave combinations of values empty that independent latents would fill. Label-free.

    For two latents i, j the greatest, over all samples a and c, of the squared distance of the point (z_i^a, z_j^c)
    to the nearest code, min_e (z_i^a - z_i^e)^2 + (z_j^c - z_j^e)^2: the squared Hausdorff distance of the codes to
    the product of their supports. Summed over pairs of latents, mean over batches. Lower is better; unchanged by
    permuting latents and by dead ones. It is in squared units of the codes, and shrinks as batches grow, so that only
    scores of one batch size and of codes of one scale compare. The authors' code offers a random subset of the pairs
    and takes all batches, the last and shorter one included; here all pairs of at most `max_batches` full ones.

    Args:
        codes: float [sample, latent].
        batch_size: samples at a time, at most all of them.
        max_batches: how many batches are looked at, the first ones.

    Returns:
        {"fos"}: >= 0, unbounded; 0 if every combination of values that occur occurs, and for a single latent.

    Raises:
        Error: bad shape or type, NaN codes, a count below 1.
    """
    checked = as_codes(codes)
    check_counts(batch_size=batch_size, max_batches=max_batches)
    size = min(batch_size, len(checked))
    num = min(len(checked) // size, max_batches)
    batches = checked[: num * size].reshape(num, size, -1).astype(np.float64)
    sums = []
    for batch in batches:
        distances = (batch[:, None] - batch[None]).transpose(2, 0, 1) ** 2  # [latent, sample, sample]
        holes = [
            (first[:, None] + second[None]).min(axis=2).max() for first, second in combinations(distances, 2)
        ]  # of [a, c, e], the nearest e of the farthest a, c
        sums.append(float(sum(holes)))
    return {"fos": float(np.mean(sums))}
