"""How far planes are turned, on lattices whose answer is known."""

import numpy as np
import pytest

from factorgrid.papers.friede2023.alignment import align, alignments
from factorgrid.report.planes import Plane, lattice


def turned(degrees: float, *, stretch: tuple[float, float] = (1.0, 1.0)) -> Plane:
    """The lattice of positions, stretched, then rotated."""
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Plane("seed0", 0.5, (lattice(12) * stretch @ rotation).astype(np.float32))


@pytest.mark.parametrize(
    ("degrees", "expected"), [(0, 0), (10, 10), (44, 44), (60, 30), (90, 0), (100, 10), (180, 0), (-20, 20), (270, 0)]
)
def test_the_angle_is_that_of_the_rotation_to_the_nearest_axis(degrees: float, expected: float) -> None:
    found = align(turned(degrees))
    assert found.angles == pytest.approx((expected, expected), abs=1e-3)
    assert found.coherence == pytest.approx((1, 1), abs=1e-5)
    assert found.aligned == (expected <= 15)


def test_the_scale_of_a_latent_does_not_turn_it() -> None:
    assert align(turned(0, stretch=(5.0, 0.1))).angle == pytest.approx(0, abs=1e-3)
    assert align(turned(90, stretch=(0.1, 3.0))).separate


def test_the_worse_factor_decides() -> None:
    codes = lattice(8).copy()
    codes[..., 0] += 0.5 * codes[..., 1]  # y moves both latents, x one
    found = align(Plane("a", None, codes))
    assert found.angles == pytest.approx((0, np.degrees(np.arctan(0.5))), abs=1e-3)
    assert found.angle == max(found.angles)


def test_factors_that_share_an_axis_are_not_told_apart() -> None:
    codes = np.zeros((8, 8, 2), np.float32)
    codes[..., 0] = lattice(8)[..., 0] + 2 * lattice(8)[..., 1]
    found = align(Plane("a", None, codes))
    assert found.angles == pytest.approx((0, 0))
    assert (found.separate, found.angle, found.aligned) == (False, 45.0, False)


def test_a_collapsed_plane_is_not_aligned() -> None:
    found = align(Plane("a", None, np.zeros((4, 4, 2), np.float32)))
    assert (found.angle, found.coherence, found.aligned) == (45.0, (0.0, 0.0), False)


def test_one_long_tear_does_not_decide() -> None:
    codes = lattice(24).copy()
    codes[12:] += (0.3, 1.0)  # a jump that is not along an axis, at one of 23 steps
    assert align(Plane("a", None, codes)).angles[0] > 0
    codes = lattice(24).copy()
    codes[12:, :4] += (0.3, 1.0)
    assert align(Plane("a", None, codes)).aligned


def test_a_torn_plane_is_not_aligned() -> None:
    """Four quarters of the lattice, each turned by its own angle and put elsewhere: the mean direction is an axis."""
    codes = lattice(24) - 0.5
    for place, (rows, columns) in enumerate([(slice(12), slice(12)), (slice(12), slice(12, 24)),
                                             (slice(12, 24), slice(12)), (slice(12, 24), slice(12, 24))]):  # fmt: skip
        turn = np.radians(45 if place % 3 else -45)
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
        codes[rows, columns] = codes[rows, columns] @ rotation
    torn = align(Plane("a", None, codes.astype(np.float32)))
    assert min(torn.coherence) < 0.3
    assert (torn.coherent, torn.turn, torn.aligned) == (False, 45.0, False)


@pytest.mark.parametrize(("degrees", "expected"), [(0, True), (5, True), (30, False)])
def test_whole_planes_are_aligned_by_their_angle(degrees: float, expected: bool) -> None:
    rng = np.random.default_rng(0)
    plane = turned(degrees)
    noisy = Plane("a", None, plane.codes + rng.normal(0, 0.004, plane.codes.shape).astype(np.float32))
    found = align(noisy)
    assert found.coherent
    assert (found.aligned, found.turn) == (expected, found.angle)


def test_noise_without_direction_is_incoherent() -> None:
    codes = np.random.default_rng(0).normal(size=(24, 24, 2)).astype(np.float32)
    assert max(align(Plane("a", None, codes)).coherence) < 0.15


def test_the_order_stays() -> None:
    assert [round(found.angle) for found in alignments([turned(5), turned(30)])] == [5, 30]
