"""Loaders against miniatures in the authors' formats: right images, and one clear line for every damage."""

import contextlib
import gzip
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from miniatures import (
    MPI3D_FIRST,
    MPI3D_FULL,
    WRITERS,
    norb_matrix,
    write_cars3d,
    write_dsprites,
    write_mpi3d,
    write_shapes3d,
    write_smallnorb,
)
from PIL import Image

from factorgrid.datasets import DATASETS, DataWarning, load
from factorgrid.datasets.published import cars3d, dsprites, mpi3d, shapes3d, smallnorb
from factorgrid.datasets.table import HostTable, Table
from factorgrid.errors import Error


def assert_images(images: np.ndarray, raw: np.ndarray) -> None:
    """To the last bit but one: compilers may multiply by 1 / 255."""
    np.testing.assert_allclose(images, raw / 255, rtol=0, atol=1e-6)


@pytest.mark.parametrize("resident", ["device", "host"])
def test_dsprites(tmp_path: Path, resident: str) -> None:
    mini = write_dsprites(tmp_path)
    dataset = mini.load(tmp_path, resident=resident)
    assert dataset.deterministic
    assert dataset.image_shape == (64, 64, 1)
    factors = mini.space.factors(np.arange(mini.space.num_points))
    assert np.array_equal(dataset.observe(factors, 0), mini.images)
    assert "md5" in dataset.origin


def test_color_dsprites_colours_the_sprite_only(tmp_path: Path) -> None:
    mini = write_dsprites(tmp_path, "color_dsprites")
    dataset = mini.load(tmp_path)
    assert not dataset.deterministic
    factors = mini.space.factors(np.arange(mini.space.num_points))
    images = dataset.observe(factors, 0)
    assert images.shape == (len(factors), 64, 64, 3)
    assert (images[np.broadcast_to(mini.images == 0, images.shape)] == 0).all()
    colors = images.max(axis=(1, 2))
    assert np.array_equal(images, mini.images * colors[:, None, None, :])
    assert 0.5 <= colors.min() < 0.6 < 0.9 < colors.max() <= 1
    assert len(np.unique(colors.round(6), axis=0)) == len(factors)


@pytest.mark.parametrize("packed", [False, True])
def test_smallnorb(tmp_path: Path, packed: bool) -> None:
    mini = write_smallnorb(tmp_path, packed)
    dataset = mini.load(tmp_path)
    assert not dataset.deterministic  # the instance is hidden
    assert dataset.space is not None
    assert dataset.space.names == ("category", "elevation", "azimuth", "lighting")
    wanted = np.array([[2, 1, 2, 0]] * 60 + [[0, 0, 0, 0]] * 60)
    images = dataset.observe(wanted, 0)
    for factors, drawn in ((wanted[0], images[:60]), (wanted[-1], images[60:])):
        toys = [np.insert(factors, 1, instance) for instance in range(4)]
        # what the paper's loader does: bytes taken for signed ones, which PIL makes unclipped 32-bit integers
        expected = np.stack([reference_reduction(mini.images[mini.space.index(toy)]) for toy in toys]) / 255
        distance = np.abs(drawn[:, None, :, :, 0] - expected[None]).max(axis=(2, 3))
        assert (distance.min(axis=1) < 1e-6).all()
        assert set(distance.argmin(axis=1)) == {0, 1, 2, 3}  # each toy comes up in 60 draws, but for 1e-7
    assert images[60:].min() < -0.005
    assert images[60:].max() > 1.01


def reference_reduction(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image.view(np.int8)).resize((64, 64), Image.Resampling.LANCZOS))


def test_smallnorb_clipped(tmp_path: Path) -> None:
    mini = write_smallnorb(tmp_path)
    images = mini.load(tmp_path, clip=True).observe(np.zeros((20, 4), np.int64), 0)
    assert images.min() == 0
    assert images.max() == 1


def test_smallnorb_headers_are_the_published_ones() -> None:
    assert norb_matrix(np.zeros((24300,), "<i4"))[:20] == bytes.fromhex("544c3d1e01000000ec5e00000100000001000000")
    header = norb_matrix(np.zeros((1, 2, 96, 96), np.uint8))[:24]
    assert header == bytes.fromhex("554c3d1e0400000001000000020000006000000060000000")


def test_smallnorb_wants_each_combination_once(tmp_path: Path) -> None:
    write_smallnorb(tmp_path)
    path = tmp_path / "small_norb" / f"{smallnorb.PARTS[0]}-info.mat"
    info = smallnorb.read_matrix(path).copy()
    info[0] = info[1]
    path.write_bytes(norb_matrix(info))
    mini = WRITERS["smallnorb"](tmp_path / "other")
    with pytest.raises(Error, match="twice, others never"):
        mini.load(tmp_path)


def test_cars3d(tmp_path: Path) -> None:
    mini = write_cars3d(tmp_path)
    dataset = mini.load(tmp_path)
    factors = mini.space.factors(np.arange(mini.space.num_points))
    expected = [np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.LANCZOS)) for image in mini.images]
    assert_images(dataset.observe(factors, 0), np.stack(expected))
    again = mini.load(tmp_path, resident="host")  # from the prepared file
    assert np.array_equal(again.observe(factors, 0), dataset.observe(factors, 0))


