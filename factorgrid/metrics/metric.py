"""What the table of metrics declares about each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from factorgrid.errors import unknown_name
from factorgrid.metrics.parallel import Part
from factorgrid.metrics.sampling import Counts, Sampler

Cost = Literal["instant", "seconds", "minutes"]  # per member at the published counts, on one core
Invariance = Literal["permuting_latents", "rescaling_latents", "adding_dead_latents", "permuting_factors"]
Sample = dict[str, Any]  # keyword arguments of `compute`: plain arrays and numbers


@dataclass(frozen=True)
class Metric:
    """One metric, declared once: reports, tests, the command line and the documentation read it here.

    Attributes:
        keys: every number it yields, with its least and greatest possible value.
        higher_is_better: the direction of all of them.
        invariances: what may be done to the codes without changing any of them (exactly for array functions, to
            a few percent where a classifier is fitted).
        cost: its order of magnitude.
        source: where it was published.
        counts: the names of the sample counts that it depends on; they are recorded with the score.
        draw: (sampler, rng, counts) -> keyword arguments of `compute`; None where the given
            codes do not allow it. The only step that touches a model.
        compute: (**sample, **options) -> scores; pure, draws no samples of codes and can run in another process.
        parts, join: for metrics that fit one model per factor, `compute` in pieces: parts(**sample, **options) can
            run in different processes, and join puts their results together.
        options: further settings that may be chosen, with their defaults; recorded with the score.
        package: an optional package that it needs.
        details: the matrices and the scores of single latents or factors behind the numbers: from (**sample,
            **options), or from the results of the parts.
    """

    keys: Mapping[str, tuple[float, float]]
    higher_is_better: bool
    invariances: frozenset[Invariance]
    cost: Cost
    source: str
    counts: tuple[str, ...]
    draw: Callable[[Sampler, np.random.Generator, Counts], Sample | None]
    compute: Callable[..., dict[str, float]] | None = None
    parts: Callable[..., list[Part]] | None = None
    join: Callable[[list[Any]], dict[str, float]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    package: str | None = None
    details: Callable[..., dict[str, ndarray]] | None = None

    def with_options(self, options: Mapping[str, Any]) -> "Metric":
        """The same metric with other options.

        Raises:
            Error: an option that it does not have.
        """
        for name in options:
            if name not in self.options:
                raise unknown_name("option", name, self.options)
        return replace(self, options={**self.options, **options})

    def settings(self, counts: Counts, seed: int) -> dict[str, Any]:
        """What a score depends on besides the codes: seed, sample counts, options."""
        return {"seed": seed, **{name: getattr(counts, name) for name in self.counts}, **self.options}

    def split(self, sample: Sample) -> list[Part]:
        """The pieces of work that turn a drawn sample into scores."""
        arguments = {**sample, **self.options}
        if self.parts is not None:
            return self.parts(**arguments)
        assert self.compute is not None, "a metric has either compute or parts and join"
        return [(self.compute, arguments)]

    def finish(self, results: list[Any]) -> dict[str, float]:
        """The scores, from the results of all parts in their order."""
        scores: dict[str, float] = self.join(results) if self.join is not None else results[0]
        return scores
