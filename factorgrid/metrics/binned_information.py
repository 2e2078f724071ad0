"""Mutual information of binned codes with factors, and the entropies: what MIG and its relatives are made of."""

from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray
from numpy.typing import ArrayLike

from factorgrid.metrics.checks import as_pair, check_bins
from factorgrid.metrics.mutual_information import discretise, entropy, mutual_information


class Information(NamedTuple):
    """All in nats: of every code and factor, of every factor alone, of every binned code alone."""

    shared: Float[ndarray, "latent factor"]
    of_factors: Float[ndarray, " factor"]
    of_codes: Float[ndarray, " latent"]


def binned_information(codes: ArrayLike, factors: ArrayLike, num_bins: int) -> Information:
    """From any codes and factors; codes in `num_bins` equal-width bins over their observed range.

    Raises:
        Error: bad shapes or types, NaN codes, fewer samples than bins, no factor with two values.
    """
    values, labels = as_pair(codes, factors)
    check_bins(len(values), num_bins)
    bins = discretise(values, num_bins)
    return Information(mutual_information(bins, labels), entropy(labels), entropy(bins))