@pytest.mark.parametrize("form", ["h5", "npz", "grid"])
def test_shapes3d(tmp_path: Path, form: str) -> None:
    mini = write_shapes3d(tmp_path, form)
    dataset = mini.load(tmp_path, resident="host")
    factors = mini.space.factors(np.arange(mini.space.num_points))
    assert_images(dataset.observe(factors, 0), mini.images)


def test_shapes3d_out_of_order_is_refused(tmp_path: Path) -> None:
    mini = write_shapes3d(tmp_path)
    with h5py.File(mini.files[0], "r+") as file:
        file["labels"][...] = file["labels"][()][::-1]
    with pytest.raises(Error, match="labels are not in row-major order"):
        mini.load(tmp_path)


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("edition", ["full", "first"])
def test_mpi3d_reads_the_edition_from_the_file(tmp_path: Path, edition: str, grid: bool) -> None:
    mini = write_mpi3d(tmp_path, edition=edition, grid=grid)
    first = edition == "first"
    with pytest.warns(DataWarning, match="'MPI3D complex' has as many") if first else contextlib.nullcontext():
        dataset = mini.load(tmp_path)
    assert dataset.space == mini.space
    factors = mini.space.factors(np.arange(mini.space.num_points))
    assert_images(dataset.observe(factors, 0), mini.images)


@pytest.mark.parametrize("resident", ["device", "host"])
def test_mpi3d_paper_subset(tmp_path: Path, resident: str) -> None:
    mini = write_mpi3d(tmp_path)
    dataset = mini.load(tmp_path, resident=resident, subset="paper")
    assert dataset.space == MPI3D_FIRST
    assert "inferred" in dataset.origin
    factors = MPI3D_FIRST.factors(np.arange(MPI3D_FIRST.num_points))
    full = factors.copy()
    full[:, 0], full[:, 1] = factors[:, 0] + 1, np.array([0, 1, 3, 5])[factors[:, 1]]
    assert_images(dataset.observe(factors, 0), mini.images[MPI3D_FULL.index(full)])


def test_mpi3d_options_are_checked(tmp_path: Path) -> None:
    mini = write_mpi3d(tmp_path, edition="first")
    with pytest.raises(Error, match="already the 4 x 4 edition"):
        mini.load(tmp_path, subset="paper")
    with pytest.raises(Error, match="unknown subset of MPI3D 'papr'; did you mean 'paper'"):
        mini.load(tmp_path, subset="papr")


def test_mpi3d_paper_rows_of_the_real_sizes() -> None:
    rows = mpi3d.paper_rows(mpi3d.MPI3D_SPACE)
    assert len(rows) == mpi3d.FIRST_EDITION_SPACE.num_points == 460800
    assert mpi3d.MPI3D_SPACE.num_points == 1036800
    assert mpi3d.MPI3D_SPACE.factors(rows[[0, -1]]).tolist() == [[1, 0, 0, 0, 0, 0, 0], [4, 5, 1, 2, 2, 39, 39]]


def test_published_sizes() -> None:
    assert dsprites.DSPRITES_SPACE.num_points == 737280
    assert smallnorb.FULL_SPACE.num_points == 48600
    assert cars3d.CARS3D_SPACE.num_points == 17568
    assert shapes3d.SHAPES3D_SPACE.num_points == 480000


# --- damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def junk(path: Path) -> None:
    path.write_bytes(b"<html>Sorry, this page has moved.</html>" * 20)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, empty, junk, Path.unlink])
@pytest.mark.parametrize("name", [name for name in WRITERS if name != "mpi3d_real"])
def test_every_damaged_file_gets_one_line(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    mini = WRITERS[name](tmp_path / "whole")
    for file in mini.files:
        root = tmp_path / "damaged"
        shutil.copytree(tmp_path / "whole", root)
        damaged = root / file.relative_to(tmp_path / "whole")
        damage(damaged)
        with pytest.raises(Error) as caught:
            mini.load(root)
        text = str(caught.value)
        assert "\n" not in text
        assert len(text) < 400
        assert f"run: factorgrid data download {name}" in text
        assert damaged.name in text or damaged.parent.name in text
        assert not [path for kind in (".npy", ".json") for path in root.rglob(f"*{kind}*")]  # nothing half prepared
        shutil.rmtree(root)


@pytest.mark.parametrize("name", ["dsprites", "mpi3d_toy", "smallnorb", "cars3d"])
def test_a_flipped_byte_in_a_packed_file_is_noticed(tmp_path: Path, name: str) -> None:
    mini = write_smallnorb(tmp_path, packed=True) if name == "smallnorb" else WRITERS[name](tmp_path)
    flip(mini.files[0])
    with pytest.raises(Error, match="is damaged"):
        mini.load(tmp_path)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (np.zeros((96, 64, 64), np.uint8), None),
        (np.full((96, 64, 64), 2, np.uint8), "value 2"),
        (np.zeros((95, 64, 64), np.uint8), "[95, 64, 64]"),
        (np.zeros((96, 64, 64), np.float32), "float32"),
        (np.zeros((64, 96, 64), np.uint8).T, "Fortran order"),
        (np.array([None, 1]), "pickled objects, which are never loaded"),
    ],
)
def test_dsprites_of_another_shape(tmp_path: Path, array: np.ndarray, what: str | None) -> None:
    mini = write_dsprites(tmp_path)
    np.savez(mini.files[0], imgs=array)
    if what is None:
        assert isinstance(mini.load(tmp_path), Table)
        return
    with pytest.raises(Error) as caught:
        mini.load(tmp_path)
    assert what in str(caught.value)


