"""The linear support vector machine of SAP: one feature, balanced classes, one class against the rest, exactly.

It minimises what scikit-learn's `LinearSVC(C=0.01, class_weight="balanced")` minimises,

    w^2 / 2 + b^2 / 2 + sum_n C_n max(0, 1 - y_n (w x_n + b))^2,

but with one feature the samples inside the margin are a run of the sorted codes. From running sums, a Newton
step of all classes at once then costs a few look-ups instead of a pass over the samples, and the optimum is found
to rounding instead of to a tolerance.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

MAX_STEPS = 100
MAX_HALVINGS = 30

Sums = tuple[Float[ndarray, "3 machine"], Float[ndarray, "3 machine"]]


@dataclass(frozen=True)
class Machine:
    """Decision values weight * (x - centre) + bias, one per class (one in all if there are two classes)."""

    centre: float
    weight: Float[ndarray, " machine"]
    bias: Float[ndarray, " machine"]

    def predict(self, codes: Float[ndarray, " sample"]) -> Int[ndarray, " sample"]:
        """The class of each code, the first on ties."""
        values = (codes.astype(np.float64) - self.centre)[:, None] * self.weight + self.bias
        return (values[:, 0] > 0).astype(np.int64) if len(self.weight) == 1 else values.argmax(axis=1)


@dataclass(frozen=True)
class SortedCode:
    """One latent's training codes, centred and in ascending order."""

    centre: float
    order: Int[ndarray, " sample"]
    values: Float[ndarray, " sample"]

    @staticmethod
    def of(codes: Float[ndarray, " sample"]) -> "SortedCode":
        codes = codes.astype(np.float64)
        centre = float(codes.mean())
        order = np.argsort(codes, kind="stable")
        return SortedCode(centre, order, codes[order] - centre)

    def fit(self, labels: Int[ndarray, "sample factor"], penalty: float = 0.01) -> list[Machine]:
        """A machine per factor, for labels 0 .. K - 1 each of which occurs, K at least 2."""
        problem = Problem.of(self, labels, penalty)
        point = np.zeros((2, problem.num_machines))
        value, sums = problem.objective(point)
        for _ in range(MAX_STEPS):
            step = problem.newton_step(point, sums)
            size = np.ones(problem.num_machines)
            for _ in range(MAX_HALVINGS):
                moved, sums = problem.objective(point + size * step)
                worse = moved > value
                if not worse.any():
                    break
                size[worse] /= 2
            # a step that no halving improves has met rounding: that machine is done
            step = np.where(worse, 0.0, size * step)
            point, value = point + step, np.where(worse, value, moved)
            if worse.any():
                sums = problem.in_margin(point)
            if (np.abs(step) <= 1e-12 * (1 + np.abs(point))).all():
                break
        return [Machine(self.centre, *point[:, part]) for part in problem.parts]


