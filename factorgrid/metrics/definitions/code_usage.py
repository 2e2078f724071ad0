"""Code usage: how many of its categories a discrete latent uses."""

import numpy as np
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_codes
from factorgrid.metrics.mutual_information import categories, entropy


def code_usage(codes: ArrayLike) -> dict[str, float]:
    """Perplexity and number of the categories that occur, mean over latents. Label-free.

    It describes codes and does not judge them: more categories are used by codes that tell more apart.

    Args:
        codes: [sample, latent]: numbers of categories, or one-hot [sample, latent, category]. A latent of more than
            256 values is taken as continuous and cut into 20 bins.

    Returns:
        {"code_usage.perplexity"}: exp of the entropy, 1 .. number of categories, equal if all are equally frequent;
        {"code_usage.active_categories"}: how many occur.

    Raises:
        Error: bad shape or type, NaN codes.

    >>> code_usage(np.array([[0, 5], [1, 5], [0, 5], [1, 5]]))
    {'code_usage.perplexity': 1.5, 'code_usage.active_categories': 1.5}
    """
    used = categories(as_codes(codes))
    return {
        "code_usage.perplexity": float(np.exp(entropy(used)).mean()),
        "code_usage.active_categories": float((used.max(axis=0) + 1).mean()),
    }
