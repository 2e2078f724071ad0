"""A user's own images: what is accepted, and that what is wrong is named."""

import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from factorgrid.datasets import DataWarning, DeviceDataset, load
from factorgrid.datasets.table import HostTable, Table, stored_images
from factorgrid.errors import Error
from factorgrid.factors import FactorSpace


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=shape, dtype=np.uint8)


def save(path: Path, **arrays: np.ndarray) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def table(dataset: object) -> Table | HostTable:
    assert isinstance(dataset, Table | HostTable)
    return dataset


def images_of(dataset: object) -> np.ndarray:
    """All images in stored order."""
    return stored_images(table(dataset), np.arange(table(dataset).layout.index.num_images), 0)


def labels_of(dataset: object) -> np.ndarray:
    index = table(dataset).layout.index
    return np.asarray(index.factors(jnp.arange(index.num_images)))


# --- npz


@pytest.mark.parametrize("resident", ["device", "host"])
@pytest.mark.parametrize("kind", ["grey", "grey3", "colour", "bool", "int64", "float64"])
def test_npz_without_factors(tmp_path: Path, kind: str, resident: str) -> None:
    grey = noise(9, 64, 64)
    images, expected = {
        "grey": (grey, grey[..., None] / 255),
        "grey3": (grey[..., None], grey[..., None] / 255),
        "colour": (noise(9, 64, 64, 3), noise(9, 64, 64, 3) / 255),
        "bool": (grey > 99, (grey > 99)[..., None]),
        "int64": (grey.astype(np.int64), grey[..., None] / 255),
        "float64": (grey / 255, grey[..., None] / 255),
    }[kind]
    dataset = load(save(tmp_path / "mine.npz", images=images), resident=resident)
    assert dataset.name == "mine"
    assert dataset.space is None
    assert isinstance(dataset, DeviceDataset) == (resident == "device")
    np.testing.assert_allclose(images_of(dataset), expected, rtol=0, atol=1e-6)
    drawn, factors = dataset.draw(5, 0)
    assert drawn.shape == (5, *dataset.image_shape)
    assert factors.shape == (5, 0)
    assert "9 images" in dataset.origin


def test_npz_with_a_whole_grid_of_factors(tmp_path: Path) -> None:
    space = FactorSpace(("size", "hue"), (2, 3))
    images = noise(6, 64, 64)
    factors = space.factors(np.arange(6))
    path = save(tmp_path / "a.npz", images=images, factors=factors, factor_names=np.array(space.names))
    dataset = load(path)
    assert dataset.space == space
    assert dataset.deterministic
    assert table(dataset).layout.index.complete
    np.testing.assert_allclose(dataset.observe(factors[::-1].copy(), 0)[..., 0], images[::-1] / 255, atol=1e-6)


def test_npz_labels_words_numbers_and_gaps(tmp_path: Path) -> None:
    words = np.array(["red", "", "blue", "red"])
    dataset = load(save(tmp_path / "w.npz", images=noise(4, 64, 64), factors=words))
    assert labels_of(dataset).tolist() == [[1], [-1], [0], [1]]
    numbers = np.array([[10.0, 3], [np.nan, 2], [9.0, -1], [10.0, 3]])
    dataset = load(save(tmp_path / "n.npz", images=noise(4, 64, 64), factors=numbers))
    assert labels_of(dataset).tolist() == [[1, 1], [-1, 0], [0, -1], [1, 1]]
    assert dataset.space == FactorSpace(("factor_1", "factor_2"), (2, 2))
    assert not dataset.deterministic  # two images show the same factors
    with pytest.raises(Error, match="no image with factor_1 0, factor_2 0"):
        dataset.observe(np.array([[0, 0]]), 0)


