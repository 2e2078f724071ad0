"""Metrics over batches of PyTorch tensors, as torchmetrics does them: `update`, `compute`, `reset`.

With torchmetrics installed, `CodeScores` is one of its metrics: it goes into a `MetricCollection`, is logged by
Lightning, and gathers the codes of all processes. Without, it works alone.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from factorgrid.errors import Error
from factorgrid.integrations.missing import missing
from factorgrid.metrics import PUBLISHED, Counts, metric_names, score

if TYPE_CHECKING:  # PyTorch is not among the tools that check types here
    torch: Any
    Base: Any
    Tensor = Any
else:
    try:
        import torch
        from torch import Tensor
        from torch.nn import Module
    except ImportError:
        Tensor, Base = Any, missing("a score over batches of tensors", "torch")
    else:
        try:
            from torchmetrics import Metric as Base
        except ImportError:

            class Base(Module):
                """The part of torchmetrics that is needed: lists, which `reset` empties."""

                def __init__(self) -> None:
                    super().__init__()
                    self.names: list[str] = []

                def add_state(self, name: str, default: list[Tensor], dist_reduce_fx: str) -> None:
                    self.names.append(name)
                    setattr(self, name, default)

                def reset(self) -> None:
                    for name in self.names:
                        setattr(self, name, [])


class CodeScores(Base):
    """Scores of codes and factors that come in batches.

    Args:
        metrics, seed, counts, quick, jobs: as of `factorgrid.score`.
        most: codes to keep; those that come after are left out, since metrics draw 15,000 at most (None: all). So a
            loader of more should be shuffled: the first of an ordered one do not vary in every factor.

        scores = CodeScores(["mig", "dci"])
        for images, factors in loader:
            scores.update(encoder(images), factors)
        scores.compute()  # {"mig": 0.41, "dci.disentanglement": 0.55, ...}
    """

    higher_is_better = None  # differs between metrics: `factorgrid.metrics.higher_is_better`
    is_differentiable = False
    full_state_update = False

    def __init__(
        self,
        metrics: str | Iterable[str] = "six",
        seed: int = 0,
        *,
        counts: Counts = PUBLISHED,
        quick: bool = False,
        jobs: int | None = 1,
        most: int | None = 15_000,
    ) -> None:
        super().__init__()
        self.wanted, self.seed, self.counts, self.quick, self.jobs = metric_names(metrics), seed, counts, quick, jobs
        self.most = most
        self.add_state("codes", default=[], dist_reduce_fx="cat")
        self.add_state("factors", default=[], dist_reduce_fx="cat")

    def update(self, codes: Tensor, factors: Tensor) -> None:
        """Take a batch: codes [sample, latent] and its factors [sample, factor].

        Raises:
            Error: not as many factors as codes.
        """
        if codes.ndim < 2 or factors.ndim != 2 or len(codes) != len(factors):
            raise Error(
                "a batch needs codes [sample, latent] and factors [sample, factor], "
                f"got {list(codes.shape)} and {list(factors.shape)}"
            )
        kept = sum(map(len, self.codes))
        left = len(codes) if self.most is None else max(min(len(codes), self.most - kept), 0)
        if left:
            self.codes.append(codes[:left].detach())
            self.factors.append(factors[:left].detach())

    def compute(self) -> dict[str, float]:
        """Result key -> value, of everything since the last `reset`.

        Raises:
            Error: no batch yet, or see `factorgrid.score`.
        """
        codes, factors = (joined(state) for state in (self.codes, self.factors))
        return score(codes, factors, self.wanted, self.seed, counts=self.counts, quick=self.quick, jobs=self.jobs)

    def forward(self, codes: Tensor, factors: Tensor) -> dict[str, float]:
        """As `update`: a batch alone is too small a sample to have a score."""
        self.update(codes, factors)
        return {}


def joined(state: Any) -> Tensor:
    """All batches; processes that were synchronised have joined them already."""
    if isinstance(state, torch.Tensor):
        return state
    if not state:
        raise Error("there is no batch to score yet; call update first")
    return torch.cat(state)
