"""Codes and factors as people have them: tensors, tables, text, numbers, gaps."""

import numpy as np
import pandas as pd
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.metrics import METRICS, Counts, mig, sap, score
from factorgrid.metrics.checks import as_codes, as_factors, as_split
from factorgrid.metrics.inputs import column_names

SPACE = FactorSpace(("a", "b", "c"), (3, 4, 5))
COUNTS = Counts(num_train=400, num_test=200, batch_size=8, num_variance_estimate=300, downstream_sizes=(100,))
CHEAP = ("mig", "modularity", "sap", "explicitness", "irs", "factor_vae_score", "beta_vae_score", "infomec")


def sample(num=900, noise=0.4):
    factors = SPACE.sample(np.random.default_rng(0), num).astype(np.int64)
    return (factors + noise * np.random.default_rng(1).normal(size=factors.shape)).astype(np.float32), factors


class Tensor:
    """As much of a PyTorch tensor as matters: it must be detached, and brought to the host, first."""

    def __init__(self, array, *, ready=False, dtype="torch.float32"):
        self.array, self.ready, self.dtype = array, ready, dtype
        self.shape, self.ndim = array.shape, array.ndim

    def __len__(self):
        return len(self.array)

    def __array__(self, *_, **__):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")

    def detach(self):
        return Tensor(self.array, ready=True, dtype=self.dtype)

    def cpu(self):
        return self

    def float(self):
        return Tensor(self.array.astype(np.float32), ready=self.ready)

    def numpy(self):
        assert self.ready
        if "bfloat16" in self.dtype:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


def test_every_framework_scores_alike():
    jnp = pytest.importorskip("jax.numpy")
    codes, factors = sample()
    expected = score(codes, factors, CHEAP, counts=COUNTS)
    halves = np.asarray(jnp.asarray(codes).astype(jnp.bfloat16)).astype(np.float32)
    of_halves = score(halves, factors, "mig", counts=COUNTS)
    assert score(Tensor(codes), Tensor(factors), CHEAP, counts=COUNTS) == expected
    assert score(jnp.asarray(codes), jnp.asarray(factors), CHEAP, counts=COUNTS) == expected
    assert score(pd.DataFrame(codes), pd.DataFrame(factors), CHEAP, counts=COUNTS) == expected
    assert score(codes.tolist(), factors.tolist(), "mig", counts=COUNTS) == pytest.approx(
        score(codes.astype(float), factors, "mig", counts=COUNTS)
    )
    assert score(jnp.asarray(codes).astype(jnp.bfloat16), factors, "mig", counts=COUNTS) == of_halves
    assert score(Tensor(halves, dtype="torch.bfloat16"), factors, "mig", counts=COUNTS) == of_halves


def test_pytorch_itself():
    torch = pytest.importorskip("torch")
    codes, factors = sample()
    expected = score(codes, factors, CHEAP, counts=COUNTS)
    tensor, labels = torch.tensor(codes, requires_grad=True), torch.tensor(factors)
    assert score(tensor, labels, CHEAP, counts=COUNTS) == expected
    halves = tensor.bfloat16()
    assert score(halves, labels, "mig", counts=COUNTS) == score(
        halves.float().detach().numpy(), factors, "mig", counts=COUNTS
    )


def test_names_of_columns():
    assert column_names(pd.DataFrame({"hue": [1], "size": [2]}), "factor") == ["hue", "size"]
    assert column_names(np.zeros((1, 2)), "latent") == ["latent 0", "latent 1"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([0, 2, 1], [0, 2, 1]),
        ([0, -1, 3], [0, -1, 3]),
        ([-2, -1, 3], [0, 1, 5]),  # negative values that are meant
        ([-1, 1, -1], [0, 2, 0]),
        ([True, False, True], [1, 0, 1]),
        ([0.5, np.nan, 0.25], [1, -1, 0]),
        ([2.0, np.nan, 7.0], [2, -1, 7]),
        (["b", "a", "b"], [1, 0, 1]),
        (np.array(["b", None, "a"], object), [1, -1, 0]),
        (np.array([3, None, 5], object), [3, -1, 5]),
        (pd.Series(["b", None, "a"]), [1, -1, 0]),
        (pd.Series(["low", None, "high"], dtype=pd.CategoricalDtype(["low", "high"])), [0, -1, 1]),
        (pd.Series([4, None, 2], dtype="Int64"), [4, -1, 2]),
        (pd.Series([True, None, False], dtype="boolean"), [1, -1, 0]),
    ],
)
def test_labels_of_every_kind(column, expected):
    factors = pd.DataFrame({"x": column}) if isinstance(column, pd.Series) else np.asarray(column)[:, None]
    assert as_factors(factors, 3).ravel().tolist() == expected


def test_text_scores_as_its_numbers():
    codes, factors = sample()
    words = np.array(["ash", "birch", "cedar", "elm", "fir"])[factors]
    for name in CHEAP:
        assert score(codes, words, name, counts=COUNTS) == score(codes, factors, name, counts=COUNTS)


