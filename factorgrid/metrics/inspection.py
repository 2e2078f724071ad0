"""What is behind a score: matrices and the scores of single latents and factors, as DataFrames with names."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from factorgrid.errors import Error
from factorgrid.metrics.checks import as_codes, as_factors, varying
from factorgrid.metrics.inputs import column_names
from factorgrid.metrics.lookup import Options, chosen
from factorgrid.metrics.parallel import run_parts
from factorgrid.metrics.sampling import PUBLISHED, Counts, GivenSampler, stream
from factorgrid.metrics.table import METRICS

if TYPE_CHECKING:
    from pandas import DataFrame


def details(
    codes: Any,
    factors: Any,
    metric: str,
    seed: int = 0,
    *,
    counts: Counts = PUBLISHED,
    options: Options | None = None,
    jobs: int = 1,
) -> "dict[str, DataFrame]":
    """The tables behind one metric's score, of the very samples that `score` draws with this seed.

    Args:
        codes, factors: as for `score`; a DataFrame's column names become the tables'.
        metric: a name whose entry in `METRICS` has details: MIG, modularity, SAP, DCI, explicitness, IRS, InfoMEC.
        seed, counts, options: as for `score`.
        jobs: processes for the slow metrics.

    Returns:
        Name -> DataFrame: matrices have a row per latent and a column per factor; what belongs to single latents or
        factors stands in the tables "latents" and "factors", a row each.

    Raises:
        Error: see `score`; or a metric without details.

    >>> grid = np.stack(np.meshgrid(range(2), range(2)), axis=-1).reshape(-1, 2).repeat(6, axis=0)
    >>> details(grid.astype(float), grid, "mig")["factors"]["mig"].tolist()
    [1.0, 1.0]
    """
    table = chosen(metric, options)
    if len(table) != 1:
        raise Error(f"details are of one metric at a time, got {', '.join(table)}")
    name, entry = next(iter(table.items()))
    if entry.details is None:
        known = ", ".join(name for name, each in METRICS.items() if each.details is not None)
        raise Error(f"'{name}' has no details; these have: {known}")
    values = as_codes(codes)
    sampler = GivenSampler(values, as_factors(factors, len(values)))
    sample = entry.draw(sampler, stream(seed, name), counts)
    assert sample is not None, "metrics that can be left out have no details"
    if entry.parts is not None:
        found = entry.details(run_parts(entry.split(sample), jobs=jobs))
    else:
        found = entry.details(**sample, **entry.options)
    names = np.array(column_names(factors, "factor"))[sampler.columns]
    drawn = sample.get("factors_train", sample.get("factors"))
    if drawn is not None:  # a rare value may not be among them
        with warnings.catch_warnings(action="ignore"):
            names = names[varying(drawn)]
    return named(found, column_names(codes, "latent"), names.tolist())


def named(arrays: dict[str, np.ndarray], latents: list[str], factors: list[str]) -> "dict[str, DataFrame]":
    """Tables of arrays of these latents, factors, or both."""
    from pandas import DataFrame  # slow to import

    tables = {
        name: DataFrame(array, index=latents, columns=factors) for name, array in arrays.items() if array.ndim == 2
    }
    per_latent = {name: array for name, array in arrays.items() if array.ndim == 1 and name in OF_LATENTS}
    per_factor = {name: array for name, array in arrays.items() if array.ndim == 1 and name not in OF_LATENTS}
    if per_latent:
        tables["latents"] = DataFrame(per_latent, index=latents)
    if per_factor:
        tables["factors"] = DataFrame(per_factor, index=factors)
    return tables


# numbers of single latents; all others that are not matrices are of single factors
OF_LATENTS = ("modularity", "disentanglement", "largest", "active")
