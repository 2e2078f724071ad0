"""Scores of a Lightning module's codes while it trains."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from factorgrid.any_encoder import as_images, drawn, score_encoder
from factorgrid.integrations.missing import missing
from factorgrid.metrics import metric_names

if TYPE_CHECKING:  # Lightning is not among the tools that check types here
    Base: Any
else:
    try:
        from lightning.pytorch.callbacks import Callback as Base
    except ImportError:
        try:
            from pytorch_lightning.callbacks import Callback as Base
        except ImportError:
            Base = missing("the callback", "lightning")


class ScoreCallback(Base):
    """Logs scores when validation ends, as `disentanglement/mig` and so on: for loggers, early stopping, checkpoints.

    Args:
        data: images [sample, channel, height, width] with channels last as well, or the name of a data set.
        factors: of your own images, [sample, factor].
        metrics: as of `factorgrid.score`.
        encode: (module, images) -> codes; by default `module.encode(images)`.
        every: how many validations lie between two scores.
        num_images: drawn from a data set that is given by name, once for all.
        prefix: of the logged names.
        options: further arguments of `score_encoder`, such as `quick`, `seed` or `batch_size`.
    """

    def __init__(
        self,
        data: Any,
        factors: Any = None,
        metrics: str | Iterable[str] = ("mig", "dci_forest"),
        *,
        encode: Callable[[Any, Any], Any] | None = None,
        every: int = 1,
        num_images: int = 15_000,
        prefix: str = "disentanglement/",
        **options: Any,
    ) -> None:
        super().__init__()
        self.metrics, self.every, self.prefix, self.options = metric_names(metrics), every, prefix, options
        self.encode = encode or (lambda module, images: module.encode(images))
        if isinstance(data, str | Path):
            images, labels = zip(*drawn(str(data), num_images, 256, options.get("seed", 0)))
            data, factors = np.concatenate(images), np.concatenate(labels)
        self.images, self.factors = as_images(data, "NCHW"), factors
        self.num_validations = 0

    def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
        """Encode and log, unless this is Lightning's first look at whether validation runs at all."""
        if trainer.sanity_checking:
            return
        self.num_validations += 1
        if self.num_validations % self.every:
            return
        found = score_encoder(
            lambda images: self.encode(module, images.to(module.device)),
            self.images, self.factors, self.metrics, framework="torch", **self.options,
        )  # fmt: skip
        module.log_dict({f"{self.prefix}{key}": value for key, value in found.items()}, rank_zero_only=True)
