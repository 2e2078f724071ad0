"""The linear classifier of BetaVAE, explicitness and the downstream task: multinomial logistic regression, L2.

It minimises what scikit-learn's `LogisticRegression(C=strength)` minimises,

    sum_n -log p(label_n | code_n) + ||weight||^2 / (2 strength),    biases free (of two classes, one has no weight),

by the same method, L-BFGS, in a fraction of the time. A step is a few passes over single-precision arrays in which
the samples are contiguous, and few steps are needed: they are taken in coordinates in which the loss curves alike in
all directions near its optimum. Its curvature there comes from some of the samples, and so does the start.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import minimize

TOLERANCE = 5e-4  # greatest slope of the mean loss in those coordinates; what is left to gain is of its square's order
UNGUIDED_TOLERANCE = 1e-4  # in coordinates that know nothing of the curvature
ROUGH_TOLERANCE = 3e-3
NUM_SAMPLES = 1_250  # of the rough fit, and for the curvature
MAX_PARAMETERS = 2_000  # with more, the curvature takes longer than the steps that it saves
MAX_STEPS = 200
ROUNDING = 1e-9  # a step that lowers the loss by less, relatively, is one of single precision's
JITTER = 1e-5  # of the greatest part of a curvature, added to it
MEMORY = 20  # steps that L-BFGS remembers

Point = Float[ndarray, "class input"]
Guide = Float[ndarray, "parameter parameter"]  # lower Cholesky factor of a curvature


@dataclass(frozen=True)
class LogisticRegression:
    """The logits of the classes are weight @ (code - centre) + bias."""

    classes: Shaped[ndarray, " class"]
    centre: Float[ndarray, " latent"]
    weight: Float[ndarray, "class latent"]
    bias: Float[ndarray, " class"]

    def logits(self, codes: Float[ndarray, "sample latent"]) -> Float[ndarray, "class sample"]:
        """In single precision, as they are fitted."""
        # centred and scaled in double precision: single precision holds neither offsets far above the spread nor
        # all spreads
        scale = np.abs(self.weight).max(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        scaled = ((codes.astype(np.float64) - self.centre) * scale).T.astype(np.float32)
        return (self.weight / scale).astype(np.float32) @ scaled + self.bias[:, None].astype(np.float32)

    def probabilities(self, codes: Float[ndarray, "sample latent"]) -> Float[ndarray, "class sample"]:
        """The chance of every class."""
        return softmax(self.logits(codes))

    def predict(self, codes: Float[ndarray, "sample latent"]) -> Shaped[ndarray, " sample"]:
        """The likeliest class of each code, the first on ties."""
        return self.classes[self.logits(codes).argmax(axis=0)]


def fit_logistic(
    codes: Float[ndarray, "sample latent"], labels: Int[ndarray, " sample"], *, strength: float = 1.0
) -> LogisticRegression:
    """Learn `labels`, which hold at least two values; `strength` is scikit-learn's C, that of the data."""
    problem = Problem.of(codes, labels)
    some = problem.some()
    start = some.descend(strength * problem.num_samples / some.num_samples, problem.equal_chances(), ROUGH_TOLERANCE)
    return problem.model(problem.optimum(strength, start, problem.guide(strength, start)))


def fit_cross_validated(
    codes: Float[ndarray, "sample latent"],
    labels: Int[ndarray, " sample"],
    strengths: Sequence[float],
    folds: Iterable[tuple[Int[ndarray, " train"], Int[ndarray, " test"]]],
) -> LogisticRegression:
    """The fit to all samples with the strength of the best mean accuracy on left-out ones, the first on ties.

    Args:
        strengths: ascending; a fit starts where that of the strength before it ended.
        folds: rows to learn from, and rows to be judged on; all classes are among the former.
    """
    problem = Problem.of(codes, labels)
    parts = [(problem.rows(train), problem.rows(test)) for train, test in folds]
    point = problem.equal_chances()
    # each fold has a path of its own: the optimum over all samples knows those left out, and would not let go of them
    points = [part.equal_chances() for part, _ in parts]
    best, best_accuracy = point, -1.0
    for strength in strengths:
        guide = problem.guide(strength, point)
        point = problem.optimum(strength, point, guide)
        points = [part.optimum(strength, start, guide) for (part, _), start in zip(parts, points)]
        accuracy = float(np.mean([rest.accuracy(learnt) for (_, rest), learnt in zip(parts, points)]))
        if accuracy > best_accuracy:
            best, best_accuracy = point, accuracy
    return problem.model(best)


