"""Representation: codes by factor values, whatever stands behind them; nothing is encoded twice."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from factorgrid.errors import Error
from factorgrid.factors import FactorSpace
from factorgrid.representation import CodeCache, Representation

SPACE = FactorSpace(("a", "b"), (4, 5))


class Images:
    """Images that show the factor values, plus noise if they are not deterministic."""

    def __init__(self, deterministic, space=SPACE):
        self.space, self.deterministic, self.num_observed = space, deterministic, 0

    def observe(self, factors, seed):
        self.num_observed += len(factors)
        noise = 0 if self.deterministic else np.random.default_rng(seed).uniform(size=(len(factors), 1))
        return (factors + noise)[:, None, :, None].astype(np.float32)


def encode(images):
    return images.reshape(len(images), -1) * 2


def all_factors():
    return SPACE.factors(np.arange(SPACE.num_points)).astype(np.int64)


def test_table_gives_the_rows_of_the_factors():
    table = np.random.default_rng(0).normal(size=(20, 3))
    representation = Representation.from_table(table, SPACE)
    factors = np.array([[3, 4], [0, 0], [1, 2], [1, 2]])
    assert (representation.codes(factors, np.random.default_rng(0)) == table[[19, 0, 7, 7]]).all()
    assert representation.num_latents == 3
    codes, drawn = representation.sample(np.random.default_rng(1), 50)
    assert (codes == table[SPACE.index(drawn)]).all()


def test_encoder_of_a_deterministic_data_set_encodes_each_point_once():
    dataset = Images(deterministic=True)
    representation = Representation.from_encoder(encode, dataset, batch_size=8)
    rng = np.random.default_rng(0)
    for _ in range(3):
        assert (representation.codes(all_factors(), rng) == all_factors() * 2).all()
    # one probe of a batch, then 20 points in three padded batches, then nothing
    assert dataset.num_observed == 8 + 24


def test_cache_encodes_only_what_is_asked_for():
    asked = []

    def record(index):
        asked.append(len(index))
        return all_factors()[index].astype(np.float32)

    cache = CodeCache(SPACE.num_points, record, 2, np.dtype(np.float32))
    factors = all_factors()
    assert (cache.codes(np.array([3, 3, 5])) == factors[[3, 3, 5]]).all()
    assert (cache.codes(np.array([5, 6])) == factors[[5, 6]]).all()
    assert asked == [2, 1]
    assert cache.num_encoded == 3


def test_cache_encodes_once_for_several_threads():
    asked = []

    def slow(index):
        asked.extend(index)
        time.sleep(0.02)
        return np.stack([index, index], axis=1).astype(np.float32)

    cache = CodeCache(SPACE.num_points, slow, 2, np.dtype(np.float32))
    wanted = [np.arange(start, start + 6) for start in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(cache.codes, wanted))
    assert sorted(asked) == list(range(13))
    for index, codes in zip(wanted, found):
        assert (codes[:, 0] == index).all()


def test_encoder_of_a_noisy_data_set_encodes_every_draw():
    representation = Representation.from_encoder(encode, Images(deterministic=False), batch_size=8)
    rng = np.random.default_rng(0)
    first, second = representation.codes(all_factors(), rng), representation.codes(all_factors(), rng)
    assert (first != second).any()
    # same generator, same draws
    assert (representation.codes(all_factors(), np.random.default_rng(0)) == first).all()
    # batches do not repeat each other's noise
    same = representation.codes(np.zeros((16, 2), np.int64), rng)
    assert len(np.unique(same[:, 0])) == 16


def test_generator_moves_alike_whatever_stands_behind():
    sources = [
        Representation.from_table(encode(all_factors()[:, None, :].astype(np.float64)), SPACE),
        Representation.from_encoder(encode, Images(deterministic=True)),
        Representation.from_encoder(encode, Images(deterministic=False)),
    ]
    after = []
    for representation in sources:
        rng = np.random.default_rng(7)
        representation.sample(rng, 10)
        after.append(rng.integers(2**31))
    assert len(set(after)) == 1


def test_errors():
    with pytest.raises(Error, match=r"\[20, latent\], a row for every point of the 4 x 5 factor grid; got \[19, 2\]"):
        Representation.from_table(np.zeros((19, 2)), SPACE)
    with pytest.raises(Error, match="1 NaN or infinite"):
        Representation.from_table(np.full((20, 1), [[0.0]] * 19 + [[np.nan]]), SPACE)
    with pytest.raises(Error, match="no known factors"):
        Representation.from_encoder(encode, Images(deterministic=True, space=None))


def test_factors_in_few_bits_find_the_same_codes():
    space = FactorSpace(("a", "b"), (3, 100))
    found = Representation(space, 1, lambda index, seed: index[:, None].astype(float))
    factors = np.array([[2, 99]])
    for kind in (np.int64, np.int8):
        assert found.codes(factors.astype(kind), np.random.default_rng(0)) == 299
