"""Files of pictures."""

from pathlib import Path

import numpy as np
from PIL import Image

from factorgrid.report.style import picture, shrink


def test_a_shrunk_picture_is_smaller_and_looks_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lines.png"
    with picture(path, 4.0, 3.0) as figure:
        axis = figure.subplots()
        for index in range(40):
            axis.plot(np.arange(20), np.sin(np.arange(20) + index))
    with Image.open(path) as image:
        before = np.asarray(image.convert("RGB"), np.float64)
    size = path.stat().st_size
    shrink(path)
    with Image.open(path) as image:
        after = np.asarray(image.convert("RGB"), np.float64)
    assert path.stat().st_size < 0.6 * size
    assert after.shape == before.shape
    assert np.abs(after - before).mean() < 2
