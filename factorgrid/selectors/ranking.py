"""UDR, unsupervised disentanglement ranking (Duan et al. 2020, ICLR, https://arxiv.org/abs/1905.12614).

The rival of the straight-through gap: it needs no labels either, but several models of one configuration. The idea:
disentangled models are alike up to permutation and sign of their latents, entangled ones are entangled each in
its own way. So a model is good if the latents of its siblings match its own one to one.
"""

import math
import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from factorgrid.errors import Error, unknown_name
from factorgrid.latents.abilities import Divergent
from factorgrid.metrics.checks import as_codes
from factorgrid.selectors.selector import Found, Members, Progress
from factorgrid.training import Run

NUM_IMAGES = 1000
SIMILARITIES = ("lasso", "spearman")

LASSO_PENALTY = 0.1


def lacks_seeds(run: Run) -> str:
    """Of a run that it does not apply to: what it lacks."""
    return "" if len(run.config.seeds) > 1 else "two seeds or more"


def score_udr(members: Members, num_batches: int, progress: Progress | None) -> Found:
    """UDR of every member among the seeds of its own hyperparameters."""
    images, _ = members.dataset.draw(NUM_IMAGES, seed=0)
    codes = [model.encode(images) for model in members.models]
    kl = [model.kl(images).mean(axis=0) if model.can(Divergent) else None for model in members.models]
    num_seeds = len(members.run.config.seeds)
    scores = np.full(len(codes), math.nan)
    for start in range(0, len(codes), num_seeds):  # seeds run fastest among the members
        # members that diverged would count as models that agree with nobody
        siblings = [i for i in range(start, start + num_seeds) if bool(members.state.alive[i])]
        if len(siblings) > 1:
            own = [kl[i] for i in siblings]
            known = [one for one in own if one is not None]
            scores[siblings] = udr([codes[i] for i in siblings], known if len(known) == len(own) else None)
    return Found({"udr": scores}, {"num_images": NUM_IMAGES})


def udr(
    codes: Sequence[Float[ndarray, "..."]],
    kl: Sequence[Float[ndarray, "..."]] | None = None,
    *,
    similarity: str = "lasso",
    min_kl: float = 0.01,
) -> list[float]:
    """A score per model from codes alone: how well its latents match those of the other models, one to one.

    For every pair of models, a matrix R of similarities between their latents: absolute lasso coefficients (penalty
    0.1, standardised codes), or absolute rank correlations. Latents whose mean KL to the prior is at most `min_kl`
    are uninformative and left out. A pair scores the mean over latents of max^2 / sum of R, along rows and
    columns, averaged; a model the median over its pairs.

    Args:
        codes: for each model, codes [sample, latent] of the same images in the same order.
        kl: for each model, mean KL [latent] of its posterior to the prior, in nats. None: every latent that is
            not constant is informative.
        similarity: "lasso" or "spearman", the two of the paper.
        min_kl: least KL of an informative latent.

    Returns:
        For each model, 0 .. 1 (spearman), about 0 .. 1 (lasso; coefficients can exceed 1 where codes are nearly
        collinear). Higher is better. A model without an informative latent scores 0.

    Raises:
        Error: fewer than two models, codes of different shapes, NaN codes, a KL of another length, an unknown
            similarity.
    """
    if similarity not in SIMILARITIES:
        raise unknown_name("similarity", similarity, SIMILARITIES)
    values, informative = _checked(codes, kl, min_kl)
    models = [_standardised(code) * use for code, use in zip(values, informative)]
    if similarity == "spearman":
        models = [_standardised(rankdata(code, axis=0)) for code in models]
    pairs = np.zeros((len(models), len(models)))
    for i, j in np.argwhere(~np.eye(len(models), dtype=bool)):
        matrix = spearman(models[i], models[j]) if similarity == "spearman" else lasso(models[i], models[j])
        pairs[i, j] = one_to_one(matrix[informative[i]][:, informative[j]])
    return [float(np.median(np.delete(pairs[:, j], j))) for j in range(len(models))]


def one_to_one(similarity: Float[ndarray, "row column"]) -> float:
    """Mean of max^2 / sum along each axis, averaged over the two axes; 0 for an empty matrix or empty lines.

    >>> one_to_one(np.eye(3))
    1.0
    >>> one_to_one(np.full((2, 2), 0.5))
    0.25
    """
    if similarity.size == 0:
        return 0.0
    scores = []
    for axis in (0, 1):
        total = similarity.sum(axis=axis)
        scores.append(np.mean(similarity.max(axis=axis) ** 2 / np.where(total > 0, total, 1.0)))
    return float(np.mean(scores))


def lasso(
    first: Float[ndarray, "sample latent"], second: Float[ndarray, "sample other"]
) -> Float[ndarray, "latent other"]:
    """Absolute coefficients of the lasso that predicts each of the second model's latents from the first's."""
    with warnings.catch_warnings():
        # collinear codes may need more than scikit-learn's 1000 passes, which the reference accepts
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = Lasso(alpha=LASSO_PENALTY, precompute=True).fit(first, second)
    return np.abs(model.coef_).reshape(second.shape[1], first.shape[1]).T


def spearman(
    first: Float[ndarray, "sample latent"], second: Float[ndarray, "sample other"]
) -> Float[ndarray, "latent other"]:
    """Absolute correlations of standardised ranks; 0 for a constant latent."""
    return np.abs(first.T @ second) / len(first)


def _standardised(codes: Float[ndarray, "sample latent"]) -> Float[ndarray, "sample latent"]:
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    return centred / np.where(codes.min(axis=0) < codes.max(axis=0), centred.std(axis=0), 1.0)


def _checked(
    codes: Sequence[ndarray], kl: Sequence[ndarray] | None, min_kl: float
) -> tuple[list[Float[ndarray, "sample latent"]], list[Bool[ndarray, " latent"]]]:
    """The codes, and which of their latents are informative."""
    values = [as_codes(code, f"codes of model {i}") for i, code in enumerate(codes)]
    if len(values) < 2:
        raise Error(f"UDR compares models with each other and needs at least two, got {len(values)}")
    for i, code in enumerate(values):
        if code.shape != values[0].shape:
            raise Error(
                f"UDR needs codes of one shape: model 0 has {list(values[0].shape)}, model {i} {list(code.shape)}"
            )
    moving = [code.min(axis=0) < code.max(axis=0) for code in values]
    if kl is None:
        return values, moving
    divergences = [np.asarray(value, np.float64) for value in kl]
    if len(divergences) != len(values) or any(value.shape != values[0].shape[1:] for value in divergences):
        raise Error(
            f"UDR needs a KL for each of {len(values)} models and {values[0].shape[1]} latents, "
            f"got shapes {[list(value.shape) for value in divergences]}"
        )
    return values, [value > min_kl for value in divergences]
