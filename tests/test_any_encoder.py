"""Encoders of any kind: batches, layouts, data sets by name, PyTorch modules."""

import numpy as np
import pytest

from factorgrid.any_encoder import score_encoder
from factorgrid.errors import Error
from factorgrid.metrics import QUICK, score

RNG = np.random.default_rng(0)
FACTORS = RNG.integers([4, 5], size=(300, 2))


def images():
    """A bright pixel in a dark image of 6 rows and 7 columns, in the first of three channels."""
    shown = np.zeros((300, 6, 7, 3), np.uint8)
    shown[np.arange(300), FACTORS[:, 0], FACTORS[:, 1], 0] = 255
    return shown


def position(batch):
    """Row and column of the brightest pixel."""
    assert batch.dtype == np.float32
    assert batch.shape[1:] == (6, 7, 3)
    assert batch.max() == 1.0
    place = batch[..., 0].reshape(len(batch), -1).argmax(axis=1)
    return np.stack([place // 7, place % 7], axis=1).astype(np.float32)


def test_own_images_in_batches():
    sizes, steps = [], []

    def encode(batch):
        sizes.append(len(batch))
        return position(batch), "log variance"

    found = score_encoder(
        encode, images(), FACTORS, ("mig", "sap"), batch_size=128, progress=lambda *step: steps.append(step)
    )
    assert sizes == [128, 128, 44]
    assert steps == [(128, 300, "encoding"), (256, 300, "encoding"), (300, 300, "encoding")]
    assert found == score(FACTORS.astype(np.float32), FACTORS, ("mig", "sap"))
    words = np.array(["p", "q", "r", "s", "t"])[FACTORS]
    assert score_encoder(position, images(), words, "mig")["mig"] == found["mig"]


def test_layouts():
    channels_first = np.moveaxis(images(), 3, 1)
    expected = score(FACTORS.astype(np.float32), FACTORS, "mig")
    # told apart by the channels of what is given; what the encoder gets is what it asks for
    assert score_encoder(position, channels_first, FACTORS, "mig") == pytest.approx(expected)

    def encode(batch):
        assert batch.shape[1:] == (3, 6, 7)
        return position(np.moveaxis(batch, 1, 3))

    assert score_encoder(encode, images(), FACTORS, "mig", layout="NCHW") == expected


def test_data_set_by_name():
    def centre(batch):
        weight = batch[..., 0] / batch[..., 0].sum(axis=(1, 2), keepdims=True)
        line = np.arange(batch.shape[1])
        return np.stack([(weight.sum(axis=1) * line).sum(axis=1), (weight.sum(axis=2) * line).sum(axis=1)], axis=1)

    found = score_encoder(centre, "circles", metrics="mig", num_images=600, counts=QUICK)
    assert found["mig"] > 0.8


def test_errors():
    for call, message in (
        (lambda: score_encoder(position, images()), "your own images need their factors"),
        (lambda: score_encoder(position, "circles", FACTORS), "has factors of its own"),
        (lambda: score_encoder(position, images()[0], FACTORS), "must have four axes"),
        (lambda: score_encoder(lambda batch: batch[:3, 0, 0], images(), FACTORS), r"codes of shape \[3, 3\] for 256"),
        (lambda: score_encoder(position, images(), FACTORS, framework="pytorch"), "unknown framework 'pytorch'"),
        (lambda: score_encoder(position, images(), FACTORS, layout="NHCW"), "did you mean 'N"),
        (lambda: score_encoder(position, images(), FACTORS, batch_size=0), "batch_size must be at least 1, got 0"),
        (lambda: score_encoder(position, "circels"), "did you mean 'circles'"),
    ):
        with pytest.raises(Error, match=message):
            call()


def test_pytorch_module():
    torch = pytest.importorskip("torch")

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, batch):
            assert not self.training
            assert batch.shape[1:] == (3, 6, 7)
            place = batch[:, 0].flatten(1).argmax(dim=1)
            return torch.stack([place // 7, place % 7], dim=1) * self.scale

    module = Encoder().train()
    expected = score(FACTORS.astype(np.float32), FACTORS, "mig")
    assert score_encoder(module, torch.from_numpy(images()), FACTORS, "mig") == expected
    assert module.training


def test_integers_of_any_width_are_bytes():
    expected = score_encoder(position, images(), FACTORS, metrics="mig")
    assert score_encoder(position, images().astype(np.int64), FACTORS, metrics="mig") == expected
    with pytest.raises(Error, match=r"integer images must be within 0\.\.255, got values from 0 to 510"):
        score_encoder(position, 2 * images().astype(np.int64), FACTORS, metrics="mig")
