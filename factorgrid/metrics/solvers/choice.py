"""Who fits the linear classifiers: the table of solvers, by the names of the metrics' option `solver`."""

from collections.abc import Callable
from dataclasses import dataclass

from factorgrid.errors import unknown_name
from factorgrid.metrics.solvers import linear_svm, logistic_regression, scikit_learn
from factorgrid.metrics.solvers.linear_svm import Machines
from factorgrid.metrics.solvers.logistic_regression import LogisticRegression


@dataclass(frozen=True)
class Solver:
    """Three fits that every solver offers, with the same arguments and results; see `logistic_regression` and
    `linear_svm` for what they minimise."""

    fit_logistic: Callable[..., LogisticRegression]
    fit_cross_validated: Callable[..., LogisticRegression]
    fit_machines: Callable[..., Machines]


SOLVERS: dict[str, Solver] = {
    "own": Solver(logistic_regression.fit_logistic, logistic_regression.fit_cross_validated, linear_svm.fit_machines),
    "sklearn": Solver(scikit_learn.fit_logistic, scikit_learn.fit_cross_validated, scikit_learn.fit_machines),
}


def solver_named(name: str) -> Solver:
    """The solver called `name`, or an Error with the nearest known name."""
    if name not in SOLVERS:
        raise unknown_name("solver", name, SOLVERS)
    return SOLVERS[name]
