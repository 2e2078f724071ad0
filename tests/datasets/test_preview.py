"""Previews: a picture is written; what is in it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from factorgrid.datasets import load
from factorgrid.datasets.preview import preview, strip
from factorgrid.errors import Error


def test_a_strip_is_images_side_by_side() -> None:
    images = np.stack([np.full((2, 3, 1), value, np.float32) for value in (0.0, 0.5, 1.5)])
    row = strip(images)
    assert row.shape == (2, 10 * 5 - 2, 1)
    assert row[0, :, 0].tolist()[:13] == [0, 0, 0, 1, 1, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "resident"), [("whole grid", "host"), ("one image", "device"), ("gaps", "device"), ("none", "device")]
)
def test_preview_of_tables(tmp_path: Path, labels: str, resident: str) -> None:
    images = np.full((6, 64, 64), 60, np.uint8)
    factors = {"whole grid": [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]], "one image": [[0, 0]] * 5 + [[1, 2]]}
    factors["gaps"] = [[-1, 0]] * 5 + [[1, -1]]
    if labels == "none":
        np.savez(tmp_path / "a.npz", images=images)
    else:
        np.savez(tmp_path / "a.npz", images=images, factors=np.array(factors[labels]))
    preview(load(str(tmp_path / "a.npz"), resident=resident), tmp_path / "new" / "a.png", 0)
    with Image.open(tmp_path / "new" / "a.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    assert pixels.shape[1] == 1080
    assert (pixels == 60).sum() > 1000 or labels == "gaps"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]


def test_a_hidden_factor_stays_the_same_along_the_picture(tmp_path: Path) -> None:
    # two toys of each colour; toy 1 is bright. A row that mixed toys would show both levels.
    factors = np.repeat(np.arange(5), 2)
    images = np.broadcast_to(np.tile([50, 200], 5).astype(np.uint8)[:, None, None], (10, 64, 64))
    np.savez(tmp_path / "a.npz", images=images, factors=factors)
    for seed in range(2):
        preview(load(str(tmp_path / "a.npz")), tmp_path / "a.png", seed)
        with Image.open(tmp_path / "a.png") as picture:
            pixels = np.asarray(picture.convert("L"))
        assert ((pixels == 50).sum() > 5000) != ((pixels == 200).sum() > 5000)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 64, 64), np.uint8))
    with pytest.raises(Error, match=r"cannot write .*a\.png: .*; free some space or choose another place"):
        preview(load(str(tmp_path / "a.npz")), tmp_path / "file" / "a.png", 0)
