"""The linear support vector machine of SAP: one feature, balanced classes, one class against the rest, exactly.

It minimises what scikit-learn's `LinearSVC(C=0.01, class_weight="balanced")` minimises,

    w^2 / 2 + b^2 / 2 + sum_n C_n max(0, 1 - y_n (w x_n + b))^2,

but with one feature the samples inside the margin are a run of the sorted codes. From running sums, a Newton
step of the machines of all latents, factors and classes at once then costs a few look-ups instead of passes over
the samples, and the optimum is found to rounding instead of to a tolerance.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

MAX_STEPS = 100
MAX_HALVINGS = 30
ROUNDING = 1e-12  # relative; an increase of the objective by less is none

Sums = tuple[Float[ndarray, "3 latent machine"], Float[ndarray, "3 latent machine"]]


@dataclass(frozen=True)
class Machines:
    """Decision values weight * (x - centre) + bias: for each latent and factor one per class, or one for two classes.

    Attributes:
        centre: of each latent's training codes.
        weight, bias: of the machines of all factors.
        parts: which of them are each factor's.
    """

    centre: Float[ndarray, " latent"]
    weight: Float[ndarray, "latent machine"]
    bias: Float[ndarray, "latent machine"]
    parts: list[slice]

    def predict(self, codes: Float[ndarray, " sample"], latent: int, factor: int) -> Int[ndarray, " sample"]:
        """The class of each of some ascending codes: that of the greatest decision value."""
        values = codes.astype(np.float64) - self.centre[latent]
        weight, bias = self.weight[latent, self.parts[factor]], self.bias[latent, self.parts[factor]]
        if len(weight) == 1:
            return (weight * values + bias > 0).astype(np.int64)
        highest, starts = envelope(weight, bias)
        ends = [*np.searchsorted(values, starts[1:]), len(values)]
        return np.repeat(highest, np.diff(ends, prepend=0))


def envelope(weight: Float[ndarray, " line"], bias: Float[ndarray, " line"]) -> tuple[list[int], list[float]]:
    """Which of the lines weight * x + bias are the highest somewhere, from left to right, and where each begins.

    >>> envelope(np.array([0.0, 1.0, -1.0]), np.array([1.0, 0.0, 0.0]))
    ([2, 0, 1], [-inf, -1.0, 1.0])
    """
    highest: list[int] = []
    starts: list[float] = []
    slopes, levels = weight.tolist(), bias.tolist()
    # of parallel lines the highest comes first, and of equal ones the first
    for line in np.lexsort((-bias, weight)).tolist():
        if highest and slopes[line] == slopes[highest[-1]]:
            continue
        start = -np.inf
        while highest:
            start = (levels[highest[-1]] - levels[line]) / (slopes[line] - slopes[highest[-1]])
            if start > starts[-1]:
                break
            highest.pop()
            starts.pop()
        highest.append(line)
        starts.append(start if len(highest) > 1 else -np.inf)
    return highest, starts


def fit_machines(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, "sample factor"], penalty: float = 0.01
) -> Machines:
    """Machines for labels 0 .. K - 1 each of which occurs, K at least 2 for every factor."""
    problem = Problem.of(codes, labels, penalty)
    point = np.zeros((2, *problem.shape))
    value, sums = problem.objective(point)
    for _ in range(MAX_STEPS):
        step = problem.newton_step(point, sums)
        for _ in range(MAX_HALVINGS):
            moved, sums = problem.objective(point + step)
            worse = moved > value * (1 + ROUNDING)
            if not worse.any():
                break
            step[:, worse] /= 2
        # a step that no halving improves has met rounding: that machine is done
        step[:, worse] = 0.0
        point, value = point + step, np.where(worse, value, moved)
        if (np.abs(step) <= ROUNDING * (1 + np.abs(point))).all():
            break
    return Machines(problem.centre, point[0], point[1], problem.parts)


@dataclass(frozen=True)
class Problem:
    """The one-against-rest problems of all codes and factors, with running sums of 1, x and x^2.

    Points are [2, latent, machine]: weight, and bias at the centre of the codes. The penalty is on the bias at
    x = 0, as in the reference: bias - centre * weight. Classes are numbered through, over all factors.
    """

    centre: Float[ndarray, " latent"]
    values: Float[ndarray, "latent sample"]  # centred, ascending
    keys: Int[ndarray, "latent entry"]  # class * (num_samples + 1) + rank, ascending; an entry per sample and factor
    classes: Int[ndarray, " machine"]
    parts: list[slice]  # the machines of each factor
    sums: Float[ndarray, "3 latent rank"]
    sums_by_class: Float[ndarray, "3 latent entry_rank"]
    before: Float[ndarray, "3 latent machine"]  # sums of all entries of earlier classes
    within: Float[ndarray, "3 latent machine"]  # sums of the class
    cost_own: Float[ndarray, " machine"]
    cost_rest: Float[ndarray, " machine"]

    @staticmethod
    def of(codes: Float[ndarray, "sample latent"], labels: Int[ndarray, "sample factor"], penalty: float) -> "Problem":
        num = len(codes)
        values = codes.T.astype(np.float64, order="C")
        centre = values.mean(axis=1)
        values -= centre[:, None]
        order = np.argsort(values, axis=1)
        values = np.take_along_axis(values, order, axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(num)[None], axis=1)
        keys, classes, sizes, ends, parts, own, rest = [], [], [], [], [], [], []
        first = machines = 0
        for j in range(labels.shape[1]):
            keys.append(np.sort((labels[:, j] + first) * (num + 1) + rank, axis=1))
            counts = np.bincount(labels[:, j])
            balanced = penalty * num / (len(counts) * counts)
            # with two classes one machine serves, and both sides are weighted; with more, the rest is not
            fitted = np.arange(len(counts)) if len(counts) > 2 else np.array([1])
            classes.append(fitted + first)
            sizes.append(counts[fitted])
            ends.append(j * num + np.cumsum(counts)[fitted])
            own.append(balanced[fitted])
            rest.append(np.full(len(counts), penalty) if len(counts) > 2 else balanced[:1])
            parts.append(slice(machines, machines + len(fitted)))
            first, machines = first + len(counts), machines + len(fitted)
        entries = np.concatenate(keys, axis=1)
        sums_by_class = running_sums(np.take_along_axis(values, entries % (num + 1), axis=1))
        end = np.concatenate(ends)
        before = sums_by_class[:, :, end - np.concatenate(sizes)]
        return Problem(
            centre=centre,
            values=values,
            keys=entries,
            classes=np.concatenate(classes),
            parts=parts,
            sums=running_sums(values),
            sums_by_class=sums_by_class,
            before=before,
            within=sums_by_class[:, :, end] - before,
            cost_own=np.concatenate(own),
            cost_rest=np.concatenate(rest),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Latents and machines of each."""
        return len(self.centre), len(self.classes)

    def in_margin(self, point: Float[ndarray, "2 latent machine"]) -> Sums:
        """Sums of 1, x and x^2 over the class's own samples, and the others, that the margin does not spare."""
        weight, bias = point
        # own samples count where weight * x + bias < 1, the others where it is > -1
        flat = weight == 0
        slope = np.where(flat, 1.0, weight)
        own_end = np.where(flat, np.where(bias < 1, np.inf, -np.inf), (1 - bias) / slope)
        rest_end = np.where(flat, np.where(bias > -1, -np.inf, np.inf), (-1 - bias) / slope)
        ends = np.concatenate([own_end, rest_end], axis=1)
        every, of_class = self._sums_below(ends)
        (_, every_rest), (own, own_rest) = np.split(every, 2, axis=2), np.split(of_class, 2, axis=2)
        # a falling line has its samples on the other side
        rising = weight >= 0
        rest_below = every_rest - own_rest
        rest_in_all = self.sums[:, :, -1:] - self.within
        return np.where(rising, own, self.within - own), np.where(rising, rest_in_all - rest_below, rest_below)

    def _sums_below(self, ends: Float[ndarray, "latent end"]) -> tuple[ndarray, ndarray]:
        """Sums [3, latent, end] over all samples below each end, and over those of the end's class."""
        base = np.tile(self.classes * (self.values.shape[1] + 1), 2)
        rank = np.stack([np.searchsorted(row, places) for row, places in zip(self.values, ends)])
        entry = np.stack([np.searchsorted(row, places) for row, places in zip(self.keys, base + rank)])
        latent = np.arange(len(rank))[:, None]
        return self.sums[:, latent, rank], self.sums_by_class[:, latent, entry] - np.tile(self.before, 2)

    def objective(self, point: Float[ndarray, "2 latent machine"]) -> tuple[Float[ndarray, "latent machine"], Sums]:
        """What is minimised, and the sums in the margin that it took."""
        weight, bias = point
        own, rest = sums = self.in_margin(point)
        at_zero = bias - self.centre[:, None] * weight
        value = (
            (weight**2 + at_zero**2) / 2
            + self.cost_own * squares(own, weight, bias - 1)
            + self.cost_rest * squares(rest, weight, bias + 1)
        )
        return value, sums

    def newton_step(self, point: Float[ndarray, "2 latent machine"], sums: Sums) -> Float[ndarray, "2 latent machine"]:
        """From the sums in the margin at this point."""
        weight, bias = point
        own, rest = sums
        centre = self.centre[:, None]
        at_zero = bias - centre * weight
        (n, x, xx), (m, u, uu) = 2 * self.cost_own * own, 2 * self.cost_rest * rest
        slope = weight - centre * at_zero + weight * (xx + uu) + (bias - 1) * x + (bias + 1) * u
        level = at_zero + weight * (x + u) + (bias - 1) * n + (bias + 1) * m
        a, b, c = 1 + centre**2 + xx + uu, x + u - centre, 1 + n + m
        determinant = a * c - b * b
        return np.stack([b * level - c * slope, b * slope - a * level]) / determinant


def running_sums(values: Float[ndarray, "latent sample"]) -> Float[ndarray, "3 latent rank"]:
    """Sums of 1, x and x^2 over the first 0, 1, 2, ... values."""
    sums = np.zeros((3, values.shape[0], values.shape[1] + 1))
    sums[0] = np.arange(values.shape[1] + 1)
    np.cumsum(values, axis=1, out=sums[1, :, 1:])
    np.cumsum(values**2, axis=1, out=sums[2, :, 1:])
    return sums


def squares(sums: Float[ndarray, "3 latent machine"], weight: ndarray, offset: ndarray) -> ndarray:
    """Sum of (weight * x + offset)^2 from the sums of 1, x and x^2."""
    return weight**2 * sums[2] + 2 * weight * offset * sums[1] + offset**2 * sums[0]
