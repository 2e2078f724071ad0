"""Calls of the metrics, and command lines."""

import contextlib
import io
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from corpus import Case, Expected, Silent, World

import factorgrid as fg
from factorgrid.cli import main
from factorgrid.errors import Error
from factorgrid.metrics import Counts

INSTANT = ("mig", "modularity", "irs", "sap", "explicitness")
GRID = np.stack(np.meshgrid(range(5), range(4), range(3), indexing="ij"), axis=-1).reshape(-1, 3)
CODES = GRID + np.random.default_rng(0).normal(0, 0.1, GRID.shape)


def metric_cases(rng: random.Random) -> Iterator[Case]:
    """Codes, factors, names, counts and seeds that are not what they should be."""
    del rng  # all of them
    spoilt = {
        "nan": _with(CODES, np.nan),
        "inf": _with(CODES, np.inf),
        "complex": CODES + 0j,
        "words": CODES.astype(str),
        "objects": CODES.astype(object),
        "one axis": CODES[:, 0],
        "three axes": CODES[..., None],
        "no rows": CODES[:0],
        "no columns": CODES[:, :0],
        "none": None,
        "a word": "codes",
        "a number": 3.0,
        "ragged": [[1.0], [1.0, 2.0]],
        "dates": CODES.astype("M8[s]"),
        "fewer": CODES[:7],
    }
    factors = {
        "nan": GRID * np.nan,
        "complex": GRID + 0j,
        "one axis": GRID[:, 0],
        "three axes": GRID[..., None],
        "no rows": GRID[:0],
        "no columns": GRID[:, :0],
        "none": None,
        "a word": "factors",
        "fewer": GRID[:7],
        "one value": np.zeros_like(GRID),
        "ragged": [[1], [1, 2]],
        "dates": GRID.astype("M8[s]"),
    }
    for metric in INSTANT:
        for what, codes in spoilt.items():
            yield Case("metrics", f"{metric}, codes: {what}", _score(codes, GRID, metric))
        for what, values in factors.items():
            yield Case("metrics", f"{metric}, factors: {what}", _score(CODES, values, metric))
        for what, codes in _fine_codes().items():
            yield Case("metrics", f"{metric}, codes: {what}", _score(codes, GRID, metric), "accepted")
        for what, values in {
            "bools": GRID > 1, "u1": GRID.astype("u1"), "i1": GRID.astype("i1"), "u8": GRID.astype("u8"),
            "gaps": GRID * 10, "lists": GRID.tolist(), "floats": GRID + 0.5, "words": GRID.astype(str),
            "objects": GRID.astype(object),
        }.items():  # fmt: skip
            yield Case("metrics", f"{metric}, factors: {what}", _score(CODES, values, metric), "accepted")
        for what, values in {"2**62": GRID + 2**62, "2**63 unsigned": GRID.astype("u8") + np.uint64(2**63)}.items():
            yield Case("metrics", f"{metric}, factors: {what}", _score(CODES, values, metric), "either")
        yield Case("metrics", f"{metric}, some factors unknown", _unknown(metric), "either")
        for name in (-1, 1.5, "x", None, True, [1], float("nan")):
            yield Case("metrics", f"{metric}, seed {name!r}", _score(CODES, GRID, metric, seed=name))
        for count in ("num_train", "num_test", "batch_size", "num_variance_estimate", "num_bins", "downstream_sizes"):
            for value in (0, -1, 1.5, "x", None, True, float("inf"), [], 10**12):
                vast = value == 10**12 and (count != "num_bins" or metric not in ("mig", "modularity"))
                none = value == [] and count == "downstream_sizes"  # no downstream task, which is none of these
                expected: Expected = "either" if vast or none else "refused"
                yield Case("metrics", f"{metric}, {count} {value!r}", _counts(metric, count, value), expected)
    for names in ("nothing", "", (), [], None, 3, ("mig", "x"), [None], ["mig", 3], b"mig"):
        yield Case("metrics", f"metrics {names!r}", _score(CODES, GRID, names))
    yield Case("metrics", "metrics 'MIG'", _score(CODES, GRID, "MIG"), "accepted")
    for jobs in (0, -1, 1.5, "x", True):
        yield Case("metrics", f"jobs {jobs!r}", _score(CODES, GRID, "mig", jobs=jobs))


def _fine_codes() -> dict[str, Any]:
    return {
        "f2": CODES.astype("f2"), "f4": CODES.astype("f4"), "big-endian": CODES.astype(">f8"), "integers": GRID,
        "bools": GRID > 1, "lists": CODES.tolist(), "strided": CODES[:, ::-1],
        "columns first": np.asfortranarray(CODES), "constant": np.ones_like(CODES), "huge": CODES * 1e150,
        "tiny": CODES * 1e-300, "one latent": CODES[:, :1],
    }  # fmt: skip


def _with(codes: Any, value: float) -> Any:
    copy = codes.copy()
    copy[3, 1] = value
    return copy


def _score(codes: Any, factors: Any, metrics: Any, **options: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        _sane(fg.score(codes, factors, metrics, **options))

    return go


def _counts(metric: str, count: str, value: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        chosen = (value,) if count == "downstream_sizes" and value != [] else value
        _sane(fg.score(CODES, GRID, metric, counts=Counts(**{count: chosen})))

    return go


def _unknown(metric: str) -> Callable[[World], None]:
    def go(world: World) -> None:
        factors = GRID.copy()
        factors[::6, 0] = -1
        found = fg.score(CODES, factors, metric)
        values = factors.copy()
        values[::6, 0] = 5  # what a value of its own would give
        if found == fg.score(CODES, values, metric):
            raise Silent("-1 counts as a value")

    return go


def _sane(scores: Any) -> None:
    for key, value in scores.items():
        if not isinstance(value, float) or not np.isfinite(value):
            raise Silent(f"{key} is {value!r}")


# --- trained models


def model_cases(rng: random.Random) -> Iterator[Case]:
    """Images, codes and numbers that a trained model cannot take; files of models that are damaged."""
    images = np.random.default_rng(0).random((3, 8, 8, 1))
    refused = {
        "channels first": images.transpose(0, 3, 1, 2), "colour": np.repeat(images, 3, 3), "one image": images[0],
        "another size": images[:, :4, :4], "0..255 in floats": 255 * images, "nan": images * np.nan,
        "negative": -2.0 - images, "words": images.astype(str), "objects": np.full((3, 8, 8, 1), None), "none": None,
        "no images": images[:0], "256 in integers": np.full((3, 8, 8, 1), 256), "complex": images + 0j,
        "ragged": [[1.0], [1.0, 2.0]], "a word": "images", "dates": images.astype("M8[s]"),
    }  # fmt: skip
    accepted = {
        "u1": (255 * images).astype("u1"), "i8": (255 * images).astype("i8"), "f2": images.astype("f2"),
        "f8": images, "lists": images.tolist(), "without channels": images[..., 0], "bools": images > 0.5,
        "strided": images[::-1, ::-1], "big-endian": images.astype(">f4"),
    }  # fmt: skip
    for method in ("encode", "categorize", "kl", "reconstruct", "usage"):
        for what, value in refused.items():
            yield Case("models", f"{method} {what}", _model(method, value))
        for what, value in accepted.items():
            yield Case("models", f"{method} {what}", _model(method, value), "accepted")
    codes: dict[str, Any] = {
        "three axes": np.zeros((2, 2, 1)), "one axis": np.zeros(2), "three latents": np.zeros((2, 3)),
        "category 8": np.array([[0, 8]]), "category -1": np.array([[0, -1]]), "nan": np.full((1, 2), np.nan),
        "inf": np.full((1, 2), np.inf), "words": np.full((1, 2), "a"), "none": None, "no rows": np.zeros((0, 2)),
        "bools": np.zeros((1, 2), bool), "complex": np.zeros((1, 2), complex), "vast": np.array([[0, 2**62]]),
    }  # fmt: skip
    for what, value in codes.items():
        yield Case("models", f"decode {what}", _model("decode", value))
    for value in (0, -1, 1.5, "x", None, True, 10**12):
        yield Case("models", f"sample {value!r}", _model("sample", value))
    for i in range(60):
        yield Case("models", f"a damaged file, {i}", _damaged_model(rng.random(), i % 3), "either")


def _model(method: str, value: Any) -> Callable[[World], None]:
    def go(world: World) -> None:
        found = getattr(fg.load_run(world.run).model(0), method)(value)
        if not np.isfinite(found).all():
            raise Silent(f"{method} gives numbers that are not finite")

    return go


def _damaged_model(where: float, how: int) -> Callable[[World], None]:
    """A bit flipped, the end cut off, or a byte put in."""

    def go(world: World) -> None:
        path = fg.export(world.run, 0, world.place / "model.safetensors")
        images = np.zeros((1, 8, 8, 1))
        before = fg.load_model(path).encode(images)
        content = path.read_bytes()
        at = int(where * len(content))
        changed = bytes([content[at] ^ 1])
        path.write_bytes(content[:at] + (changed + content[at + 1 :], b"", b"x" + content[at:])[how])
        if not np.array_equal(before, fg.load_model(path).encode(images)):
            raise Silent("other codes")

    return go


# --- command lines

TRAIN = ["train", "--data", "circles", "--model", "vae", "--steps", "1", "--architecture", "mlp"]
NUMBERS = ("-1", "0", "1.5", "inf", "nan", "x", "", "10000000000000000", "1e400")
FLAGS: dict[str, tuple[str, ...]] = {
    "--steps": NUMBERS[:-2],
    "--seeds": (*NUMBERS, "2147483648"),
    "--batch-size": NUMBERS,
    "--learning-rate": ("-1", "0", "inf", "nan", "x", "", "1e400"),
    "--latents": NUMBERS,
    "--categories": NUMBERS,
    "--labels": ("-1", *NUMBERS[2:]),
    "--label-seed": ("-1", *NUMBERS[2:]),
    "--image-size": NUMBERS,
    "--checkpoint-seconds": ("-1", "nan", "x", ""),
    "--beta": ("-1", "nan", "inf", "x", "", "1"),
    "--omega": ("nan", "x", "1"),
    "--architecture": ("x", "", "conv"),
    "--init": ("x", ""),
    "--precision": ("x", "float16", ""),
    "--supervision": ("x", "bce", ""),
    "--reduction": ("x", ""),
    "--spacing": ("x", ""),
    "--resident": ("x", "device", ""),
    "--subset": ("x", "paper", ""),
    "--preset": ("x", ""),
    "--data": ("x", "", "none.npz", "/", "../x/y"),
    "--model": ("x", "", "VAE"),
}
LINES: tuple[tuple[str, ...], ...] = (
    ("x",), ("--x",), ("train",), ("train", "--x"), ("data",), ("data", "x"), ("data", "download"),
    ("data", "download", "x"), ("data", "download", ".."), ("data", "preview"), ("data", "preview", "x"),
    ("data", "preview", "none.npz"), ("data", "preview", "circles", "--seed", "x"),
    ("data", "preview", "circles", "--seed", "-1"), ("data", "preview", "circles", "--out", "/proc/x/y.png"),
    ("evaluate",), ("evaluate", "none"), ("evaluate", "RUN", "--metrics"), ("evaluate", "RUN", "--metrics", "x"),
    ("evaluate", "RUN", "--jobs", "0"), ("evaluate", "RUN", "--jobs", "-1"), ("evaluate", "RUN", "--seed", "-1"),
    ("evaluate", "RUN", "--seed", "x"), ("evaluate", "RUN", "--metrics", "validation"), ("evaluate", "/"),
    ("traverse",), ("traverse", "none"), ("traverse", "RUN", "--member", "x"), ("traverse", "RUN", "--member", "99"),
    ("traverse", "RUN", "--member", ""), ("traverse", "RUN", "--seed", "-1"), ("traverse", "RUN", "--seed", "x"),
    ("study",), ("study", "x"), ("study", "plan"), ("study", "plan", "x"), ("study", "plan", "none.toml"),
    ("study", "run"), ("study", "run", "x"), ("study", "run", "none.toml"), ("study", "run", "/"),
    ("study", "run", "small-circles", "--only", "x", "--out", "PLACE"), ("study", "run", "small-circles", "--x"),
    ("study", "run", "small-circles", "--models", "none", "--out", "PLACE"), ("study", "show"), ("study", "show", "x"),
    ("study", "status"), ("study", "status", "x"), ("study", "status", "none"), ("study", "report", "none"),
    ("study", "report"), ("demo", "x"), ("demo", "--out"), ("evaluate", "RUN", "--data", "none.npz"),
    ("traverse", "RUN", "--data", "dsprites_twin"), ("explore", "RUN", "--data", "none"), ("explore", "none"),
    ("explore", "RUN", "--num-images", "0"), ("explore", "RUN", "--seed", "-1"), ("encode",), ("encode", "RUN"),
    ("encode", "RUN", "none"), ("encode", "RUN", "PLACE"), ("encode", "RUN", "none", "--out", "x.txt"),
    ("encode", "none", "none"), ("encode", "RUN/config.json", "none"), ("encode", "RUN", "none", "--fit", "x"),
    ("encode", "RUN", "none", "--member", "all"), ("generate",), ("generate", "RUN"),
    ("generate", "RUN", "--categories"),
    ("generate", "RUN", "--categories", "1"), ("generate", "RUN", "--categories", "1,2,3"),
    ("generate", "RUN", "--categories", "1,8"), ("generate", "RUN", "--categories", "1,-1"),
    ("generate", "RUN", "--categories", "1,99999999999999999999"), ("generate", "RUN", "--categories", "x,y"),
    ("generate", "RUN", "--table", "none.csv"), ("generate", "RUN", "--table", "RUN/members.parquet"),
    ("generate", "RUN", "--table", "RUN/config.json"),
    ("generate", "RUN", "--categories", "1,1", "--out", "/proc/x.png"),
    ("sample",), ("sample", "none"), ("sample", "RUN", "--num", "0"), ("sample", "RUN", "--num", "-1"),
    ("sample", "RUN", "--num", "1000000000000"), ("sample", "RUN", "--seed", "-1"), ("sample", "RUN", "--member", "9"),
    ("sample", "RUN", "--out", "/proc/x"), ("export",), ("export", "none"), ("export", "RUN", "--out", "x.pt"),
    ("export", "RUN", "--out", "/proc/x.safetensors"), ("export", "RUN", "--member", "all"),
    ("export", "RUN", "--member", "x"),
)  # fmt: skip


def command_cases(rng: random.Random) -> Iterator[Case]:
    """Command lines that are wrong; each must end with status 2, and never with a traceback."""
    del rng
    for line in LINES:
        yield Case("command lines", " ".join(line), _command(line))
    for flag, values in FLAGS.items():
        for value in values:
            yield Case("command lines", f"train {flag} {value!r}", _command((*TRAIN, flag, value)))
        yield Case("command lines", f"train {flag} without a value", _command((*TRAIN, flag)))
    for flag in ("--beta", "--gamma", "--omega"):
        yield Case("command lines", f"{flag} of another model", _command((*TRAIN, flag, "4")))
    twice = ("train", "--data", "circles", "--model", "beta_vae", "--steps", "1", "--architecture", "mlp", "--beta")
    for values in (("10", "10"), ("nan",), ("1", "inf")):
        yield Case("command lines", f"--beta {' '.join(values)}", _command((*twice, *values)))
    alike = _command((*twice, "10.0000001", "10.0000002"), num_models=2)
    yield Case("command lines", "--beta 10.0000001 10.0000002", alike, "accepted")
    yield Case("command lines", "seeds 0 0", _command((*TRAIN, "--seeds", "0", "0")))
    yield Case("command lines", "nothing", _command(()), "accepted")
    for line in (("--help",), ("train", "--help"), ("study", "--help"), ("data", "list"), ("study", "list")):
        yield Case("command lines", " ".join(line), _command(line), "accepted")


def _command(line: tuple[str, ...], num_models: int | None = None) -> Callable[[World], None]:
    def go(world: World) -> None:
        words = [word.replace("RUN", str(world.run)).replace("PLACE", str(world.place / "out")) for word in line]
        if words[:1] == ["train"] and "--out" not in words:
            words += ["--out", str(world.place / "run"), "--quiet"]
        error = io.StringIO()
        home = os.getcwd()
        os.chdir(world.place)
        try:
            with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
                main(words)
            if num_models not in (None, len(list((world.place / "run" / "models").glob("*")))):
                raise Silent(f"not {num_models} models")
        except SystemExit as ended:
            if "Traceback" in error.getvalue():
                raise AssertionError("a traceback is printed") from ended
            if ended.code not in (0, None):
                raise Error(f"status {ended.code}") from None
        finally:
            os.chdir(home)

    return go