@dataclass(frozen=True)
class Problem:
    """The one-against-rest problems of one code and all factors, with running sums of 1, x and x^2.

    Points are [2, machine]: weight, and bias at the centre of the codes. The penalty is on the bias at x = 0, as
    in the reference: bias - centre * weight. Classes are numbered through, over all factors.
    """

    centre: float
    values: Float[ndarray, " sample"]
    keys: Int[ndarray, " entry"]  # class * (num_samples + 1) + rank, ascending
    classes: Int[ndarray, " machine"]
    parts: list[slice]  # the machines of each factor
    sums: Float[ndarray, "3 rank"]
    sums_by_class: Float[ndarray, "3 entry_rank"]
    cost_own: Float[ndarray, " machine"]
    cost_rest: Float[ndarray, " machine"]

    @staticmethod
    def of(code: SortedCode, labels: Int[ndarray, "sample factor"], penalty: float) -> "Problem":
        num = len(labels)
        # 16 bits sort by radix
        ranked = labels[code.order].astype(np.int16 if labels.max() < 2**15 else np.int64)
        keys, ranks, classes, parts, own, rest = [], [], [], [], [], []
        first = machines = 0
        for j in range(labels.shape[1]):
            by_class = np.argsort(ranked[:, j], kind="stable")
            counts = np.bincount(labels[:, j])
            balanced = penalty * num / (len(counts) * counts)
            keys.append((ranked[by_class, j].astype(np.int64) + first) * (num + 1) + by_class)
            ranks.append(by_class)
            # with two classes one machine serves, and both sides are weighted; with more, the rest is not
            fitted = np.arange(len(counts)) if len(counts) > 2 else np.array([1])
            classes.append(fitted + first)
            own.append(balanced[fitted])
            rest.append(np.full(len(counts), penalty) if len(counts) > 2 else balanced[:1])
            parts.append(slice(machines, machines + len(fitted)))
            first, machines = first + len(counts), machines + len(fitted)
        return Problem(
            centre=code.centre,
            values=code.values,
            keys=np.concatenate(keys),
            classes=np.concatenate(classes),
            parts=parts,
            sums=running_sums(code.values),
            sums_by_class=running_sums(code.values[np.concatenate(ranks)]),
            cost_own=np.concatenate(own),
            cost_rest=np.concatenate(rest),
        )

    @property
    def num_machines(self) -> int:
        return len(self.classes)

    def in_margin(self, point: Float[ndarray, "2 machine"]) -> Sums:
        """Sums of 1, x and x^2 over the class's own samples, and the others, that the margin does not spare."""
        weight, bias = point
        num = len(self.values)
        flat = weight == 0
        slope = np.where(flat, 1.0, weight)
        # own samples count where weight * x + bias < 1, the others where it is > -1
        own_rank = np.searchsorted(self.values, np.where(flat, 0.0, (1 - bias) / slope))
        rest_rank = np.searchsorted(self.values, np.where(flat, 0.0, (-1 - bias) / slope))
        zero, full = np.zeros_like(own_rank), np.full_like(own_rank, num)
        own = (np.where(weight > 0, zero, own_rank), np.where(weight > 0, own_rank, full))
        rest = (np.where(weight > 0, rest_rank, zero), np.where(weight > 0, full, rest_rank))
        own = (np.where(flat, 0, own[0]), np.where(flat, num * (bias < 1), own[1]))
        rest = (np.where(flat, 0, rest[0]), np.where(flat, num * (bias > -1), rest[1]))
        every_rest = self.sums[:, rest[1]] - self.sums[:, rest[0]]
        return self._own_sums(*own), every_rest - self._own_sums(*rest)

    def _own_sums(self, low: Int[ndarray, " machine"], high: Int[ndarray, " machine"]) -> ndarray:
        base = self.classes * (len(self.values) + 1)
        first, last = np.searchsorted(self.keys, base + low), np.searchsorted(self.keys, base + high)
        return self.sums_by_class[:, last] - self.sums_by_class[:, first]

    def objective(self, point: Float[ndarray, "2 machine"]) -> tuple[Float[ndarray, " machine"], Sums]:
        """What is minimised, and the sums in the margin that it took."""
        weight, bias = point
        own, rest = sums = self.in_margin(point)
        at_zero = bias - self.centre * weight
        value = (
            (weight**2 + at_zero**2) / 2
            + self.cost_own * squares(own, weight, bias - 1)
            + self.cost_rest * squares(rest, weight, bias + 1)
        )
        return value, sums

    def newton_step(self, point: Float[ndarray, "2 machine"], sums: Sums) -> Float[ndarray, "2 machine"]:
        """From the sums in the margin at this point."""
        weight, bias = point
        own, rest = sums
        at_zero = bias - self.centre * weight
        (n, x, xx), (m, u, uu) = 2 * self.cost_own * own, 2 * self.cost_rest * rest
        slope = weight - self.centre * at_zero + weight * (xx + uu) + (bias - 1) * x + (bias + 1) * u
        level = at_zero + weight * (x + u) + (bias - 1) * n + (bias + 1) * m
        a, b, c = 1 + self.centre**2 + xx + uu, x + u - self.centre, 1 + n + m
        determinant = a * c - b * b
        return np.stack([b * level - c * slope, b * slope - a * level]) / determinant


def running_sums(values: Float[ndarray, " sample"]) -> Float[ndarray, "3 rank"]:
    """Sums of 1, x and x^2 over the first 0, 1, 2, ... values."""
    powers = np.stack([np.ones_like(values), values, values**2])
    return np.concatenate([np.zeros((3, 1)), np.cumsum(powers, axis=1)], axis=1)


def squares(sums: Float[ndarray, "3 machine"], weight: ndarray, offset: ndarray) -> Float[ndarray, " machine"]:
    """Sum of (weight * x + offset)^2 from the sums of 1, x and x^2."""
    return weight**2 * sums[2] + 2 * weight * offset * sums[1] + offset**2 * sums[0]
