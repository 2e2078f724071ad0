"""EDI, the exclusivity disentanglement index (Julka et al. 2024, arXiv 2410.03056)."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.binned_information import binned_information


def edi(codes: ArrayLike, factors: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """Modularity, compactness and explicitness from how exclusively codes and factors share information.

    S is the mutual information of a code and a factor over that of all codes with the factor, which is taken to be
    the greatest of one code (an option of the authors' code, whose default trains a network to estimate it).
    Exclusivity of a row of numbers: the greatest minus the root mean square of the others. Modularity: each code's
    exclusivity among factors goes to its best factor; summed per factor, at most 1; mean over factors. Compactness:
    exclusivity of each factor among codes, mean. Explicitness: information over the factor's entropy, mean.

    Args:
        codes: float [sample, latent].
        factors: int [sample, factor].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"edi.modularity", "edi.compactness", "edi.explicitness"}: 0 .. 1.

    Raises:
        Error: see `binned_information`.
    """
    found = binned_information(codes, factors, num_bins)
    held = found.shared.max(axis=0)
    shares = found.shared / np.where(held > 0, held, 1.0)
    credited = np.zeros_like(shares)
    credited[np.arange(len(shares)), shares.argmax(axis=1)] = exclusivity(shares)
    return {
        "edi.modularity": float(np.minimum(credited.sum(axis=0), 1.0).mean()),
        "edi.compactness": float(exclusivity(shares.T).mean()),
        "edi.explicitness": float(min((held / found.of_factors).mean(), 1.0)),
    }


def exclusivity(rows: Float[ndarray, "row column"]) -> Float[ndarray, " row"]:
    """The greatest of each row minus the root mean square of its others; without others, the greatest itself.

    >>> exclusivity(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.5]])).tolist()
    [1.0, 0.0]
    """
    greatest = rows.max(axis=1)
    others = (rows**2).sum(axis=1) - greatest**2
    return greatest - np.sqrt(np.maximum(others, 0.0) / max(rows.shape[1] - 1, 1))