def test_npz_as_pandas_and_numpy_leave_them(tmp_path: Path) -> None:
    """Columns first, names in bytes or just one, unknown numbers among words, zeros of either sign."""
    images, columns = noise(4, 64, 64), np.asfortranarray([[0, 1], [1, 0], [2, 1], [0, 0]])
    dataset = load(save(tmp_path / "f.npz", images=images, factors=columns, factor_names=np.array([b"shape", b"hue"])))
    assert labels_of(dataset).tolist() == columns.tolist()
    assert dataset.space == FactorSpace(("shape", "hue"), (3, 2))
    words = np.array(["red", "blue", -1, "red"])
    dataset = load(save(tmp_path / "w.npz", images=images, factors=words, factor_names=np.array("colour")))
    assert labels_of(dataset).tolist() == [[1], [0], [-1], [1]]
    assert dataset.space == FactorSpace(("colour",), (2,))
    dataset = load(save(tmp_path / "z.npz", images=images, factors=np.array([-0.0, 0.0, 1.0, 2.0])))
    assert labels_of(dataset).tolist() == [[0], [0], [1], [2]]
    assert load(tmp_path / "z.npz").space == dataset.space  # a path will do
    with pytest.raises(Error, match=r"Fortran order; save np\.ascontiguousarray"):
        load(save(tmp_path / "images.npz", images=np.asfortranarray(images)))


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"pictures": noise(3, 64, 64)}, "no array 'images'"),
        ({"images": noise(64, 64)}, "must be .image, height, width."),
        ({"images": noise(3, 64, 64, 2)}, "must be .image, height, width."),
        ({"images": noise(3, 3, 64, 64)}, r"looks like .image, channel, .*; use images.transpose\(0, 2, 3, 1\)"),
        ({"images": noise(64, 64, 3)}, r"looks like one image .*; use images\[None\]"),
        ({"images": noise(3, 64, 64, 1) * 1.0}, "must be within 0..1, got values from .* to 255.0; divide them by 255"),
        ({"images": noise(3, 64, 64), "factors": np.zeros(3, "datetime64[s]")}, "must be numbers or words"),
        (
            {"images": noise(9, 64, 64), "factors": np.arange(9) / 4},
            "has fractions and 9 different values, 0.0 .. 2.0; ",
        ),
        ({"images": noise(0, 64, 64)}, "must be .image, height, width."),
        ({"images": np.full((3, 64, 64), 300)}, "must be within 0..255, got values from 300 to 300"),
        ({"images": np.full((3, 64, 64), 127.5)}, "must be within 0..1, got values from 127.5"),
        ({"images": np.full((3, 64, 64), np.nan)}, "not numbers \\(nan\\), first in image 0"),
        ({"images": np.full((3, 64, 64), "x")}, "must be numbers"),
        ({"images": np.array([None] * 3)}, "pickled objects, which are never loaded"),
        ({"images": noise(3, 64, 64), "factors": np.zeros((2, 1), int)}, "must be .3, factor., a row an image"),
        ({"images": noise(3, 64, 64), "factors": np.zeros((3, 2), int), "factor_names": np.array(["a"])}, "1 'factor_"),
        ({"images": noise(3, 64, 64), "factors": np.full((3, 1), -1)}, "factor 'factor_1' has no values"),
        ({"images": noise(3, 64, 64), "factors": np.zeros((3, 2)), "factor_names": np.array(["a", "a"])}, "differ"),
    ],
)
def test_bad_npz(tmp_path: Path, arrays: dict[str, np.ndarray], what: str) -> None:
    with pytest.raises(Error, match=what) as caught:
        load(save(tmp_path / "bad.npz", **arrays))
    assert "\n" not in str(caught.value)


def test_paths_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(Error, match=r"nowhere\.npz does not exist"):
        load(str(tmp_path / "nowhere.npz"))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(Error, match="neither an npz file nor a folder"):
        load(str(tmp_path / "notes.txt"))
    (tmp_path / "broken.npz").write_bytes(b"not a zip")
    with pytest.raises(Error, match=r"broken\.npz cannot be read: File is not a zip file"):
        load(str(tmp_path / "broken.npz"))
    with pytest.raises(Error, match="has no option 'clip'; it has: resident, image_size, fit, background"):
        load(str(tmp_path / "broken.npz"), clip=True)


@pytest.mark.parametrize("kind", ["uint8", "float"])
def test_npz_of_another_size_is_resized_with_a_warning(tmp_path: Path, kind: str) -> None:
    ramp = np.linspace(0, 1, 100)[None, None, :, None] * np.ones((2, 80, 1, 3))
    images = (ramp * 255).round().astype(np.uint8) if kind == "uint8" else ramp
    path = save(tmp_path / "a.npz", images=images)
    with pytest.warns(
        DataWarning, match="images of 100 x 80 are resized to 64 x 64; those that are not square are stretched"
    ):
        dataset = load(path)
    result = images_of(dataset)
    assert result.shape == (2, 64, 64, 3)
    assert np.abs(result[0, 0, :, 0] - np.linspace(0, 1, 64)).max() < 0.01
    with pytest.warns(DataWarning, match="resized to 32 x 32"):
        assert load(path, image_size=32).image_shape == (32, 32, 3)


