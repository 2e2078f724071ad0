"""Tables on the device and on the host: the same images for the same key, and what each refuses."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from factorgrid.datasets.index import Grid, Index, index_labels
from factorgrid.datasets.rendered.dsprites_twin import colored
from factorgrid.datasets.table import HostTable, Layout, Table, make_table
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace

SPACE = FactorSpace(("a", "b"), (3, 5))


def pixels_of(encoding: str, num: int, channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    if encoding == "bits":
        return np.packbits(rng.integers(0, 2, size=(num, 8 * 8), dtype=np.uint8), axis=1)
    if encoding == "float32":
        return rng.normal(size=(num, 8, 8, channels)).astype(np.float32)
    return rng.integers(0, 256, size=(num, 8, 8, channels), dtype=np.uint8)


def assert_images(images: np.ndarray, raw: np.ndarray) -> None:
    """To the last bit but one: compilers may multiply by 1 / 255."""
    np.testing.assert_allclose(images, raw / 255, rtol=0, atol=1e-7)


def indexes() -> dict[str, Index]:
    rng = np.random.default_rng(1)
    return {
        "grid": Grid(SPACE),
        "duplicates": index_labels(rng.integers(0, [3, 5], size=(40, 2)), SPACE),
        "gaps": index_labels(rng.integers(-1, [3, 5], size=(40, 2)), SPACE),
        "unlabelled": index_labels(np.zeros((40, 0), np.int64), None),
    }


def both(encoding: str, index: Index) -> tuple[Table, HostTable]:
    painted = encoding == "bits"
    layout = Layout(index, "test", (8, 8, 3), encoding, "a test", colored if painted else None)
    pixels = pixels_of(encoding, index.num_images)
    device = make_table(pixels, layout, resident="device")
    host = make_table(pixels, layout, resident="host")
    assert isinstance(device, Table)
    assert isinstance(host, HostTable)
    return device, host


@pytest.mark.parametrize(
    ("kind", "encoding"), [("grid", "levels"), ("duplicates", "bits"), ("gaps", "float32"), ("unlabelled", "levels")]
)
def test_host_and_device_draw_the_same_batch(encoding: str, kind: str) -> None:
    device, host = both(encoding, indexes()[kind])
    assert device.deterministic == host.deterministic == (kind == "grid" and encoding != "bits")
    sample = eqx.filter_jit(lambda dataset, key: dataset.sample(key, 32))
    for seed in range(3):
        key = jax.random.key(seed)
        batch = sample(device, key)
        rows, factors = eqx.filter_jit(lambda dataset, key: dataset.rows(key, 32))(host, key)
        images = eqx.filter_jit(lambda dataset, *a: dataset.decode(*a))(host, key, host.gather(np.asarray(rows)))
        assert rows.dtype == jnp.int32
        assert np.array_equal(images, batch.images)
        assert np.array_equal(factors, batch.factors)
        drawn_device, drawn_host = device.draw(32, seed), host.draw(32, seed)
        assert np.array_equal(drawn_device[0], images)
        assert np.array_equal(drawn_host[0], images)
        assert np.array_equal(drawn_device[1], drawn_host[1])


def test_the_step_is_compiled_once() -> None:
    device, _ = both("levels", Grid(SPACE))
    traces = []

    @eqx.filter_jit
    def step(dataset: Table, key: jax.Array) -> jax.Array:
        traces.append(1)
        return dataset.sample(key, 4).images

    for seed in range(3):
        step(device, jax.random.key(seed))
    assert len(traces) == 1


def test_uint8_255_is_white_and_bits_come_highest_first() -> None:
    grid = Grid(FactorSpace(("a",), (2,)))
    table = make_table(np.array([[[[0]]], [[[255]]]], np.uint8), Layout(grid, "t", (1, 1, 1)), resident="device")
    assert table.observe(np.array([[0], [1]]), 0).ravel().tolist() == [0.0, 1.0]
    bits = make_table(np.array([[0b10000000], [1]], np.uint8), Layout(grid, "t", (2, 4, 1), "bits"), resident="device")
    images = bits.observe(np.array([[0], [1]]), 0)
    assert images[0, 0, 0, 0] == images[1, 1, 3, 0] == 1
    assert images.sum() == 2


@pytest.mark.parametrize("residence", [0, 1])
def test_observe_gives_the_image_of_the_factors(residence: int) -> None:
    table = both("levels", Grid(SPACE))[residence]
    factors = SPACE.factors(np.array([7, 0, 14]))
    assert_images(table.observe(factors, 0), pixels_of("levels", 15)[[7, 0, 14]])


@pytest.mark.parametrize("residence", [0, 1])
def test_observe_names_factors_without_an_image(residence: int) -> None:
    table = both("levels", index_labels(np.array([[0, 0], [2, 4]]), SPACE))[residence]
    with pytest.raises(Error, match="'test' has no image with a 1, b 3"):
        table.observe(np.array([[0, 0], [1, 3]]), 0)


def test_missing_images_are_nan_in_compiled_programs() -> None:
    table, _ = both("levels", index_labels(np.array([[0, 0], [2, 4]]), SPACE))
    images = table.images(jax.random.key(0), jnp.array([[0, 0], [1, 3]], jnp.int32))
    assert jnp.isfinite(images[0]).all()
    assert jnp.isnan(images[1]).all()


def test_gather_keeps_order_repeats_and_shape(tmp_path: Path) -> None:
    pixels = pixels_of("levels", 600)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    layout = Layout(Grid(FactorSpace(("a",), (600,))), "t", (8, 8, 3))
    host = make_table(mapped, layout, resident="host")
    rows = np.random.default_rng(0).integers(0, 600, size=(3, 7, 100))
    assert np.array_equal(host.gather(rows), pixels[rows])


def test_kept_rows_make_the_table() -> None:
    pixels = pixels_of("levels", 60)
    kept = np.arange(15) * 4
    layout = Layout(Grid(SPACE), "t", (8, 8, 3))
    device = make_table(pixels, layout, resident="device", kept=kept)
    host = make_table(pixels, layout, resident="host", kept=kept)
    factors = SPACE.factors(np.array([3, 9]))
    assert_images(device.observe(factors, 0), pixels[[12, 36]])
    assert np.array_equal(host.observe(factors, 0), device.observe(factors, 0))


def test_the_budget_decides() -> None:
    layout, pixels = Layout(Grid(SPACE), "t", (8, 8, 3)), pixels_of("levels", 15)
    assert isinstance(make_table(pixels, layout, budget=pixels.nbytes), Table)
    assert isinstance(make_table(pixels, layout, budget=pixels.nbytes - 1), HostTable)
    huge = np.lib.stride_tricks.as_strided(pixels, (15, 2**50), (1, 0))
    with pytest.raises(Error, match=r"takes .* GB on the device, where .* are free; load it with resident='host'"):
        make_table(huge, layout, resident="device")
