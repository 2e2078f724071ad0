"""The plain autoencoder: reconstruction alone. What a latent without a prior (FSQ) is trained with."""

from typing import ClassVar

from factorgrid.datasets import Batch
from factorgrid.models import Forward
from factorgrid.objectives.objective import Context, Loss, Objective, reconstruction


class PlainAutoencoder(Objective):
    """Any latent will do."""

    requires: ClassVar[tuple[type, ...]] = ()

    def loss(self, passes: tuple[Forward, ...], batch: tuple[Batch, ...], context: Context) -> Loss:
        loss = reconstruction(passes[0].logits, batch[0].images)
        return Loss(loss, {"reconstruction": loss})
