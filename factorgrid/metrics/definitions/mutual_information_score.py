"""Mutual-information score between codes (Locatello et al. 2019, https://arxiv.org/abs/1811.12359)."""

from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_codes, check_bins
from factorgrid.metrics.mutual_information import discretise, mutual_information


def mutual_information_score(codes: ArrayLike, *, num_bins: int = 20) -> dict[str, float]:
    """Mean mutual information in nats between two different discretised codes. Lower is better; label-free.

    Unchanged by permuting and (up to bin-edge ties) rescaling latents; a dead latent lowers it.

    Args:
        codes: float [sample, latent].
        num_bins: equal-width bins per code, over its observed range.

    Returns:
        {"mutual_information_score"}: 0 .. log(num_bins); 0 with a single latent.

    Raises:
        Error: bad shape or type, NaN codes, fewer samples than bins.
    """
    values = as_codes(codes)
    check_bins(len(values), num_bins)
    num_latents = values.shape[1]
    if num_latents == 1:
        return {"mutual_information_score": 0.0}
    bins = discretise(values, num_bins)
    information = mutual_information(bins, bins)
    between = information.sum() - information.trace()
    return {"mutual_information_score": max(float(between / (num_latents * (num_latents - 1))), 0.0)}
