"""How far a latent plane is turned from its axes: the paper's claim about Circles (Figures 10 and 11), measured.

Of the lattice of codes, the direction in which x moves the code is the principal axis of all steps between
neighbours along x, each weighed by its length; likewise y. The angle of a factor is that between its direction and
the nearest latent axis: 0 for a grid parallel to the axes, 45 degrees at most.

A direction says nothing of a plane that is torn: its parts point everywhere, and the mean of that may be an axis. So a
plane counts as aligned only if it is coherent as well: if the steps of either factor agree on their direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from factorgrid.report.planes import Plane

ALIGNED = 15.0  # degrees: a plane within them counts as parallel to the axes
COHERENT = 0.5  # at least: three quarters of the way that a factor moves the code lie in one direction
WORST = 45.0
STILL = 1e-6  # a code that moves less than this along a factor does not move


@dataclass(frozen=True)
class Alignment:
    """Of one member.

    Attributes:
        member: its name.
        mig: its score; None if it was not scored.
        angles: of x and of y, in degrees, 0 .. 45; 45 for a factor that does not move the code.
        coherence: 0 .. 1 of x and of y: whether the steps agree on that direction (1) or have none (0).
        separate: whether x and y move the code along different latent axes.
    """

    member: str
    mig: float | None
    angles: tuple[float, float]
    coherence: tuple[float, float]
    separate: bool

    @property
    def angle(self) -> float:
        """The larger angle; 45 where x and y share an axis, as such a plane does not tell them apart."""
        return max(self.angles) if self.separate else WORST

    @property
    def coherent(self) -> bool:
        """Whether both factors have a direction at all; a torn plane has none."""
        return min(self.coherence) >= COHERENT

    @property
    def turn(self) -> float:
        """The angle of a coherent plane; 45 of one that is torn."""
        return self.angle if self.coherent else WORST

    @property
    def aligned(self) -> bool:
        return self.turn <= ALIGNED


def alignments(shown: Sequence[Plane]) -> list[Alignment]:
    """Of every plane, in the same order."""
    return [align(plane) for plane in shown]


def align(plane: Plane) -> Alignment:
    """The angles of one plane."""
    x = _direction(np.diff(plane.codes, axis=0).reshape(-1, 2))
    y = _direction(np.diff(plane.codes, axis=1).reshape(-1, 2))
    return Alignment(plane.member, plane.mig, (x[0], y[0]), (x[1], y[1]), x[2] != y[2])


def _direction(steps: Float[ndarray, "step 2"]) -> tuple[float, float, int]:
    """Angle to the nearest axis in degrees, coherence, and which axis that is (-1: the code does not move)."""
    steps = steps.astype(np.float64)
    lengths = np.linalg.norm(steps, axis=1)
    moving = lengths > STILL
    if not moving.any():
        return WORST, 0.0, -1
    # by length, not its square: a few tears must not decide
    tensor = (steps[moving] / lengths[moving, None]).T @ steps[moving]
    values, vectors = np.linalg.eigh(tensor)
    principal = np.abs(vectors[:, 1])
    angle = float(np.degrees(np.arctan2(principal.min(), principal.max())))
    return angle, float((values[1] - values[0]) / values.sum()), int(principal.argmax())