def test_a_large_npz_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factorgrid.datasets.custom.MAP_FROM_BYTES", 1000)
    images = noise(20, 64, 64)
    dataset = load(save(tmp_path / "large.npz", images=images), resident="host")
    assert isinstance(dataset, HostTable)
    assert isinstance(dataset.pixels.array, np.memmap)
    np.testing.assert_allclose(images_of(dataset)[..., 0], images / 255, atol=1e-6)


def test_whole_numbers_in_floats_and_words_of_values(tmp_path: Path) -> None:
    factors = np.array([[2.0, 10**6], [1.0, 5], [2.0, np.nan], [10.0, -1]])
    space = load(save(tmp_path / "a.npz", images=noise(4, 64, 64), factors=factors)).space
    assert space is not None
    assert space.words == (("1", "2", "10"), ("5", "1000000"))
    words = np.array([b"red", b"green", b"blue", b"red"])
    space = load(save(tmp_path / "b.npz", images=noise(4, 64, 64), factors=words)).space
    assert space is not None
    assert space.said(0) == "blue, green, red"


def test_a_table_of_no_factors_is_none(tmp_path: Path) -> None:
    assert load(save(tmp_path / "a.npz", images=noise(3, 64, 64), factors=np.zeros((3, 0), int))).space is None


def test_long_numbers_stay_apart(tmp_path: Path) -> None:
    factors = np.array([10**17, 10**17 + 1, 10**17])
    assert labels_of(load(save(tmp_path / "a.npz", images=noise(3, 64, 64), factors=factors))).tolist() == [
        [0],
        [1],
        [0],
    ]


