"""Cars3D twin: 183 cars that can be told apart, where the published ones are in the frame."""

import numpy as np
import pytest

from factorgrid.datasets.rendered.cars3d_twin import NUM_CARS, Car, Cars3DTwin, all_cars


@pytest.fixture(scope="module")
def twin() -> Cars3DTwin:
    return Cars3DTwin()


def test_no_two_cars_look_alike(twin):
    """From two sides, the two most similar cars still differ by 1.5 % of full scale, or 6 % on the pixels of a car."""
    front_left, side = ([[1, azimuth, number] for number in range(NUM_CARS)] for azimuth in (3, 6))
    images = np.concatenate([twin.observe(np.array(view), 0) for view in (front_left, side)], axis=1)
    flat = images.reshape(NUM_CARS, -1)
    distances = np.array([np.abs(flat - row).mean(axis=1) for row in flat])
    np.fill_diagonal(distances, 1)
    assert distances.min() > 0.015


def test_cars_are_the_same_on_every_machine():
    cars = all_cars()
    assert cars.shape == (NUM_CARS, len(Car._fields))
    np.testing.assert_array_equal(cars, all_cars())
    assert 48 < cars[:, 0].min() < cars[:, 0].max() < 61  # lengths in pixels, as measured on published figures


def test_cars_stand_on_white_in_the_middle_of_the_frame(twin):
    """Published side views span columns 4 to 62 and rows 20 to 46 or so; the border is white."""
    factors = np.array([[elevation, 6, number] for elevation in (0, 3) for number in range(0, NUM_CARS, 6)])
    drawn = (twin.observe(factors, 0) < 0.97).any(axis=-1)
    assert not drawn[:, :12].any()
    assert not drawn[:, 54:].any()
    columns = [np.flatnonzero(mask.any(axis=0)) for mask in drawn]
    assert min(span[0] for span in columns) >= 1
    assert max(span[-1] for span in columns) <= 62
    assert all(abs((span[0] + span[-1]) / 2 - 31.5) < 2 for span in columns)


def test_azimuth_turns_the_car_about_its_axis(twin):
    """Seen from the left and from the right, a car is nearly its own mirror image; front and side are not."""
    left, right, front = twin.observe(np.array([[0, 6, 4], [0, 18, 4], [0, 0, 4]]), 0)
    assert np.abs(left - right[:, ::-1]).mean() < 0.01
    assert np.abs(left - front).mean() > 0.05