def test_dsprites_out_of_order_is_refused(tmp_path: Path) -> None:
    mini = write_dsprites(tmp_path)
    classes = np.zeros((mini.space.num_points, 6), np.int64)
    np.savez(mini.files[0], imgs=mini.images[..., 0], latents_classes=classes)
    with pytest.raises(Error, match="not in the order of their factors"):
        mini.load(tmp_path)


def test_an_npz_without_the_array_says_what_it_holds(tmp_path: Path) -> None:
    mini = write_mpi3d(tmp_path)
    np.savez(mini.files[0], pictures=np.zeros(3))
    with pytest.raises(Error, match=r"no array 'images'; it holds pictures\.npy"):
        mini.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<5i", 12345, 1, 1, 1, 1),
        struct.pack("<5i", 507333717, 99, 1, 1, 1),
        struct.pack("<2i", 507333717, 1),
        norb_matrix(np.zeros(5, np.uint8)) + b"!",
        norb_matrix(np.zeros((5, 2, 95, 96), np.uint8)),
        gzip.compress(b"x", mtime=0),
    ],
    ids=["wrong magic", "too many axes", "cut short", "too long", "wrong shape", "gzipped"],
)
def test_bad_smallnorb_matrices(tmp_path: Path, content: bytes) -> None:
    mini = write_smallnorb(tmp_path)
    mini.files[0].write_bytes(content)
    with pytest.raises(Error, match="is damaged"):
        mini.load(tmp_path)


# --- prepared files


def test_a_prepared_file_is_used_again_and_renewed_when_its_source_changes(tmp_path: Path) -> None:
    mini = write_mpi3d(tmp_path)
    mini.load(tmp_path)
    (prepared,) = tmp_path.rglob("*.npy")
    made = prepared.stat().st_mtime_ns
    mine = prepared.with_name("mpi3d_toy-labels.npy")
    np.save(mine, np.zeros(3))
    mini.load(tmp_path)
    assert mine.exists()
    mine.unlink()
    assert prepared.stat().st_mtime_ns == made
    np.savez_compressed(mini.files[0], images=255 - mini.images)
    dataset = mini.load(tmp_path, resident="host")
    assert isinstance(dataset, HostTable)
    assert isinstance(dataset.pixels.array, np.memmap)
    assert_images(dataset.observe(np.zeros((1, 7), np.int64), 0), 255 - mini.images[:1])
    assert len(list(tmp_path.rglob("*.npy"))) == 1


def test_what_a_killed_preparation_left_is_removed_and_a_lost_record_made_again(tmp_path: Path) -> None:
    mini = write_mpi3d(tmp_path)
    half = mini.files[0].parent / ".mpi3d_toy-0123456789ab.npy.x1y2.npy"
    half.write_bytes(b"half")
    mini.load(tmp_path)
    assert not half.exists()
    (record,) = tmp_path.rglob("*.json")
    record.unlink()
    assert "md5" in mini.load(tmp_path).origin


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mini = write_mpi3d(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Error, match=r"cannot write .*No space left on device; free some space"):
        mini.load(tmp_path)
    assert not list(tmp_path.rglob("*.npy*"))


# --- the table of data sets


def test_load_names_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Error, match="unknown data set 'dsprite'; did you mean 'dsprites'"):
        load("dsprite")
    with pytest.raises(Error, match="run: factorgrid data download mpi3d_real"):
        load("mpi3d_real", root=tmp_path)
    with pytest.raises(Error, match="'circles' has no option 'clip'; it has: image_size"):
        load("circles", clip=True)
    with pytest.raises(Error, match="'mpi3d_toy_twin' has no option 'resident'; it has: image_size, subset"):
        load("mpi3d_toy_twin", resident="host")
    with pytest.raises(Error, match="unknown place for a table 'gpu'"):
        load("dsprites", resident="gpu")


@pytest.mark.parametrize("variable", ["FACTORGRID_DATA", "DISENTANGLEMENT_LIB_DATA"])
def test_the_root_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    with pytest.raises(Error, match="elsewhere/cars is missing"):
        load("cars3d")


def test_every_published_entry_has_files_and_a_miniature() -> None:
    published = {name for name, source in DATASETS.items() if source.kind == "published"}
    assert published == set(WRITERS)
    assert all(bool(source.files) == (source.kind == "published") for source in DATASETS.values())