def test_fractions_that_occur_again_are_classes_with_a_word(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", images=noise(8, 64, 64), factors=np.array([0.5, 1.0, 1.5, 1.0] * 2))
    with pytest.warns(DataWarning, match="'factor_1' has fractions and 3 different values, 0.5 .. 1.5; they are taken"):
        assert labels_of(load(path)).ravel().tolist() == [0, 1, 2, 1] * 2


def test_opacity_in_an_npz(tmp_path: Path) -> None:
    images = np.zeros((2, 64, 64, 4), np.uint8)
    images[1, ..., 3] = 255
    for background, shown in (("white", 1), ("black", 0)):
        dataset = load(save(tmp_path / "a.npz", images=images), background=background)
        assert images_of(dataset)[0].max() == images_of(dataset)[0].min() == shown
        assert images_of(dataset)[1].max() == 0


def npy_that_says(shape: tuple[int, ...], content: bytes) -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


@pytest.mark.parametrize("shape", [(10**6, 64, 64), (10**12, 64, 64), (10**18, 64, 64, 3), (-1, 64, 64)])
def test_arrays_larger_than_memory_or_their_file_are_refused_before_they_are_read(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    for key in ("images", "factors"):
        with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
            if key == "factors":
                archive.writestr("images.npy", npy_that_says((1, 64, 64), bytes(64 * 64)))
            archive.writestr(f"{key}.npy", npy_that_says(shape, bytes(100)))
        with pytest.raises(Error, match=r"bomb.npz .*(of memory are free|the file holds|ends after|impossible shape)"):
            load(str(tmp_path / "bomb.npz"))


# --- folders


def picture(path: Path, array: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


def test_a_folder_of_grey_pictures_stays_grey(tmp_path: Path) -> None:
    images = noise(3, 64, 64)
    for i in range(3):
        picture(tmp_path / "mine" / f"{i}.png", images[i])
    dataset = load(str(tmp_path / "mine"))
    assert dataset.name == "mine"
    assert dataset.image_shape == (64, 64, 1)
    np.testing.assert_allclose(images_of(dataset)[..., 0], images / 255, atol=1e-6)


def test_one_coloured_picture_makes_all_coloured(tmp_path: Path) -> None:
    grey, deep = noise(64, 64), noise(64, 64).astype(np.uint16) * 256
    picture(tmp_path / "a.png", grey)
    picture(tmp_path / "b.PNG", noise(64, 64, 4))
    picture(tmp_path / "sub" / "c.jpeg", np.full((64, 64, 3), (255, 0, 0), np.uint8), quality=95)
    picture(tmp_path / "d.png", deep)
    Image.fromarray(noise(64, 64, 3)).convert("P").save(tmp_path / "e.png")
    images = images_of(load(f"{tmp_path}/"))
    assert images.shape == (5, 64, 64, 3)
    np.testing.assert_allclose(images[0], np.repeat(grey[..., None], 3, axis=2) / 255, atol=1e-6)
    colour, alpha = noise(64, 64, 4)[..., :3].astype(float), noise(64, 64, 4)[..., 3:] / 255
    expected = (alpha * colour + (1 - alpha) * 255).round()  # on white
    np.testing.assert_allclose(images[1], expected / 255, atol=1e-6)
    np.testing.assert_allclose(images[2], images[0], atol=1e-6)  # d.png: 16 bits, the upper eight
    assert np.abs(images[4] - [1, 0, 0]).max() < 0.02


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    for name in ("a", "b", "c", "d"):
        picture(tmp_path / f"{name}.png", noise(64, 64))
    return tmp_path


def test_csv_of_words_numbers_and_gaps(labelled: Path) -> None:
    (labelled / "labels.csv").write_text(
        "﻿filename, colour, angle\nb.png, red, 90\na.png, blue, \nc.png, , 5\n", encoding="utf-8"
    )
    dataset = load(str(labelled))
    assert dataset.space == FactorSpace(("colour", "angle"), (2, 2))
    assert labels_of(dataset).tolist() == [[0, -1], [1, 1], [-1, 0], [-1, -1]]  # d.png has no row
    _, factors = dataset.draw(200, 0)
    assert {tuple(row) for row in factors.tolist()} == {(0, -1), (1, 1), (-1, 0), (-1, -1)}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name,x\na.png,1\n", "has no column 'filename'; its columns: name, x"),
        ("", "has no column 'filename'; its columns: none"),
        ("filename,x\na.png,1\nz.png,2\n", "names 1 pictures that are not in the folder: z.png"),
        ("filename,x\na.png,1\na.png,2\n", "names pictures twice: a.png"),
        ("filename,x\na.png,1\nb.png\n", "line 3 has not 2 cells"),
        ("filename,x\na.png,1,7\n", "line 2 has not 2 cells"),
        ("filename,x\na.png,\n", "factor 'x' has no values"),
        ("filename,x,x\na.png,1,2\n", "factor names must differ"),
        (",filename,x\n0,a.png,1\n", r"a column has no name; .*index=False"),
    ],
)
def test_bad_csv(labelled: Path, text: str, what: str) -> None:
    (labelled / "labels.csv").write_text(text)
    with pytest.raises(Error, match=what):
        load(str(labelled))


def test_csv_that_is_not_text_and_two_csvs(labelled: Path) -> None:
    (labelled / "labels.csv").write_bytes(b"filename,x\na.png,\xff\xfe\n")
    with pytest.raises(Error, match=r"cannot be read: .*; save it as UTF-8"):
        load(str(labelled))
    (labelled / "more.csv").write_text("filename\n")
    with pytest.raises(Error, match=r"holds 2 CSV files \(labels.csv, more.csv\); keep one"):
        load(str(labelled))


def test_what_lies_in_hidden_folders_is_not_read(labelled: Path) -> None:
    (labelled / "labels.csv").write_text("filename,x\na.png,1\nb.png,2\n")
    hidden = labelled / ".ipynb_checkpoints"
    hidden.mkdir()
    (hidden / "labels-checkpoint.csv").write_text("filename,x\n")
    picture(hidden / "a-checkpoint.png", noise(8, 8))
    assert len(labels_of(load(str(labelled)))) == 4


def test_csv_of_names_only_gives_no_factors(labelled: Path) -> None:
    (labelled / "labels.csv").write_text("filename\na.png\n")
    assert load(str(labelled)).space is None


def test_bad_pictures_are_all_named(labelled: Path) -> None:
    whole = (labelled / "a.png").read_bytes()
    (labelled / "b.png").write_bytes(whole[: len(whole) // 2])
    (labelled / "sub").mkdir()
    (labelled / "sub" / "e.jpg").write_bytes(b"not a picture")
    (labelled / "f.png").write_bytes(b"")
    with pytest.raises(Error, match="3 of 6 pictures cannot be read: ") as caught:
        load(str(labelled))
    text = str(caught.value)
    assert "\n" not in text
    assert all(name in text for name in ("b.png (", "sub/e.jpg (", "f.png ("))


def test_other_files_and_sizes_are_told(labelled: Path) -> None:
    (labelled / "notes.txt").write_text("x")
    (labelled / ".hidden").write_text("x")
    with pytest.warns(DataWarning, match=r"neither pictures .* nor CSV, so not read: notes\.txt$"):
        load(str(labelled))
    (labelled / "notes.txt").unlink()
    picture(labelled / "e.png", noise(10, 20))
    picture(labelled / "f.png", noise(30, 30))
    with pytest.warns(DataWarning, match="images of 20 x 10 and 1 other sizes are resized to 64 x 64; those"):
        load(str(labelled))


def test_a_folder_that_may_not_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rglob", denied)
    with pytest.raises(Error, match=r"cannot be searched for pictures: .*Permission denied"):
        load(f"{tmp_path}/")


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").write_text("")
    with pytest.raises(Error, match="holds no pictures"):
        load(str(tmp_path))


# --- pictures


def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    upright = noise(64, 64)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(np.rot90(upright)).save(tmp_path / "phone.png", exif=exif)
    np.testing.assert_allclose(images_of(load(str(tmp_path)))[0, ..., 0], upright / 255, atol=1e-6)


@pytest.mark.parametrize(("background", "shown"), [("white", 1.0), ("black", 0.0)])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_transparent_pixels_hide_is_not_shown(tmp_path: Path, mode: str, background: str, shown: float) -> None:
    if mode == "P":
        hidden = Image.new("P", (64, 64), 0)
        hidden.putpalette([200, 10, 90])
        hidden.save(tmp_path / "a.png", transparency=0)
    else:
        Image.new("RGBA", (64, 64), (200, 10, 90, 0)).convert(mode).save(tmp_path / "a.png")
    images = images_of(load(str(tmp_path), background=background))
    assert images.shape[-1] == (1 if mode == "LA" else 3)
    assert images.min() == images.max() == shown


@pytest.mark.parametrize("suffix", ["webp", "tif", "TIFF", "bmp"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(np.full((64, 64, 3), (255, 0, 0), np.uint8)).save(tmp_path / f"a.{suffix}")
    assert np.abs(images_of(load(str(tmp_path)))[0] - [1, 0, 0]).max() < 0.03


def test_crop_and_pad_keep_the_proportions(tmp_path: Path) -> None:
    wide = np.full((32, 96), 255, np.uint8)
    wide[:, 32:64] = 100  # a grey square between two white ones
    picture(tmp_path / "a.png", wide)
    with pytest.warns(DataWarning, match="images of 96 x 32 are resized to 32 x 32; .* are cropped"):
        images = images_of(load(str(tmp_path), image_size=32, fit="crop"))
    np.testing.assert_allclose(images, 100 / 255, atol=1e-6)
    with pytest.warns(DataWarning, match="96 x 96; those that are not square are padded with black"):
        images = images_of(load(str(tmp_path), image_size=96, fit="pad", background="black"))[0, ..., 0]
    np.testing.assert_allclose(images[32:64] * 255, wide, atol=1e-4)
    assert images[:32].max() == images[64:].max() == 0
    with pytest.raises(Error, match="unknown fit 'squeeze'"):
        load(str(tmp_path), fit="squeeze")
    with pytest.raises(Error, match="unknown background 'pink'"):
        load(str(tmp_path), background="pink")


def test_what_is_not_one_picture_is_named(labelled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.fromarray(noise(64, 64)), Image.fromarray(255 - noise(64, 64))]
    frames[0].save(labelled / "pages.tif", save_all=True, append_images=frames[1:])
    Image.fromarray(np.full((64, 64), 0.5, np.float32)).save(labelled / "floats.tif")
    picture(labelled / "vast.png", noise(100, 100))
    monkeypatch.setattr("factorgrid.datasets.pictures.MOST_PIXELS", 100 * 100 - 1)
    with pytest.raises(Error, match="3 of 7 pictures cannot be read") as caught:
        load(str(labelled))
    for part in (
        "pages.tif (it has 2 pages",
        "floats.tif (its pixels are floating-point",
        "vast.png (it has 100 x 100",
    ):
        assert part in str(caught.value)