@dataclass(frozen=True)
class Problem:
    """Codes and labels, prepared; a point holds weights and a bias for every class, for inputs instead of codes.

    Attributes:
        classes: the values of the labels.
        place: which one each sample has.
        centre, axes: inputs are (codes - centre) @ axes, which have unit variance and no correlation, and a one.
        inputs: of all samples.
    """

    classes: Shaped[ndarray, " class"]
    place: Int[ndarray, " sample"]
    centre: Float[ndarray, " latent"]
    axes: Float[ndarray, "latent axis"]
    inputs: Float[ndarray, "input sample"]

    @staticmethod
    def of(codes: Float[ndarray, "sample latent"], labels: Int[ndarray, " sample"]) -> "Problem":
        classes, place = np.unique(labels, return_inverse=True)
        values = codes.T.astype(np.float64, order="C")
        differ = values.min(axis=1) < values.max(axis=1)
        centre = values.mean(axis=1)
        values -= centre[:, None]
        reach = np.abs(values).max(axis=1)
        live = differ & (reach > 1e-100)  # below, any weight that matters is penalised out of the range of the numbers
        reach = np.where(live, reach, 1.0)
        values /= reach[:, None]  # no square leaves that range
        covariance = values @ values.T / len(codes)
        scale = np.where(live, np.diag(covariance), 1.0) ** -0.5
        size, turn = np.linalg.eigh(scale[:, None] * covariance * scale)
        # directions in which the latents hardly vary stay small
        axes = scale[:, None] * turn / np.sqrt(np.maximum(size, 1e-6))
        inputs = np.ones((len(values) + 1, len(codes)), np.float32)
        inputs[:-1] = axes.T @ values
        return Problem(classes, place, centre, axes / reach[:, None], inputs)

    @property
    def num_samples(self) -> int:
        return self.inputs.shape[1]

    def rows(self, rows: Int[ndarray, " row"]) -> "Problem":
        """The same of some samples only."""
        return replace(self, place=self.place[rows], inputs=self.inputs[:, rows])

    def some(self) -> "Problem":
        """The same of `NUM_SAMPLES` samples, drawn, for neighbours may be alike; of all, if these are few."""
        if self.num_samples <= 2 * NUM_SAMPLES:
            return self
        return self.rows(np.random.default_rng(0).integers(self.num_samples, size=NUM_SAMPLES))

    def equal_chances(self) -> Point:
        """Whatever the code is; where classes differ in size, their shares."""
        point = np.zeros((len(self.classes), len(self.inputs)))
        point[:, -1] = np.log(np.bincount(self.place, minlength=len(point)) / self.num_samples)
        return point

    def accuracy(self, point: Point) -> float:
        """Share of the samples whose likeliest class is theirs."""
        return float(np.mean((point @ self.inputs).argmax(axis=0) == self.place))

    def model(self, point: Point) -> LogisticRegression:
        return LogisticRegression(self.classes, self.centre, point[:, :-1] @ self.axes.T, point[:, -1])

    def penalty(self, strength: float) -> Float[ndarray, "axis axis"]:
        """The penalty of a class is half of weight @ this @ weight, over the mean loss."""
        # of two classes scikit-learn penalises half of the squared difference w of the weights; with w / 2 and -w / 2
        # that is twice half of the sum of their squares
        return (2 if len(self.classes) == 2 else 1) / (strength * self.num_samples) * self.axes.T @ self.axes

    def guide(self, strength: float, point: Point) -> Guide | None:
        """What `descend` needs to know of the curvature near a point; None if that is not worth its time."""
        if point.size > MAX_PARAMETERS:
            return None
        try:
            return cholesky(self.some().curvature(point, self.penalty(strength)), lower=True, check_finite=False)
        except LinAlgError:  # rounding has outgrown what was added: codes with far outliers, next to no penalty
            return None

    def optimum(self, strength: float, start: Point, guide: Guide | None) -> Point:
        """Where the loss is least, sought from `start`."""
        return self.descend(strength, start, UNGUIDED_TOLERANCE if guide is None else TOLERANCE, guide)

    def descend(self, strength: float, start: Point, tolerance: float, guide: Guide | None = None) -> Point:
        """Follow the slope to where it is below `tolerance`, in coordinates that the guide makes alike."""
        loss_and_slope = self.loss(self.penalty(strength))
        options = {"maxiter": MAX_STEPS, "maxcor": MEMORY, "gtol": tolerance, "ftol": ROUNDING}
        if guide is None:
            found = minimize(loss_and_slope, start.ravel(), jac=True, method="L-BFGS-B", options=options).x
            return found.reshape(start.shape)

        def guided(flat: Float[ndarray, " parameter"]) -> tuple[float, Float[ndarray, " parameter"]]:
            value, slope = loss_and_slope(solve_triangular(guide, flat, lower=True, trans=1, check_finite=False))
            return value, solve_triangular(guide, slope, lower=True, check_finite=False)

        found = minimize(guided, guide.T @ start.ravel(), jac=True, method="L-BFGS-B", options=options).x
        return solve_triangular(guide, found, lower=True, trans=1, check_finite=False).reshape(start.shape)

    def loss(self, penalty: Float[ndarray, "axis axis"]) -> Callable[[ndarray], tuple[float, ndarray]]:
        """The mean loss with its penalty, and its slope, as a function of a point laid out flat."""
        num_classes, num = len(self.classes), self.num_samples
        sums = np.stack([np.bincount(self.place, row, num_classes) for row in self.inputs], axis=1)
        by_sample = np.ascontiguousarray(self.inputs.T)
        chances = np.empty((num_classes, num), np.float32)

        def loss_and_slope(flat: Float[ndarray, " parameter"]) -> tuple[float, Float[ndarray, " parameter"]]:
            point = flat.reshape(sums.shape)
            np.matmul(point.astype(np.float32), self.inputs, out=chances)
            largest = chances.max(axis=0)
            np.exp(np.subtract(chances, largest, out=chances), out=chances)
            total = chances.sum(axis=0)
            np.multiply(chances, 1 / total, out=chances)
            penalised = point[:, :-1] @ penalty
            loss = (np.log(total) + largest).sum(dtype=np.float64) - np.vdot(point, sums)
            slope = (chances @ by_sample - sums) / num
            slope[:, :-1] += penalised
            return loss / num + np.vdot(penalised, point[:, :-1]) / 2, slope.ravel()

        return loss_and_slope

    def curvature(self, point: Point, penalty: Float[ndarray, "axis axis"]) -> Float[ndarray, "parameter parameter"]:
        """Second derivatives of the mean loss with its penalty, and a little more, so that none vanishes."""
        num_classes, num_inputs = point.shape
        chances = softmax(point.astype(np.float32) @ self.inputs)
        weighted = chances[:, None] * self.inputs
        flat = weighted.reshape(point.size, -1)
        result = (flat @ flat.T).astype(np.float64) / -self.num_samples
        of_classes = result.reshape(num_classes, num_inputs, num_classes, num_inputs)
        greatest = 0.0
        for i in range(num_classes):
            block = weighted[i] @ self.inputs.T / self.num_samples
            greatest = max(greatest, float(block.diagonal().max()))
            of_classes[i, :, i, :] += block
            of_classes[i, :-1, i, :-1] += penalty
        result[np.diag_indices(point.size)] += JITTER * greatest
        return result


def softmax(logits: Float[ndarray, "class sample"]) -> Float[ndarray, "class sample"]:
    """Chances of the classes, in place."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits
