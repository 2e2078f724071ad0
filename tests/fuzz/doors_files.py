"""Study files that people write, and images that people have."""

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from corpus import Case, Expected, Silent, World, damages
from PIL import Image

from factorgrid.datasets import load
from factorgrid.study.definition import read_study
from factorgrid.study.planning import plan

TOML = """
title = "Mine"
data = ["circles"]
seeds = 2
metrics = ["mig", "st_gap"]
group_size = 4

[training]
steps = 4
architecture = "mlp"
num_latents = 2
batch_size = 8
learning_rate = 0.001

[evaluation]
counts = "quick"
num_train = 50
num_bins = 20
gap_batches = 2
seed = 0

[data_options.circles]
image_size = 8

[[methods]]
model = "vae"

[[methods]]
model = "beta_vae"
beta = [1, 4]

[[methods]]
model = "dvae"
title = "Mine too"
masked = false
labels = 0
"""
VALUES = (
    "true",
    "-1",
    "1.5",
    "inf",
    "nan",
    '""',
    '"x"',
    "[]",
    "{}",
    "[[1]]",
    "1e999",
    "99999999999999999999",
    "1979-05-27",
)
# values that may be meant, by key: no one can tell
MEANT = {
    "title": ('""', '"x"'),
    "learning_rate": ("1.5",),
    "beta": ("1.5",),
    "seed": ("99999999999999999999",),
    "num_train": ("99999999999999999999",),
    "group_size": ("99999999999999999999",),
    "masked": ("true",),
}
MEANT["methods title"] = MEANT["title"]


def toml_cases(rng: random.Random) -> Iterator[Case]:
    """A study's file, with a wrong value, a line too few or too many, a character that differs."""
    lines = TOML.splitlines()
    for i, line in enumerate(lines):
        if " = " in line:
            key = line.split(" = ")[0]
            for value in VALUES:
                text = [*lines[:i], f"{key} = {value}", *lines[i + 1 :]]
                expected: Expected = "either" if value in MEANT.get(key, ()) else "refused"
                yield Case("study files", f"line {i}: {key} = {value}", _study("\n".join(text)), expected)
            yield Case("study files", f"line {i}: {key}s", _study("\n".join([*lines[:i], f"x{line}", *lines[i + 1 :]])))
        if line:
            yield Case("study files", f"line {i} gone", _study("\n".join([*lines[:i], *lines[i + 1 :]])), "either")
            twice: Expected = "either" if line == "[[methods]]" else "refused"
            yield Case("study files", f"line {i} twice", _study("\n".join([*lines[:i], line, *lines[i:]])), twice)
    for what, content in damages(TOML.encode(), rng, 60):
        yield Case("study files", what, _study(content), "either")
    yield Case("study files", "as it is", _study(TOML), "accepted")
    for name in ("..", ".", "a/b", "", "a\\nb"):
        yield Case("study files", f"name = {name!r}", _study(f'name = "{name}"\n{TOML}'))
    for text in (TOML, TOML.replace("group_size = 4", "group_size = 2")):
        alike = _study(text.replace("[1, 4]", "[10.0000001, 10.0000002]"))
        yield Case("study files", f"two values that are written alike, {text.count('= 2')}", alike, "accepted")
    yield Case("study files", "a value twice", _study(TOML.replace("[1, 4]", "[10, 10]")))
    yield Case("study files", "a seed twice", _study(TOML.replace("seeds = 2", "seeds = [0, 0]")))
    yield Case("study files", "very many seeds", _study(TOML.replace("seeds = 2", "seeds = 2147483648")))


def _study(content: str | bytes) -> Callable[[World], None]:
    def go(world: World) -> None:
        path = world.place / "mine.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        plan(read_study(path))

    return go


# --- images


def image_cases(rng: random.Random) -> Iterator[Case]:
    """Arrays and pictures of all shapes, kinds and damages."""
    yield from _array_cases()
    yield from _factor_cases()
    for suffix in ("png", "jpg", "webp", "tif", "bmp"):
        content = io.BytesIO()
        noise = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
        Image.fromarray(noise).save(content, {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper()))
        for what, damaged in damages(content.getvalue(), rng, 12):
            files = {f"a.{suffix}": damaged, f"b.{suffix}": content.getvalue()}
            yield Case("images", f"{suffix} {what}", _folder(files), "either")
    archive = io.BytesIO()
    np.savez(archive, images=np.zeros((3, 16, 16), np.uint8), factors=np.arange(3))
    for what, damaged in damages(archive.getvalue(), rng, 30):
        yield Case("images", f"npz {what}", _npz_bytes(damaged), "either")
    png = io.BytesIO()
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(png, "PNG")
    tables = {
        "no file name": "name,x\na.png,1\n",
        "empty": "",
        "unknown picture": "filename,x\nz.png,1\n",
        "twice": "filename,x\na.png,1\na.png,1\n",
        "ragged": "filename,x\na.png\n",
        "no values": "filename,x\na.png,\n",
        "same names": "filename,x,x\na.png,1,2\n",
        "a zero byte": "filename,x\na.png,\0\n",
        "a long cell": f"filename,x\na.png,{'1' * 200_000}\n",
    }
    for what, text in tables.items():
        expected: Expected = "either" if what == "a zero byte" else "refused"
        yield Case("images", f"csv {what}", _folder({"a.png": png.getvalue(), "l.csv": text.encode()}), expected)
    yield Case("images", "folder without pictures", _folder({"a.txt": b""}))
    for shape in ((10**6, 64, 64), (10**12, 64, 64), (10**18, 8, 8), (-1, 8, 8), (2, 10**9, 10**9)):
        yield Case("images", f"npz that says {shape}", _bomb(shape))


def _array_cases() -> Iterator[Case]:
    shapes: dict[tuple[int, ...], bool] = {
        (): False, (3,): False, (16, 16): False, (0, 16, 16): False, (3, 0, 16): False, (3, 16, 16): True,
        (3, 16, 16, 1): True, (3, 16, 16, 2): False, (3, 16, 16, 3): True, (3, 16, 16, 4): True, (3, 16, 16, 5): False,
        (3, 3, 16, 16): False, (16, 16, 3): False, (3, 16, 16, 3, 1): False, (1, 16, 16): True, (3, 16, 24): True,
    }  # fmt: skip
    for shape, fine in shapes.items():
        images = np.zeros(shape, np.uint8)
        yield Case("images", f"images {shape}", _npz(images=images), "accepted" if fine else "refused")
    grey = np.arange(3 * 16 * 16).reshape(3, 16, 16) % 256
    for dtype in (
        "bool",
        "u1",
        "i1",
        "u2",
        "i8",
        "u8",
        "f2",
        "f4",
        "f8",
        ">f8",
        "c8",
        "S3",
        "U3",
        "M8[s]",
        "V4",
        "f16",
    ):
        small = (grey // 255).astype("i8")
        images = small.astype("u4").view("V4") if dtype == "V4" else small.astype(dtype)
        fine = np.dtype(dtype).kind in "biuf"
        yield Case("images", f"images of {dtype}", _npz(images=images), "accepted" if fine else "refused")
    for value in (-1.0, 1.0001, 255.0, np.nan, np.inf, -np.inf, 1e300):
        images = np.zeros((3, 16, 16))
        images[1, 2, 3] = value
        yield Case("images", f"a float pixel {value}", _npz(images=images))
    for value in (-1, 256, 2**40):
        images = np.zeros((3, 16, 16), np.int64)
        images[1, 2, 3] = value
        yield Case("images", f"an integer pixel {value}", _npz(images=images))
    yield Case("images", "no images", _npz(pictures=grey))
    yield Case("images", "pickled images", _npz(images=np.array([None, 1], object)))
    yield Case("images", "columns first", _npz(images=np.asfortranarray(grey.astype(np.uint8))))


def _factor_cases() -> Iterator[Case]:
    images = np.zeros((8, 16, 16), np.uint8)
    random_floats = np.random.default_rng(0).random(8)
    factors: dict[str, tuple[Any, Expected]] = {
        "integers": (np.arange(8), "accepted"),
        "whole floats": (np.arange(8.0), "accepted"),
        "words": (np.array(list("abcdabcd")), "accepted"),
        "bytes": (np.array(list("abcdabcd")).astype("S1"), "accepted"),
        "bools": (np.arange(8) % 2 == 0, "accepted"),
        "random floats": (random_floats, "refused"),
        "complex": (random_floats + 1j, "refused"),
        "dates": (np.arange(8).astype("M8[s]"), "refused"),
        "too few": (np.arange(7), "refused"),
        "three axes": (np.zeros((8, 1, 1), int), "refused"),
        "none": (np.zeros((8, 0), int), "either"),
        "all unknown": (np.full(8, -1), "refused"),
        "all nan": (np.full(8, np.nan), "refused"),
        "infinite": (np.array([np.inf, 1] * 4), "either"),
        "pickled": (np.array([{}] * 8, object), "refused"),
        "huge": (np.array([2**62, 2**62 + 1] * 4), "accepted"),
    }
    for what, (values, expected) in factors.items():
        yield Case("images", f"factors: {what}", _npz(images=images, factors=values), expected)
    for what, names in {
        "too many": ["a", "b"], "twice": ["a", "a"], "pickled": np.array([None], object), "no axis": np.array("a"),
    }.items():  # fmt: skip
        values = np.zeros((8, 2 if what == "twice" else 1), int)
        yield Case("images", f"names: {what}", _npz(images=images, factors=values, factor_names=np.array(names)))
    for option, value in {"image_size": -1, "fit": "x", "background": "x", "resident": "x", "subset": "paper"}.items():
        yield Case("images", f"{option} {value}", _npz(images=images, options={option: value}))
    yield Case("images", "image_size 10**9", _npz(images=images, options={"image_size": 10**9}))


def _npz(*, options: dict[str, Any] | None = None, **arrays: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        np.savez(world.place / "mine.npz", **arrays)
        _look(world.place / "mine.npz", **{"image_size": 16, **(options or {})})

    return go


def _npz_bytes(content: bytes) -> Callable[[World], None]:
    def go(world: World) -> None:
        (world.place / "mine.npz").write_bytes(content)
        _look(world.place / "mine.npz", image_size=16)

    return go


def _bomb(shape: tuple[int, ...]) -> Callable[[World], None]:
    def go(world: World) -> None:
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        with zipfile.ZipFile(world.place / "mine.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(10**7)
            archive.writestr("images.npy", content)
        _look(world.place / "mine.npz")

    return go


def _folder(files: dict[str, bytes]) -> Callable[[World], None]:
    def go(world: World) -> None:
        for name, content in files.items():
            (world.place / name).write_bytes(content)
        _look(world.place, image_size=24)

    return go


def _look(path: Path, **options: Any) -> None:
    images, _ = load(str(path), **options).draw(4, 0)
    if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
        raise Silent("images out of range")