def test_training_and_test_share_their_numbers():
    codes = np.zeros((2, 1))
    for train, test in ((["a", "c"], ["c", "b"]), (pd.Series(["a", "c"]), pd.Series(["c", "b"]))):
        make = pd.DataFrame if isinstance(train, pd.Series) else lambda column: np.array(column["x"])[:, None]
        labels, labels_test = as_split(codes, make({"x": train}), codes, make({"x": test}))[1::2]
        assert labels.ravel().tolist() == [0, 2]
        assert labels_test.ravel().tolist() == [2, 1]


def test_continuous_factors_are_binned_not_counted():
    """Ten thousand different numbers are no ten thousand classes: as if cut finely by hand."""
    numbers = np.random.default_rng(0).uniform(size=(2_000, 2))
    by_hand = np.minimum((numbers - numbers.min(axis=0)) / np.ptp(numbers, axis=0) * 20, 19).astype(int)
    codes = numbers + 0.02 * np.random.default_rng(1).normal(size=numbers.shape)
    assert (as_factors(numbers, 2_000) == by_hand).all()
    for name in CHEAP:
        assert score(codes, numbers, name, counts=COUNTS) == score(codes, by_hand, name, counts=COUNTS)
    assert mig(codes, numbers)["mig"] > 0.6
    # a correlation takes the numbers as they are
    split = (codes, numbers, codes, numbers)
    exact = np.mean([np.corrcoef(codes[:, i], numbers[:, i])[0, 1] ** 2 for i in range(2)])
    assert sap(*split, continuous=True)["sap"] == pytest.approx(exact, abs=0.01)
    with pytest.raises(Error, match="must be numbers for a correlation, got <U"):
        sap(codes, by_hand.astype(str), codes, by_hand.astype(str), continuous=True)


@pytest.mark.parametrize("name", METRICS)
def test_unknown_values_are_left_out(name):
    """Not counted as one more value, and a factor's gaps are no other factor's."""
    if METRICS[name].cost == "minutes":
        pytest.skip("the fits that `dci_lightgbm` and `downstream_lr` also have, slower")
    codes, factors = sample(1_200, noise=0.2)
    gaps = np.where(np.random.default_rng(2).uniform(size=factors.shape) < 0.1, -1, factors)
    before, after = (score(codes, labels, name, counts=COUNTS) for labels in (factors, gaps))
    assert after == pytest.approx(before, abs=0.06)
    assert score(codes, np.where(gaps < 0, np.nan, gaps), name, counts=COUNTS) == after


def test_unknown_values_are_those_rows_missing():
    codes, factors = sample()
    gaps = factors.copy()
    gaps[:100, 1] = -1
    first, last = mig(codes, factors[:, [0, 2]])["mig"], mig(codes, gaps[:, [1]])["mig"]
    assert mig(codes, gaps)["mig"] == pytest.approx((2 * first + last) / 3, abs=1e-12)
    gaps[:, 1] = -1
    with pytest.warns(UserWarning, match="dropped factors with one value only: 1"):
        assert mig(codes, gaps)["mig"] == pytest.approx(first, abs=1e-12)
    with pytest.raises(Error, match="no known value of factor 1"):
        as_split(codes, factors, codes, gaps)


def test_one_hot_codes_are_their_categories():
    categories = np.random.default_rng(0).integers(6, size=(50, 3))
    assert (as_codes(np.eye(6)[categories]) == categories).all()
    assert (as_codes(pd.DataFrame({"x": [1.5, None]}).fillna(0.0)) == [[1.5], [0.0]]).all()
    with pytest.raises(Error, match="column 'x' is of type"):
        as_codes(pd.DataFrame({"x": ["a"]}))


def test_what_is_no_array_gets_one_line():
    codes, factors = sample(60)
    dates = np.full((60, 2), np.datetime64("2020-01-01"))
    for bad, labels, message in (
        ([[1.0], [1.0, 2.0]], factors, "not an array: "),
        (codes, [[1], [1, 2]], "not an array: "),
        (codes.astype(object), factors, "must be floating-point numbers, got object"),
        (codes, dates, r"factors, column 0, must be integers, numbers, text or categories, got datetime64"),
        (codes, np.full((60, 2), np.nan), "every factor has one value only"),
        (np.where(codes > 0, np.inf, codes), factors, "NaN or infinite"),
    ):
        with pytest.raises(Error, match=message) as caught:
            score(bad, labels, "mig")
        assert "\n" not in str(caught.value)


def test_integers_of_any_size():
    factors = np.array([[0], [2], [1]])
    for least in (np.int64(np.iinfo(np.int64).min), np.uint64(2**63)):
        extreme = factors.astype(type(least))
        extreme[factors == 0] = least
        assert len(np.unique(as_factors(extreme, 3))) == 3
        assert as_factors(extreme, 3).min() >= 0
