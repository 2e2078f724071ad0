"""Used and unused columns look different."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from factorgrid.report import image_grid


def test_unused_columns_lose_their_contrast_and_used_ones_stay() -> None:
    images = np.random.default_rng(0).random((3, 8, 8, 1)).astype(np.float32)
    used, unused, alone = image_grid.faded(images, np.asarray([0.7, 0.0, 0.3]))
    np.testing.assert_array_equal(used, images[0])
    np.testing.assert_array_equal(alone, images[2])
    assert np.ptp(unused) < 0.3 * np.ptp(images[1])
    for kept, image in zip(image_grid.faded(images, None), images, strict=True):
        np.testing.assert_array_equal(kept, image)


def test_bars_stand_in_the_room_below_their_row() -> None:
    axis = Figure().subplots()
    images = list(np.zeros((2, 10, 10, 1), np.float32))
    image_grid.draw_cells(axis, [images, images], room=image_grid.ROOM)
    image_grid.bars(axis, 1, np.asarray([0.25, 0.75]))
    image = 1 / (1 + image_grid.GAP + image_grid.ROOM)  # its share of the row's height
    low, high = (bar.get_height() for bar in axis.patches)
    assert high / low == pytest.approx(3)
    for bar in axis.patches:
        assert 1 + image <= bar.get_y() + bar.get_height() <= bar.get_y() <= 2
