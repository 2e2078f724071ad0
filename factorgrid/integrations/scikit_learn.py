"""Autoencoders as scikit-learn estimators, and metrics as its scorers, for pipelines, searches and cross-validation."""

import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted

from factorgrid.api import make_config
from factorgrid.datasets.index import index_labels
from factorgrid.datasets.table import Layout, make_table
from factorgrid.errors import Error
from factorgrid.metrics import PUBLISHED, Counts, higher_is_better, metric_names, score
from factorgrid.metrics.lookup import METRICS
from factorgrid.training import train


class ImageAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Any method of this library on arrays of images: `transform` gives codes, `inverse_transform` images.

    X is images [sample, height, width, channel] or [sample, height, width], or a row of pixels each, [sample, pixel],
    which are one image row unless `image_shape` says more. Bytes are divided by 255, booleans are black and white;
    numbers beyond [0, 1] are moved there by the range of the images that were fitted, and back by `inverse_transform`.

    Args:
        method: a name such as "dvae" or "factor_vae", or "OBJECTIVE+LATENT" (`factorgrid train --help`).
        num_latents, steps, batch_size, learning_rate: as of `fg.train`.
        architecture: as of `fg.train`; "mlp" takes images of any size.
        image_shape: (height, width, channel) of rows of pixels.
        options: hyperparameters of the method and fields of `Config`: {"gamma": 10, "num_categories": 32}.
        scoring: of `score` where factors are given: a name of `factorgrid.metrics.METRICS`.
        random_state: the seed of weights and draws.
        out: the folder of the run, kept, so that a fit which was stopped goes on; none by default.

    Attributes:
        model_: the trained model, a `TrainedModel`.
        image_shape_: (height, width, channel).
        low_, high_: the numbers that black and white stand for.
        n_features_in_: pixels of an image times channels.
    """

    def __init__(
        self,
        method: str = "dvae",
        *,
        num_latents: int = 10,
        steps: int = 20_000,
        batch_size: int = 64,
        learning_rate: float = 1e-4,
        architecture: str = "mlp",
        image_shape: tuple[int, int, int] | None = None,
        options: dict[str, Any] | None = None,
        scoring: str = "mig",
        random_state: Any = 0,
        out: str | Path | None = None,
    ) -> None:
        self.method = method
        self.num_latents = num_latents
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.architecture = architecture
        self.image_shape = image_shape
        self.options = options
        self.scoring = scoring
        self.random_state = random_state
        self.out = out

    def fit(self, X: ArrayLike, y: Any = None) -> "ImageAutoencoder":
        """Train on images; y is ignored.

        Raises:
            Error: an unknown method, option or architecture, images that do not fit it, or training that diverged.
        """
        rows = self._rows(X, reset=True)
        low, high = float(rows.min()), float(rows.max())
        self.low_, self.high_ = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
        self.image_shape_ = self._shape()
        labels = np.zeros((len(rows), 0), np.int64)
        origin = f"an array, md5 {hashlib.md5(rows.tobytes()).hexdigest()}"
        layout = Layout(index_labels(labels, None), "images", self.image_shape_, "float32", origin)
        dataset = make_table(self._images(rows), layout)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        config = make_config(
            data="images",
            model=self.method,
            seeds=[seed],
            num_latents=self.num_latents,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            architecture=self.architecture,
            **(self.options or {}),
        )
        with tempfile.TemporaryDirectory() as folder:
            run = train(config, self.out or Path(folder) / "run", dataset=dataset, quiet=True)
            self.model_ = run.model()
        self._n_features_out = self.num_latents
        return self

    def transform(self, X: ArrayLike) -> ndarray:
        """The deterministic codes of images, float32 [sample, latent]."""
        check_is_fitted(self)
        return self.model_.encode(self._images(self._rows(X, reset=False)))

    def inverse_transform(self, X: ArrayLike) -> ndarray:
        """Images of codes [sample, latent], or of categories in integers, in the shape and range of those fitted."""
        check_is_fitted(self)
        codes = check_array(X, dtype=None)
        images = self.model_.decode(codes) * np.float32(self.high_ - self.low_) + np.float32(self.low_)
        return images.reshape(len(images), *self._row_shape)

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """How disentangled the codes are of the factors y [sample, factor], by `scoring`; higher is better.

        Without y: minus the mean squared error of the reconstructed images, black being 0 and white 1.
        """
        check_is_fitted(self)
        if y is not None:
            return CodeScorer(self.scoring)(self, X, y)
        images = self._images(self._rows(X, reset=False))
        return -float(np.mean((self.model_.reconstruct(images) - images) ** 2))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _shape(self) -> tuple[int, int, int]:
        """Of an image that was given as it was."""
        if len(self._row_shape) == 1 and self.image_shape is not None:
            if math.prod(self.image_shape) != self._row_shape[0]:
                raise Error(f"image_shape {self.image_shape} does not make {self._row_shape[0]} pixels")
            return self.image_shape
        height, width, channels = {1: (1, *self._row_shape, 1), 2: (*self._row_shape, 1), 3: self._row_shape}[
            len(self._row_shape)
        ]
        return height, width, channels

    def _rows(self, X: Any, *, reset: bool) -> ndarray:
        """X checked, [sample, pixel] in float32; bytes as shares of 255."""
        is_bytes = getattr(X, "dtype", None) == np.uint8
        shape = tuple(X.shape[1:]) if getattr(X, "ndim", 2) in (3, 4) else None
        rows = validated(self, X if shape is None else np.asarray(X).reshape(len(X), -1), reset=reset)
        shape = rows.shape[1:] if shape is None else shape
        if reset:
            self._row_shape = shape
        elif shape != self._row_shape:
            raise Error(f"images of shape {list(shape)}, and the ones fitted had {list(self._row_shape)}")
        return rows / np.float32(255) if is_bytes else rows

    def _images(self, rows: ndarray) -> ndarray:
        """Images in [0, 1], as the model was trained on; beyond the range that was fitted they are cut."""
        spread = (self.high_ - self.low_) or 1.0
        shares = np.clip((rows - np.float32(self.low_)) / np.float32(spread), 0, 1)
        return shares.reshape(len(rows), *self.image_shape_)


@dataclass(frozen=True)
class CodeScorer:
    """A metric as a scikit-learn scorer: `scorer(estimator, X, factors)`, of anything that has `transform`.

    Higher is better, always: what is better when low gets a minus.

    >>> from sklearn.decomposition import PCA
    >>> factors = np.stack(np.meshgrid(range(4), range(5)), axis=-1).reshape(-1, 2)
    >>> pixels = factors * np.array([1.0, 3.0])
    >>> CodeScorer("mig")(PCA(2).fit(pixels), pixels, factors)
    1.0

    Attributes:
        metric: a name of `factorgrid.metrics.METRICS`.
        key: which of its numbers ("dci.completeness"); the first by default.
        seed, counts: as of `factorgrid.score`.
    """

    metric: str = "mig"
    key: str | None = None
    seed: int = 0
    counts: Counts = PUBLISHED

    def __call__(self, estimator: Any, X: ArrayLike, y: ArrayLike) -> float:
        name = metric_names(self.metric)[0]
        key = next(iter(METRICS[name].keys)) if self.key is None else self.key
        factors = np.reshape(y, (-1, 1)) if np.ndim(y) == 1 else y
        value = score(estimator.transform(X), factors, name, self.seed, counts=self.counts)[key]
        return value if higher_is_better(key) else -value


def validated(estimator: Any, rows: Any, *, reset: bool) -> ndarray:
    """scikit-learn's check of X, which remembers the number and the names of the features."""
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before 1.6
        return estimator._validate_data(rows, reset=reset, dtype=np.float32)
    return validate_data(estimator, rows, reset=reset, dtype=np.float32)
